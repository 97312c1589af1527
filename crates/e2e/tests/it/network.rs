//! The client in networks of its own, where packets are dropped, refused or late (F1 to F3, F9).

use serde_json::Value;

/// Plays a scenario of the program `network` in a network that only it is in.
async fn play(scenario: &str) -> Value {
    let mut command = tokio::process::Command::new("unshare");
    // Who is not root becomes it in a namespace, where the system allows that.
    if !rustix::process::getuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--mount", env!("CARGO_BIN_EXE_network"), scenario]);
    e2e::report(command).await.unwrap_or_else(|error| {
        panic!(
            "{scenario}: {error:#}; it needs root, or user namespaces, and what `cargo xtask test` installs"
        )
    })
}

fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("no {name} in {report}"))
}

/// F3.
#[tokio::test]
async fn a_network_that_swallows_everything_costs_the_limit_for_each_attempt() {
    let report = play("black hole").await;
    assert_eq!(
        (&report["kind"], &report["reach"]),
        (&"Timeout(Connect)".into(), &"NotSent".into()),
        "{report}"
    );
    assert_eq!((number(&report, "attempts"), number(&report, "requests")), (2, 0), "{report}");
    // Twice the limit and the wait between, with some for a machine that is busy.
    assert!((800..4_000).contains(&number(&report, "ms")), "{report}");
}

/// F3 and F2.
#[tokio::test]
async fn a_network_that_heals_while_a_call_waits_is_used() {
    for scenario in ["healing black hole", "healing rejection"] {
        let report = play(scenario).await;
        assert!(report["kind"].is_null() && number(&report, "requests") == 1, "{scenario}: {report}");
    }
}

/// F2.
#[tokio::test]
async fn a_firewall_that_refuses_is_told_as_a_connection_that_cannot_be_made() {
    let report = play("rejected").await;
    assert_eq!((&report["kind"], &report["reach"]), (&"Connect".into(), &"NotSent".into()), "{report}");
    assert_eq!((number(&report, "attempts"), number(&report, "requests")), (2, 0), "{report}");
}

/// F9: no FIN, no RST, no data.
#[tokio::test]
async fn a_connection_that_is_lost_without_a_word_ends_at_the_limit_and_another_is_made() {
    let report = play("half open").await;
    assert_eq!(report["kind"], "Timeout(Idle)", "{report}");
    assert_eq!((number(&report, "attempts"), number(&report, "requests")), (1, 2), "{report}");
}

#[tokio::test]
async fn a_narrow_network_is_slow_and_not_silent() {
    let report = play("narrow").await;
    assert!(report["kind"].is_null() && number(&report, "ms") > 500, "{report}");
}

/// F1.
#[tokio::test]
async fn a_name_that_cannot_be_looked_up_is_told_and_a_resolver_that_hangs_ends_at_the_limit() {
    let report = play("no resolver").await;
    assert_eq!((&report["kind"], &report["reach"]), (&"Dns".into(), &"NotSent".into()), "{report}");
    assert_eq!(number(&report, "attempts"), 2, "{report}");

    let report = play("hanging resolver").await;
    assert_eq!(
        (&report["kind"], &report["reach"]),
        (&"Timeout(Connect)".into(), &"NotSent".into()),
        "{report}"
    );
    assert!((800..4_000).contains(&number(&report, "ms")), "{report}");
}

/// F1: a resolver that says no, and one whose answers come through again while a call waits.
#[tokio::test]
async fn a_resolver_that_refuses_is_told_and_one_that_heals_while_a_call_waits_is_used() {
    let report = play("refusing resolver").await;
    assert_eq!((&report["kind"], &report["reach"]), (&"Dns".into(), &"NotSent".into()), "{report}");
    assert_eq!((number(&report, "attempts"), number(&report, "requests")), (2, 0), "{report}");

    let report = play("healing resolver").await;
    assert!(report["kind"].is_null() && number(&report, "requests") == 1, "{report}");
    assert!(
        number(&report, "ms") >= 250,
        "the first lookup was lost, and the least wait is a quarter of a second: {report}"
    );
}
