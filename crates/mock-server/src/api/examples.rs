//! What the examples of documentation take for granted: whatever a call names is there.

use super::Shelf;
use super::route::{Batches, Call, Files, Profiles, Skills};
use crate::answer::Received;
use crate::state::State;

/// The files of a skill whose upload has none, as examples have it.
pub(super) const SKILL: (&str, &str) =
    ("example/SKILL.md", "---\nname: example\ndescription: An example.\n---\nAn example.");

/// Makes what a call names where nobody has, and leaves out of its query what stands for a value.
pub(super) fn provide(state: &State, received: &Received, call: Call<'_>) -> Received {
    make(&mut state.lock().shelf, received, call);
    let mut received = received.clone();
    received.query.retain(|(name, value)| !is_placeholder(name, value));
    received
}

fn make(shelf: &mut Shelf, received: &Received, call: Call<'_>) {
    let now = received.at;
    match call {
        Call::Batches(Batches::One(id) | Batches::Cancel(id) | Batches::Results(id)) => {
            shelf.batches.provide(id, now);
        }
        Call::Files(Files::One(id) | Files::Content(id)) => shelf.files.provide(id, now),
        Call::Skills(Skills::One(id) | Skills::Versions(id)) => shelf.skills.provide(id, None, now),
        Call::Skills(Skills::Version(id, version) | Skills::Content(id, version)) => {
            shelf.skills.provide(id, Some(version), now);
        }
        Call::Profiles(Profiles::One(id) | Profiles::ActionUrls(id) | Profiles::EnrollmentUrl(id)) => {
            shelf.profiles.provide(id, now);
        }
        _ => {}
    }
}

/// Generated examples have a parameter's name for its value, or the name of its type.
fn is_placeholder(name: &str, value: &str) -> bool {
    value == name || value == "string"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_for_a_value_says_nothing() {
        assert!(is_placeholder("page", "page") && is_placeholder("ids[]", "string"));
        assert!(!is_placeholder("page", "page_1") && !is_placeholder("limit", "1"));
    }
}
