use super::spent::MONTH;
use super::*;

const NOW: Duration = Duration::ZERO;

fn meters(texts: &[&str]) -> Meters {
    Meters::new(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn asker(class: &str) -> Asker {
    Asker { organization: 0, workspace: 0, class: class.to_owned() }
}

#[test]
fn a_request_passes_again_exactly_when_the_wait_is_over() {
    let mut meters = meters(&["requests=7"]);
    for _ in 0..7 {
        meters.admit(NOW, &asker(""), 0).unwrap();
    }
    let wait = meters.admit(NOW, &asker(""), 0).unwrap_err().wait.unwrap();
    assert!(meters.admit(wait - Duration::from_nanos(1), &asker(""), 0).is_err());
    meters.admit(wait, &asker(""), 0).unwrap();
}

#[test]
fn a_refused_request_costs_nothing() {
    let mut meters = meters(&["requests=1,input=5"]);
    assert!(meters.admit(NOW, &asker(""), 6).unwrap_err().message.contains("input tokens"));
    meters.admit(NOW, &asker(""), 5).unwrap();
}

#[test]
fn output_in_debt_holds_the_next_request_back() {
    let mut meters = meters(&["output=60"]);
    meters.admit(NOW, &asker(""), 1).unwrap();
    meters.spend_output(NOW, &asker(""), 90);
    assert_eq!(meters.admit(NOW, &asker(""), 1).unwrap_err().wait, Some(Duration::from_secs(31)));
}

#[test]
fn a_burst_is_what_comes_at_once_and_the_rate_is_the_same() {
    let mut meters = meters(&["requests=600,burst=2"]);
    meters.admit(NOW, &asker(""), 0).unwrap();
    meters.admit(NOW, &asker(""), 0).unwrap();
    assert_eq!(meters.admit(NOW, &asker(""), 0).unwrap_err().wait, Some(Duration::from_millis(100)));
    meters.admit(Duration::from_millis(100), &asker(""), 0).unwrap();
}

#[test]
fn each_class_of_models_counts_apart_and_may_have_its_own_limit() {
    let mut meters = meters(&["requests=2", "opus:requests=1"]);
    assert_eq!((class("claude-opus-4-8"), class("m")), ("opus", "m"));
    meters.admit(NOW, &asker("opus"), 0).unwrap();
    assert!(meters.admit(NOW, &asker("opus"), 0).is_err());
    for _ in 0..2 {
        meters.admit(NOW, &asker("haiku"), 0).unwrap();
    }
    assert!(meters.admit(NOW, &asker("haiku"), 0).is_err());
}

#[test]
fn a_workspace_has_its_limits_besides_those_of_its_organisation() {
    let mut meters = meters(&["requests=3", "workspace:requests=2"]);
    let at = |workspace| Asker { workspace, ..asker("") };
    for (workspace, passes) in [(0, true), (0, true), (0, false), (1, true), (1, false)] {
        assert_eq!(meters.admit(NOW, &at(workspace), 0).is_ok(), passes, "workspace {workspace}");
    }
    let other = Asker { organization: 9, ..at(9) };
    meters.admit(NOW, &other, 0).unwrap();
}

#[test]
fn what_was_spent_counts_for_a_month_and_no_wait_is_told() {
    let mut meters = meters(&["spend=0.000018"]);
    meters.admit(NOW, &asker(""), 1).unwrap();
    meters.spend_output(NOW, &asker(""), 1);
    let refused = meters.admit(NOW, &asker("opus"), 1).unwrap_err();
    assert_eq!((refused.wait, refused.code), (None, Some("enforced_spend_limit_reached")));
    meters.admit(MONTH, &asker(""), 1).unwrap();
}

#[test]
fn a_rate_may_double_but_not_leap() {
    let mut meters = meters(&["acceleration=2"]);
    let mut pass = |at: u64, count: usize| {
        let at = Duration::from_secs(at);
        (0..count).filter(|_| meters.admit(at, &asker(""), 0).is_ok()).count()
    };
    assert_eq!((pass(0, 9), pass(10, 9), pass(25, 99)), (2, 6, 14));
    let refused = meters.admit(Duration::from_secs(25), &asker(""), 0).unwrap_err();
    assert_eq!((refused.wait, refused.code), (Some(Duration::from_secs(5)), Some("ramp_limit_exceeded")));
}
