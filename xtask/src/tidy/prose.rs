//! Rules of any text: nothing of one machine in it, and no link that leads nowhere.

use std::path::Path;

use super::{File, Finding};
use crate::markdown;

// In two pieces, so that the check does not find itself.
const MACHINE: [&str; 3] = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")];

pub(super) fn machine(_: &Path, file: &File) -> Vec<Finding> {
    let lines = file.lines().filter(|(_, line)| MACHINE.iter().any(|folder| starts_path(line, folder)));
    lines.map(|(line, _)| Finding::new(file, line, "write a path that exists on every machine")).collect()
}

/// Whether an absolute path starts with `folder`; a URL's path has its host before it, an example's has `you` in it.
fn starts_path(line: &str, folder: &str) -> bool {
    let inside = |before: char| before.is_alphanumeric() || "._-~}>/".contains(before);
    line.match_indices(folder).any(|(start, _)| {
        let (before, after) = line.split_at(start);
        let example = after.strip_prefix(folder).is_some_and(|rest| rest.starts_with("you/"));
        !example && !before.chars().next_back().is_some_and(inside)
    })
}

pub(super) fn links(root: &Path, file: &File) -> Vec<Finding> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let links = markdown::links(&file.text).into_iter();
    let broken = links.filter(|(_, target)| !resolves(root, file, target));
    broken
        .map(|(line, target)| Finding::new(file, line, format!("mend this link: {target} is not there")))
        .collect()
}

fn resolves(root: &Path, file: &File, target: &str) -> bool {
    let elsewhere = target.contains("://") || target.starts_with("mailto:") || target.starts_with('#');
    let path = target.split('#').next().unwrap_or(target);
    elsewhere || root.join(&file.path).with_file_name(path).exists()
}

#[cfg(test)]
mod tests {
    use super::super::tests::planted;
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_refused_in_any_file() {
        for folder in MACHINE {
            let found = planted(&[(".ci/run", &format!("set -e\ncd {folder}ada\n"))]);
            assert_eq!(found, [".ci/run:2: write a path that exists on every machine"]);
        }
    }

    #[test]
    fn the_same_folder_inside_a_longer_path_is_fine() {
        for folder in MACHINE {
            assert!(planted(&[("a.txt", &format!("https://a.example/v1{folder}x ~{folder}"))]).is_empty());
        }
    }

    #[test]
    fn an_example_may_name_the_folder_of_you() {
        for folder in MACHINE {
            assert!(planted(&[("a.txt", &format!("open(\"{folder}you/a\")"))]).is_empty());
        }
    }

    #[test]
    fn a_link_to_a_missing_file_is_refused() {
        let page =
            ("docs/a.md", "[b](b.md#part) [c](../crates/c)\n[d](missing.md)\n[e](https://e.example)\n");
        let found = planted(&[page, ("docs/b.md", "# part\n"), ("crates/c/x.txt", "")]);
        assert_eq!(found, ["docs/a.md:2: mend this link: missing.md is not there"]);
    }
}
