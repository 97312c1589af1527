//! Names of files.

use std::path::Path;

use super::{File, Finding};

/// Names that say nothing of what is inside.
const VAGUE: [&str; 5] = ["common", "helper", "helpers", "util", "utils"];

pub(super) fn module_file(_: &Path, file: &File) -> Vec<Finding> {
    if file.name() != "mod.rs" {
        return Vec::new();
    }
    let folder = file.path.rsplit('/').nth(1).unwrap_or("its folder");
    vec![Finding::new(file, 1, format!("move this to {folder}.rs beside the folder {folder}"))]
}

pub(super) fn vague(_: &Path, file: &File) -> Vec<Finding> {
    let stem = file.name().strip_suffix(".rs");
    let folders = file.path.split('/').rev().skip(1);
    match stem.into_iter().chain(folders).find(|name| file.is_rust() && VAGUE.contains(name)) {
        Some(name) => {
            vec![Finding::new(file, 1, format!("name it for what is inside; `{name}` fits everything"))]
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::planted;

    #[test]
    fn mod_rs_is_refused() {
        assert_eq!(planted(&[("crates/a/tests/it/mod.rs", "")]).len(), 1);
        assert!(planted(&[("crates/a/src/model.rs", "")]).is_empty());
    }

    #[test]
    fn a_file_or_a_folder_with_a_vague_name_is_refused() {
        for path in ["crates/a/src/utils.rs", "crates/a/tests/common/server.rs", "crates/a/src/helpers.rs"] {
            let found = planted(&[(path, "")]);
            assert!(found.concat().contains("name it for what is inside"), "{path}: {found:?}");
        }
        assert!(planted(&[("crates/a/src/test_util.rs", "")]).is_empty());
    }
}
