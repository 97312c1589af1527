//! The dependency tree keeps the promise of the front page.

use std::{fs, path::Path, process::Command};

#[test]
fn the_tree_has_no_io_no_runtime_no_randomness_and_no_logging() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", "auth-core", "-e", "normal", "--all-features", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"auth-core") && names.contains(&"url"), "this is not the tree:\n{tree}");
    for banned in ["tokio", "futures", "reqwest", "hyper", "rand", "getrandom", "tracing"] {
        let found = names.iter().find(|name| **name == banned || name.starts_with(&format!("{banned}-")));
        assert_eq!(found, None, "auth-core must do without {banned}");
    }
}

/// The crate builds with the dependencies that are listed and no others.
#[test]
fn the_dependencies_are_those_that_are_listed() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("[dependencies]\n").unwrap();
    let (listed, _) = rest.split_once("\n[").unwrap();
    let names: Vec<&str> = listed.lines().filter_map(|line| Some(line.split_once(['.', ' '])?.0)).collect();
    let allowed = [
        "base64",
        "bytes",
        "hmac-sha256",
        "http",
        "httpdate",
        "secrecy",
        "serde",
        "serde_json",
        "subtle",
        "thiserror",
        "url",
    ];
    assert_eq!(names, allowed, "what else is there has to be as pure as these");
}

/// The standard library has sockets and files too.
#[test]
fn the_source_names_nothing_of_the_system() {
    let mut read = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            read += 1;
            for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
                let code = line.trim_start();
                for banned in [
                    "std::env",
                    "std::fs",
                    "std::io",
                    "std::net",
                    "std::os",
                    "std::process",
                    "std::sync::mpsc",
                    "std::thread",
                    "::now()",
                    "RandomState",
                    "println!",
                    "eprintln!",
                    "dbg!",
                    "async ",
                    ".await",
                ] {
                    let found = code.contains(banned) && !code.starts_with("//");
                    assert!(!found, "{}:{}: {banned}", path.display(), number + 1);
                }
            }
        }
    }
    assert!(read > 30, "these are not the sources: {read} files");
}
