//! All states of the model, and what was found in them.
//!
//! A property that nothing can break proves nothing: each one has a driver with a mistake that breaks it. How many states
//! there are is printed: `cargo nextest run -p auth-model --no-capture`.

use std::collections::BTreeSet;

use stateright::{Checker as _, Model as _};

use crate::{
    graph::Graph,
    machines::{Lifetimes, Machines},
    properties::{
        ALWAYS_NAMED, LEASE_IS_STORED, LOST_BY_A_CUT, NAMES_THE_LOSS, NEVER_LOST, ONE_SPENDS, RENEWED_TWICE,
        SENT_ONCE, USABLE_AT_THE_END, WHOLE_FILE,
    },
    protocol::{Driver, Protocol},
    world::Reuse,
};

/// Nothing goes wrong.
fn calm(reuse: Reuse, driver: Driver) -> Protocol {
    let machines = Machines::new(Lifetimes::Longer);
    Protocol { driver, reuse, crashes: 0, losses: 0, disk_failures: 0, refusals: 0, eras: 2, machines }
}

/// Two crashes, and two requests or answers get lost.
fn rough(reuse: Reuse) -> Protocol {
    Protocol { crashes: 2, losses: 2, ..calm(reuse, Driver::Ours) }
}

/// The server refuses the access tokens once before they are over, and what it gives instead lives longer, or not.
fn refusing(reuse: Reuse, lifetimes: Lifetimes) -> Protocol {
    Protocol { refusals: 1, machines: Machines::new(lifetimes), ..calm(reuse, Driver::Ours) }
}

/// Looks at every state; gives the properties that are broken.
fn broken(model: Protocol) -> BTreeSet<&'static str> {
    explored(model).1
}

fn explored(model: Protocol) -> (usize, BTreeSet<&'static str>) {
    let checker = model.checker().spawn_bfs().join();
    assert!(checker.is_done());
    let states = checker.unique_state_count();
    let model = checker.model();
    println!(
        "{:?}, {:?}, {:?} lives, {} crashes, {} losses, {} disk failures, {} refusals: {states} states, {} steps, \
         longest run {}, {} states of a machine",
        model.driver,
        model.reuse,
        model.machines.lifetimes,
        model.crashes,
        model.losses,
        model.disk_failures,
        model.refusals,
        checker.state_count(),
        checker.max_depth(),
        model.machines.count(),
    );
    let mut found: BTreeSet<_> = checker.discoveries().into_keys().collect();
    let renewed = found.remove(RENEWED_TWICE);
    assert!(
        renewed || model.driver != Driver::Ours,
        "in no run are two renewals stored: the model is asleep"
    );
    for property in &found {
        println!("  broken: {property}");
    }
    (states, found)
}

#[test]
fn while_nothing_goes_wrong_every_property_holds_against_every_server() {
    for reuse in [Reuse::Revokes, Reuse::Window] {
        let model = Protocol { eras: 4, ..calm(reuse, Driver::Ours) };
        assert_eq!(broken(model), BTreeSet::new());
    }
}

#[test]
fn with_a_reuse_window_that_covers_a_restart_no_login_is_lost() {
    assert_eq!(explored_twice(|| rough(Reuse::Window)), BTreeSet::new());
}

#[test]
fn without_a_reuse_window_a_login_is_lost_only_by_a_crash_or_a_loss_between_sending_and_renaming() {
    assert_eq!(explored_twice(|| rough(Reuse::Revokes)), BTreeSet::from([NEVER_LOST, ALWAYS_NAMED]));
}

/// Looks at every state, and once more to see that the checker left none out and that each run comes to an end: only
/// then does what holds in the ends hold "in the end".
fn explored_twice(model: impl Fn() -> Protocol) -> BTreeSet<&'static str> {
    let graph = Graph::of(&model());
    assert!(!graph.has_a_circle && graph.ends > 0, "{graph:?}");
    let (states, found) = explored(model());
    assert!(states == graph.states && states > 10_000, "{states} states, {graph:?}");
    println!("  no circle, {} ends", graph.ends);
    found
}

