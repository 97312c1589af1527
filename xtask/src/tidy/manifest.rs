//! Rules of Cargo manifests.

use std::path::Path;

use super::{File, Finding};

pub(super) fn inherits(_: &Path, file: &File) -> Vec<Finding> {
    if !is_package(file) {
        return Vec::new();
    }
    let rules = [
        (has(file, "lints", "workspace = true"), "add `[lints]` with `workspace = true`"),
        (
            has(file, "package", "publish.workspace = true") || has(file, "package", "publish = false"),
            "add `publish.workspace = true`: the names are not ours on the registry",
        ),
    ];
    rules.into_iter().filter(|(kept, _)| !kept).map(|(_, todo)| Finding::new(file, 1, todo)).collect()
}

pub(super) fn names_its_library(root: &Path, file: &File) -> Vec<Finding> {
    let library = root.join(&file.path).with_file_name("src").join("lib.rs");
    if !is_package(file) || !library.exists() || section(file, "lib").any(|line| line.starts_with("name = "))
    {
        return Vec::new();
    }
    vec![Finding::new(file, 1, "add `[lib]` with a `name`: the package's name may get a prefix one day")]
}

fn is_package(file: &File) -> bool {
    file.name() == "Cargo.toml" && file.lines().any(|(_, line)| line == "[package]")
}

fn has(file: &File, name: &str, wanted: &str) -> bool {
    section(file, name).any(|line| line == wanted)
}

/// The lines between this section's header and the next one's.
fn section<'a>(file: &'a File, name: &str) -> impl Iterator<Item = &'a str> {
    let header = format!("[{name}]");
    let lines = file.text.lines().map(str::trim).skip_while(move |line| *line != header).skip(1);
    lines.take_while(|line| !line.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::super::tests::planted;

    const GOOD: &str =
        "[package]\npublish.workspace = true\n[lib]\nname = \"a\"\n[lints]\nworkspace = true\n";
    const LIBRARY: (&str, &str) = ("crates/a/src/lib.rs", "//! A crate.\n");

    #[test]
    fn a_manifest_that_inherits_and_names_its_library_passes() {
        assert!(planted(&[("crates/a/Cargo.toml", GOOD), LIBRARY]).is_empty());
        assert!(planted(&[("Cargo.toml", "[workspace]\n")]).is_empty());
    }

    #[test]
    fn each_missing_line_of_a_manifest_is_asked_for() {
        for (line, asked) in [
            ("publish.workspace = true\n", "publish"),
            ("name = \"a\"\n", "[lib]"),
            ("[lints]\nworkspace = true\n", "[lints]"),
        ] {
            let found = planted(&[("crates/a/Cargo.toml", &GOOD.replace(line, "")), LIBRARY]).concat();
            assert!(found.starts_with("crates/a/Cargo.toml:1: ") && found.contains(asked), "{found}");
        }
    }
}
