//! The rows of the pages that map promises to tests: each is there once, and is proven by tests that exist or says what
//! is missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{File, Finding};

/// A table that has a row for each number.
struct Table {
    page: &'static str,
    letter: char,
    last: u32,
}

const TABLES: [Table; 2] = [
    Table { page: "docs/security.md", letter: 'C', last: 104 },
    Table { page: "docs/testing.md", letter: 'F', last: 74 },
];

pub(super) fn rows(root: &Path, file: &File) -> Vec<Finding> {
    let table = TABLES.iter().find(|table| table.page == file.path);
    table.map(|table| table.check(root, file)).unwrap_or_default()
}

impl Table {
    fn check(&self, root: &Path, file: &File) -> Vec<Finding> {
        let letter = self.letter;
        let mut findings = Vec::new();
        let mut missing: BTreeSet<u32> = (1..=self.last).collect();
        for (line, row) in file.lines().filter(|(_, line)| self.has(line)) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let todos = match cells[..] {
                ["", number, holds, tests, open, ""] if !holds.is_empty() => {
                    let counted = self.count(&mut missing, number);
                    counted.into_iter().chain(unproven(tests, open)).chain(unfounded(root, tests)).collect()
                }
                _ => vec![format!("write the row as `| {letter}1 | what holds | tests | still open |`")],
            };
            findings.extend(todos.into_iter().map(|todo| Finding::new(file, line, todo)));
        }
        let missing =
            missing.iter().map(|number| Finding::new(file, 1, format!("add a row for {letter}{number}")));
        findings.extend(missing);
        findings
    }

    /// Whether a line is a row of this table: other tables of the page begin with words.
    fn has(&self, line: &str) -> bool {
        let cell = line.strip_prefix("| ").and_then(|rest| rest.split(" |").next()).unwrap_or_default();
        let number = cell.strip_prefix(self.letter).unwrap_or_default();
        number.starts_with(|first: char| first.is_ascii_digit()) && !cell.contains(' ')
    }

    /// Takes a row off the list of those that are missing.
    fn count(&self, missing: &mut BTreeSet<u32>, cell: &str) -> Option<String> {
        let Self { letter, last, .. } = *self;
        let number = cell.strip_prefix(letter).and_then(|number| number.parse().ok());
        match number.filter(|number| (1..=last).contains(number)) {
            Some(number) if missing.remove(&number) => None,
            Some(_) => Some(format!("keep one row for {cell}; another one comes before this")),
            None => Some(format!("number the row from {letter}1 to {letter}{last}; {cell} is none of them")),
        }
    }
}

/// Whether a row neither names a test nor says why there is none.
fn unproven(tests: &str, open: &str) -> Option<String> {
    let promised = open.starts_with("not yet: ") && open.contains("issue ");
    let declined = open.starts_with("not offered: ");
    if promised || declined || open.is_empty() && !tests.is_empty() {
        return None;
    }
    Some("name a test, or write `not yet: …` with its issue, or `not offered: …`".to_owned())
}

/// The tests of a row that do not exist.
fn unfounded(root: &Path, tests: &str) -> Vec<String> {
    let names = tests.split([' ', ',']).filter(|name| !name.is_empty());
    let wrong = names.filter(|name| {
        let name = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
        !name.is_some_and(|name| is_test(root, name))
    });
    wrong
        .map(|name| format!("name a test that exists, as `crate::it::module::test`; {name} does not"))
        .collect()
}

/// Whether `crate::module::name` is a test, in the file that its modules lead to.
fn is_test(root: &Path, name: &str) -> bool {
    let segments: Vec<&str> = name.split("::").collect();
    let [package, modules @ .., test] = &segments[..] else { return false };
    let package = root.join("crates").join(package);
    let files = match modules {
        ["it"] => vec![package.join("tests/it/main.rs")],
        ["it", modules @ ..] => vec![package.join("tests/it").join(modules.join("/")).with_extension("rs")],
        [outer @ .., "tests"] if !outer.is_empty() => [outer, modules]
            .map(|modules| package.join("src").join(modules.join("/")).with_extension("rs"))
            .into(),
        [.., "tests", _] => vec![package.join("src").join(modules.join("/")).with_extension("rs")],
        _ => return false,
    };
    files.iter().any(|file| fs::read_to_string(file).is_ok_and(|text| has_test(&text, test)))
}