/// The one that lost the answer says so. A process that was restarted, or another one, has not seen it: a refused
/// token is all they know.
#[test]
fn only_who_lost_the_answer_can_name_it() {
    let one_loss = Protocol { losses: 1, ..calm(Reuse::Revokes, Driver::Ours) };
    assert_eq!(broken(one_loss), BTreeSet::from([NEVER_LOST, ALWAYS_NAMED]));
}

#[test]
fn tokens_that_are_refused_early_are_renewed_once_however_long_the_next_ones_live() {
    for lifetimes in [Lifetimes::Longer, Lifetimes::Shorter] {
        for reuse in [Reuse::Revokes, Reuse::Window] {
            assert_eq!(broken(refusing(reuse, lifetimes)), BTreeSet::new(), "{reuse:?}, {lifetimes:?}");
        }
    }
    let rough = Protocol { crashes: 1, losses: 1, ..refusing(Reuse::Window, Lifetimes::Shorter) };
    assert_eq!(broken(rough), BTreeSet::new());
}

#[test]
fn a_driver_that_takes_no_lock_is_found() {
    let found = broken(calm(Reuse::Revokes, Driver::TakesNoLock));
    assert!(found.is_superset(&[SENT_ONCE, ONE_SPENDS, LOST_BY_A_CUT].into()), "{found:?}");
}

#[test]
fn a_driver_that_does_not_read_again_under_the_lock_is_found() {
    let found = broken(calm(Reuse::Revokes, Driver::DoesNotReadAgain));
    assert!(found.is_superset(&[SENT_ONCE, LOST_BY_A_CUT].into()), "{found:?}");
    let found = broken(calm(Reuse::Window, Driver::DoesNotReadAgain));
    assert!(found.contains(NEVER_LOST), "{found:?}");
}

#[test]
fn a_driver_that_publishes_before_it_stores_is_found() {
    let found = broken(calm(Reuse::Window, Driver::PublishesBeforeItStores));
    assert_eq!(found, BTreeSet::from([LEASE_IS_STORED]));
}

#[test]
fn a_driver_that_frees_the_lock_before_it_stores_is_found() {
    let found = broken(calm(Reuse::Window, Driver::FreesTheLockBeforeItStores));
    assert!(found.is_superset(&[ONE_SPENDS, WHOLE_FILE].into()), "{found:?}");
}

#[test]
fn a_store_that_writes_in_place_is_found() {
    let model = Protocol { crashes: 1, ..calm(Reuse::Window, Driver::WritesInPlace) };
    assert!(broken(model).contains(WHOLE_FILE));
}

#[test]
fn a_driver_that_never_frees_the_lock_is_found() {
    let found = broken(calm(Reuse::Window, Driver::KeepsTheLock));
    assert_eq!(found, BTreeSet::from([USABLE_AT_THE_END]));
}

#[test]
fn a_driver_that_takes_a_loss_for_a_request_never_sent_is_found() {
    let model = Protocol { losses: 1, ..calm(Reuse::Revokes, Driver::CallsALossNotSent) };
    assert!(broken(model).contains(NAMES_THE_LOSS));
}

/// The disk fails once; nothing crashes and no answer is lost.
fn failing(reuse: Reuse, driver: Driver) -> Protocol {
    Protocol { disk_failures: 1, ..calm(reuse, driver) }
}

#[test]
fn a_failing_disk_costs_no_login_while_the_lock_is_kept_until_the_file_is_written() {
    for reuse in [Reuse::Revokes, Reuse::Window] {
        // What was not stored is served from memory meanwhile, as promised.
        let found = broken(failing(reuse, Driver::Ours));
        assert_eq!(found, BTreeSet::from([LEASE_IS_STORED]), "{reuse:?}");
    }
}

#[test]
fn a_driver_that_frees_the_lock_over_tokens_that_are_not_stored_is_found() {
    let found = broken(failing(Reuse::Revokes, Driver::FreesTheLockOverUnstoredTokens));
    assert!(found.contains(NEVER_LOST), "{found:?}");
    let found = broken(failing(Reuse::Window, Driver::FreesTheLockOverUnstoredTokens));
    assert!(found.contains(WHOLE_FILE), "{found:?}");
}
