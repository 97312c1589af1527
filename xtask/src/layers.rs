//! `cargo xtask layers`: which crate may depend on which. The table of `docs/architecture.md`, as data.

use std::process::Command;

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Metadata};

use crate::step::{Workspace, output};

/// A crate of the workspace and what it may depend on.
#[derive(Debug)]
struct Layer {
    name: &'static str,
    /// In the code it ships.
    uses: &'static [&'static str],
    /// In its tests, beyond that.
    tests_use: &'static [&'static str],
    /// Other people's crates that belong to a lower layer.
    never: &'static [&'static str],
}

const ANYTHING: &[&str] =
    &["auth-core", "claude-cli", "claude-sdk", "mock-server", "ratelimit", "secrets", "transport"];
const MEASURED: &[&str] = &["bench-probe", "claude-sdk", "mock-server", "transport"];
const BACKENDS: &[&str] = &["governor", "redis", "reqwest", "vaultrs"];

const LAYERS: &[Layer] = &[
    Layer { name: "auth-core", uses: &[], tests_use: &["mock-server"], never: BACKENDS },
    Layer { name: "auth-model", uses: &[], tests_use: &["auth-core"], never: BACKENDS },
    Layer {
        name: "transport",
        uses: &[],
        tests_use: &["mock-server"],
        never: &["governor", "redis", "vaultrs"],
    },
    Layer { name: "ratelimit", uses: &[], tests_use: &["mock-server"], never: &["reqwest", "vaultrs"] },
    Layer { name: "secrets", uses: &[], tests_use: &["mock-server"], never: &["governor"] },
    Layer {
        name: "claude-sdk",
        uses: &["auth-core", "claude-sdk-macros", "ratelimit", "secrets", "transport"],
        tests_use: &["mock-server"],
        never: BACKENDS,
    },
    Layer { name: "claude-sdk-macros", uses: &[], tests_use: &[], never: BACKENDS },
    Layer { name: "claude-cli", uses: &["claude-sdk", "mock-server"], tests_use: &[], never: BACKENDS },
    // It must not share code with what it judges, not even in its tests.
    Layer { name: "mock-server", uses: &[], tests_use: &[], never: BACKENDS },
    Layer { name: "e2e", uses: ANYTHING, tests_use: &[], never: &[] },
    Layer { name: "bench", uses: MEASURED, tests_use: &[], never: &[] },
    // All that contenders outside the workspace get to see.
    Layer { name: "bench-probe", uses: &[], tests_use: &[], never: BACKENDS },
    Layer { name: "xtask", uses: &[], tests_use: &[], never: BACKENDS },
];

/// What must not be anywhere in auth-core's tree: it is told, it does not look.
const IMPURE: &[&str] = &["getrandom", "hyper", "rand", "reqwest", "tokio", "tracing"];
const IMPURE_FAMILIES: &[&str] = &["futures"];

/// One crate of the workspace that depends on something.
#[derive(Debug, Clone, PartialEq)]
struct Edge {
    from: String,
    to: String,
    /// Whether `to` is in this workspace.
    ours: bool,
    /// Whether only the tests of `from` use it.
    tests: bool,
}

/// Fails with one line for each dependency that the table does not allow.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let names: Vec<&str> = workspace.crates().collect();
    let mut complaints = unknown(&names);
    complaints.extend(edges(&workspace.metadata).iter().filter_map(complaint));
    complaints.extend(impurities(&output(&mut tree(workspace, "auth-core"))?));
    for line in &complaints {
        eprintln!("{line}");
    }
    match complaints.len() {
        0 => Ok(()),
        count => bail!("{count} of the dependencies break the layers of docs/architecture.md"),
    }
}

fn unknown(names: &[&str]) -> Vec<String> {
    let new = names.iter().filter(|name| layer(name).is_none());
    new.map(|name| format!("{name}: give this crate a layer in xtask/src/layers.rs and docs/architecture.md"))
        .collect()
}

fn layer(name: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.name == name)
}