/// Whether there is a function of this name with a `test` attribute right above it.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = format!("fn {name}(");
    lines.iter().enumerate().any(|(index, line)| {
        let above = lines.iter().take(index).rev().take_while(|line| line.starts_with("#["));
        let mut attributes = above.map(|line| line.trim_start_matches("#[").trim_start_matches("tokio::"));
        let is_head = line.strip_prefix("async ").unwrap_or(line).starts_with(&head);
        is_head
            && attributes.any(|attribute| attribute.starts_with("test]") || attribute.starts_with("test("))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::planted;

    const PAGE: &str = "docs/security.md";
    const LAST: u32 = 104;
    const CODE: &str =
        "//! x\nfn helper() {}\nmod tests {\n    #[cfg(unix)]\n    #[test]\n    fn unit() {}\n}\n";
    const TESTS: &str =
        "//! x\n#[test]\nfn plain() {}\n\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn awaits() {}\n";

    /// What is found on a page whose row 7 is this one, beside a crate with three tests.
    fn with(row: &str) -> Vec<String> {
        let mut page = String::from("# Security\n");
        for number in (1..=LAST).filter(|number| *number != 7) {
            page += &format!("| C{number} | x | `a::it::b::plain` | |\n");
        }
        page += row;
        let paths = ["crates/a/src/c.rs", "crates/a/src/c/tests.rs", "crates/a/tests/it/b.rs"];
        planted(&[(PAGE, &page), (paths[0], CODE), (paths[1], TESTS), (paths[2], TESTS)])
    }

    #[test]
    fn a_row_with_tests_or_with_a_reason_passes() {
        for row in [
            "| C7 | x | `a::it::b::plain`, `a::it::b::awaits` | |",
            "| C7 | x | `a::c::tests::unit` `a::c::tests::awaits` | |",
            "| C7 | x | | not yet: the rest (issue 4, a) |",
            "| C7 | x | `a::it::b::plain` | not yet: the rest (issue 4, a) |",
            "| C7 | x | | not offered: nobody needs it |",
        ] {
            assert!(with(row).is_empty(), "{row}: {:?}", with(row));
        }
    }

    #[test]
    fn a_test_that_does_not_exist_is_refused() {
        for name in [
            "`a::it::b::plai`",
            "`a::it::b::helper`",
            "`a::it::missing::plain`",
            "`a::it::plain`",
            "`a::c::tests::helper`",
            "`a::c::unit`",
            "`z::it::b::plain`",
            "`plain`",
            "``",
            "a::it::b::plain",
        ] {
            let found = with(&format!("| C7 | x | {name} | |")).concat();
            let asked = format!(
                "docs/security.md:105: name a test that exists, as `crate::it::module::test`; {name}"
            );
            assert!(found.starts_with(&asked), "{name}: {found}");
        }
    }

    #[test]
    fn a_row_that_proves_nothing_and_says_nothing_is_refused() {
        for row in [
            "| C7 | x | | |",
            "| C7 | x | | soon |",
            "| C7 | x | | not yet: some day |",
            "| C7 | x | `a::it::b::plain` | and more |",
        ] {
            let found = with(row).concat();
            assert!(found.starts_with("docs/security.md:105: name a test, or write"), "{row}: {found}");
        }
    }

    #[test]
    fn each_number_has_one_row() {
        assert_eq!(with(""), ["docs/security.md:1: add a row for C7"]);
        for (row, asked) in [
            ("| C6 | x | `a::it::b::plain` | |", "keep one row for C6"),
            ("| C105 | x | `a::it::b::plain` | |", "number the row from C1 to C104; C105"),
            ("| C7a | x | `a::it::b::plain` | |", "number the row from C1 to C104; C7a"),
            ("| C7 | x | `a::it::b::plain` |", "write the row as"),
            ("| C7 | | `a::it::b::plain` | |", "write the row as"),
        ] {
            let found = with(row);
            assert!(found.len() == 2 && found[0].contains(asked), "{row}: {found:?}");
        }
    }

    #[test]
    fn the_faults_have_a_table_too_and_other_tables_are_left_alone() {
        let mut page = String::from("# Testing\n| F41: stopped | once |\n| Found | x |\n");
        for number in 1..=74 {
            page += &format!("| F{number} | x | | not yet: all of it (issue 5) |\n");
        }
        assert!(planted(&[("docs/testing.md", &page)]).is_empty());
        let page = page.replace("| F74 |", "| F73 |");
        let found = planted(&[("docs/testing.md", &page)]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found.concat().contains("keep one row for F73") && found.concat().contains("add a row for F74")
        );
    }

    #[test]
    fn other_pages_are_not_read() {
        assert!(planted(&[("docs/other.md", "| C1 | x | | |\n")]).is_empty());
    }
}
