//! Where the public types of the SDK have their examples.

use std::collections::HashSet;

use super::{File, Finding};

/// The crate whose types are looked at.
const CRATE: &str = "crates/claude-sdk/src/";
/// The macros by which it declares types.
const MACROS: [&str; 5] = ["object!", "hot_object!", "either!", "tagged!", "open_enum!"];
/// How a type says whose example shows it too.
const ELSEWHERE: &str = "Example: [`";

/// Every public type has an example, or names a type or a module that has one.
pub(super) fn examples(files: &[File]) -> Vec<Finding> {
    let sources = || files.iter().filter(|file| file.path.starts_with(CRATE) && !file.path.contains("tests"));
    let types: Vec<Type<'_>> = sources().flat_map(types).collect();
    let modules = sources().filter(|file| file.text.lines().any(|line| line.starts_with("//! ```")));
    let modules = modules.map(|file| file.name().trim_end_matches(".rs"));
    let with_example = types.iter().filter(|kind| kind.has_example).map(|kind| kind.name);
    let shown: HashSet<&str> = with_example.chain(modules).collect();
    let unshown = types.iter().filter(|kind| !kind.has_example);
    unshown
        .filter(|kind| !kind.elsewhere.is_some_and(|name| shown.contains(name)))
        .map(|kind| {
            let todo = format!("give {} an example, or a line `{ELSEWHERE}…`]` that leads to one", kind.name);
            Finding::new(kind.file, kind.line, todo)
        })
        .collect()
}

struct Type<'a> {
    file: &'a File,
    line: usize,
    name: &'a str,
    has_example: bool,
    elsewhere: Option<&'a str>,
}

/// The public types that a file declares, by itself or by one of the macros.
fn types(file: &File) -> Vec<Type<'_>> {
    let mut types = Vec::new();
    let mut docs = Vec::new();
    let mut in_macro = false;
    for (line, text) in file.lines() {
        let trimmed = text.trim_start();
        if let Some(doc) = trimmed.strip_prefix("///") {
            docs.push(doc.trim());
            continue;
        }
        if trimmed.starts_with("#[") {
            continue;
        }
        if !text.starts_with([' ', '}']) {
            in_macro = MACROS.iter().any(|name| text.strip_prefix(name) == Some(" {"));
        }
        if let Some(name) = declared(text, in_macro) {
            let elsewhere = docs.iter().find_map(|doc| doc.strip_prefix(ELSEWHERE)?.split('`').next());
            let has_example = docs.iter().any(|doc| doc.starts_with("```"));
            types.push(Type { file, line, name, has_example, elsewhere });
        }
        docs.clear();
    }
    types
}

/// The name of the type that this line begins to declare.
fn declared(line: &str, in_macro: bool) -> Option<&str> {
    let kinds = ["pub struct ", "pub enum ", "pub trait "];
    let name = match kinds.iter().find_map(|kind| line.strip_prefix(kind)) {
        Some(rest) => rest,
        None => line.strip_prefix("    ").filter(|_| in_macro)?.strip_suffix(" {")?,
    };
    let end = name.find(|character: char| !character.is_alphanumeric()).unwrap_or(name.len());
    name.get(..end).filter(|name| name.starts_with(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::super::tests::planted;

    const SHOWN: &str = "/// A plate.\n///\n/// ```\n/// Plate;\n/// ```\npub struct Plate;\n";

    #[test]
    fn a_type_with_an_example_passes_and_so_does_one_that_names_it() {
        let cup = "object! {\n    /// A cup.\n    ///\n    /// Example: [`Plate`](crate::Plate).\n    #[derive(Default)]\n    Cup {\n        /// What is in it.\n        tea: Tea,\n    }\n\n    /// New.\n    pub fn new();\n}\n";
        let pot = "/// A pot.\n///\n/// Example: [`cups`](crate::cups).\npub(crate) enum Inner {}\n";
        let cups = "//! Cups.\n//!\n//! ```\n//! ```\n\n/// A pot.\n///\n/// Example: [`cups`](crate::cups).\n#[non_exhaustive]\npub enum Pot<T> {\n}\n";
        let files = [
            ("crates/claude-sdk/src/plate.rs", SHOWN),
            ("crates/claude-sdk/src/cup.rs", cup),
            ("crates/claude-sdk/src/pot.rs", pot),
            ("crates/claude-sdk/src/cups.rs", cups),
            ("crates/other/src/cups.rs", "/// A fork.\npub struct Fork;\n"),
        ];
        assert!(planted(&files).is_empty(), "{:?}", planted(&files));
    }

    #[test]
    fn a_type_without_an_example_is_named_where_it_is() {
        let fork = "/// A fork.\npub trait Fork: Debug {}\n";
        let knife = "/// Example: [`Fork`].\npub struct Knife(u8);\n";
        let spoon = "open_enum! {\n    /// Example: [`Nothing`].\n    Spoon {\n        /// A.\n        A = \"a\",\n    }\n}\n";
        let found = planted(&[
            ("crates/claude-sdk/src/fork.rs", fork),
            ("crates/claude-sdk/src/knife.rs", knife),
            ("crates/claude-sdk/src/spoon.rs", spoon),
        ]);
        for (finding, start) in
            found.iter().zip(["fork.rs:2: give Fork", "knife.rs:2: give Knife", "spoon.rs:3: give Spoon"])
        {
            assert!(finding.starts_with(&format!("crates/claude-sdk/src/{start}")), "{finding}");
        }
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
