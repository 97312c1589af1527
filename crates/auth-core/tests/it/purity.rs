//! The dependency tree keeps the promise of the front page.

use std::process::Command;

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