fn edges(metadata: &Metadata) -> Vec<Edge> {
    let packages = metadata.workspace_packages().into_iter();
    let dependencies = packages.flat_map(|package| package.dependencies.iter().map(move |to| (package, to)));
    let edges = dependencies.map(|(package, to)| Edge {
        from: package.name.to_string(),
        to: to.name.clone(),
        ours: to.path.is_some(),
        tests: to.kind == DependencyKind::Development,
    });
    edges.collect()
}

/// What to do about an edge that must not be.
fn complaint(edge: &Edge) -> Option<String> {
    let Edge { from, to, ours, tests } = edge;
    let layer = layer(from)?;
    let listed = |names: &[&str]| names.contains(&to.as_str());
    let place = if *tests { "dev-dependencies" } else { "dependencies" };
    if !ours {
        let wrong = !tests && listed(layer.never);
        return wrong.then(|| {
            format!("{from} -> {to}: go through the crate that wraps {to}; remove it from {from}'s {place}")
        });
    }
    let allowed = listed(layer.uses) || (*tests && listed(layer.tests_use));
    (!allowed).then(|| format!("{from} -> {to}: {from} must not know {to}; remove it from {from}'s {place}"))
}

fn tree(workspace: &Workspace, package: &str) -> Command {
    workspace.cargo(&[
        "tree",
        "--quiet",
        "--package",
        package,
        "--edges",
        "normal",
        "--all-features",
        "--target",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ])
}

/// Looks through `cargo tree`'s list of `name version`, one to a line.
fn impurities(tree: &str) -> Vec<String> {
    let mut names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    names.dedup();
    let impure = names.into_iter().filter(|name| {
        IMPURE.contains(name) || IMPURE_FAMILIES.iter().any(|family| name.split('-').next() == Some(family))
    });
    impure
        .map(|name| {
            format!("auth-core -> … -> {name}: auth-core does no I/O; `cargo tree -p auth-core -i {name}`")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), ours: true, tests: false }
    }

    #[test]
    fn the_edges_of_the_architecture_pass() {
        for to in ["auth-core", "ratelimit", "secrets", "transport"] {
            assert_eq!(complaint(&edge("claude-sdk", to)), None);
        }
        assert_eq!(complaint(&edge("claude-cli", "mock-server")), None);
        assert_eq!(complaint(&edge("e2e", "auth-core")), None);
    }

    #[test]
    fn an_edge_between_two_of_the_four_is_named_in_code_and_in_tests() {
        let wrong = edge("transport", "ratelimit");
        assert!(complaint(&wrong).unwrap().starts_with("transport -> ratelimit: "));
        assert!(complaint(&Edge { tests: true, ..wrong }).unwrap().contains("dev-dependencies"));
    }

    #[test]
    fn only_tests_may_use_the_mock_server() {
        let wrong = edge("claude-sdk", "mock-server");
        assert!(complaint(&wrong).is_some());
        assert_eq!(complaint(&Edge { tests: true, ..wrong }), None);
    }

    #[test]
    fn the_mock_server_knows_nobody() {
        assert!(complaint(&Edge { tests: true, ..edge("mock-server", "auth-core") }).is_some());
    }

    #[test]
    fn the_facade_does_not_reach_around_its_own_layers() {
        let wrong = Edge { ours: false, ..edge("claude-sdk", "reqwest") };
        assert!(complaint(&wrong).unwrap().contains("claude-sdk -> reqwest"));
        assert_eq!(complaint(&Edge { ours: false, ..edge("transport", "reqwest") }), None);
    }

    #[test]
    fn a_crate_without_a_layer_is_asked_for_one() {
        assert_eq!(unknown(&["auth-core"]), Vec::<String>::new());
        assert!(unknown(&["newcomer"]).concat().starts_with("newcomer: "));
    }

    #[test]
    fn an_impure_crate_is_found_anywhere_below_auth_core() {
        let tree = "auth-core v0.1.0\nhttp v1.5.0\nfutures-core v0.3.34\ntokio v1.54.1\ntokio v1.54.1 (*)\n";
        let found = impurities(tree).concat();
        assert!(found.contains("futures-core") && found.contains("tokio"), "{found}");
        assert_eq!(impurities(tree).len(), 2);
        assert!(impurities("auth-core v0.1.0\nrandom-looking v1.0.0\nserde v1.0.0\n").is_empty());
    }
}
