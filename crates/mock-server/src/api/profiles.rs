//! User profiles.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::route::Profiles as Call;
use super::{Refusal, ask, pages};
use crate::answer::{Answer, Received};
use crate::state::State;
use crate::time;

/// All profiles, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Profiles(Vec<Profile>);

#[derive(Debug)]
struct Profile {
    id: String,
    created: Duration,
    updated: Duration,
    access_type: String,
    name: Option<String>,
    user: Map<String, Value>,
    metadata: Map<String, Value>,
}

/// The beta that has one more route, and profiles of an older form.
const BETA: &str = "user-profiles-2026-08-18";
/// What a profile does not have there.
const ABSENT: [&str; 4] = ["enforcement_actions", "enforcement_status", "external_user_details", "programs"];
/// The longest name, in characters.
const MAX_NAME: usize = 255;
/// How many keys the metadata may have.
const MAX_NOTES: usize = 16;
/// How long a link works.
const LINK: Duration = Duration::from_secs(3600);
/// What may be said of a user.
const USER: [&str; 7] =
    ["account_status", "country", "email_hash", "entity_type", "name_hash", "onboarded_at", "reference_id"];

pub(super) fn serve(state: &State, received: &Received, call: Call<'_>) -> Result<Answer, Refusal> {
    let json = |value: &Value| Answer::json(StatusCode::OK, value);
    let now = received.at;
    let legacy = is_legacy(received);
    let describe =
        |profile: &Profile| if legacy { profile.describe_legacy(state) } else { profile.describe(state) };
    match (call, &received.method) {
        (Call::All, &Method::POST) => {
            let mut profile = Profile::new(state.lock().mint.name("uprof_", 24), now);
            profile.change(&ask::object(&received.body)?, legacy)?;
            let answer = json(&describe(&profile));
            state.lock().shelf.profiles.0.push(profile);
            Ok(answer)
        }
        (Call::All, _) => {
            let wanted: Vec<&str> = received
                .query
                .iter()
                .filter(|(name, _)| name == "enforcement_status[]")
                .map(|(_, status)| status.as_str())
                .collect();
            let changing = state.lock();
            let mut profiles: Vec<&Profile> = changing.shelf.profiles.0.iter().collect();
            // Nobody is restricted here.
            profiles.retain(|_| wanted.is_empty() || wanted.contains(&"unrestricted"));
            match pages::asked(&received.query, "order_by") {
                None | Some("created_at") => {}
                Some("name") => profiles.sort_by_key(|profile| profile.name.clone()),
                Some(_) => return Err(Refusal::invalid("order_by: must be created_at or name")),
            }
            match pages::asked(&received.query, "order") {
                Some("asc") => {}
                None | Some("desc") => profiles.reverse(),
                Some(_) => return Err(Refusal::invalid("order: must be asc or desc")),
            }
            let all: Vec<Value> = profiles.into_iter().map(describe).collect();
            pages::by_cursor(&all, &received.query).map(|page| json(&page))
        }
        (Call::One(id), &Method::DELETE) => {
            let profiles = &mut state.lock().shelf.profiles;
            profiles.find(id)?;
            profiles.0.retain(|profile| profile.id != id);
            Ok(json(&json!({"id": id, "type": "user_profile_deleted"})))
        }
        (Call::One(id), &Method::POST) => {
            let members = ask::object(&received.body)?;
            let profiles = &mut state.lock().shelf.profiles;
            let profile = profiles.find(id)?;
            profile.change(&members, legacy)?;
            profile.updated = now;
            Ok(json(&describe(profile)))
        }
        (Call::One(id), _) => Ok(json(&describe(state.lock().shelf.profiles.find(id)?))),
        (Call::ActionUrls(id), _) => {
            let members = ask::object(&received.body)?;
            if members.get("action").and_then(|action| action["type"].as_str()) != Some("enroll_end_user") {
                return Err(Refusal::invalid("action.type: must be enroll_end_user"));
            }
            link(state, now, id, "user_profile_action_url").map(|link| json(&link))
        }
        (Call::EnrollmentUrl(id), _) => {
            if !legacy {
                return Err(Refusal::not_found(format!("anthropic-beta: this route needs {BETA}")));
            }
            link(state, now, id, "enrollment_url").map(|link| json(&link))
        }
    }
}

fn is_at_most(text: &str, most: usize) -> bool {
    text.chars().count() <= most
}

/// Whether a key and its text may be in the metadata.
fn is_note(key: &str, text: &Value) -> bool {
    is_at_most(key, 64) && text.as_str().is_some_and(|text| is_at_most(text, 512))
}

/// Whether a call is one of the beta, in which a profile has fewer members.
fn is_legacy(received: &Received) -> bool {
    let betas = received.headers.get_all("anthropic-beta").iter();
    let mut betas = betas.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    betas.any(|beta| beta.trim() == BETA)
}

fn link(state: &State, now: Duration, id: &str, kind: &str) -> Result<Value, Refusal> {
    let changing = &mut *state.lock();
    changing.shelf.profiles.find(id)?;
    let url = state.url(&format!("/enroll/{}", changing.mint.name("", 24)));
    Ok(json!({"type": kind, "url": url.as_str(), "expires_at": time::rfc3339(state.clock.wall(now + LINK))}))
}

impl Profiles {
    /// Makes a profile of this id where there is none.
    pub(super) fn provide(&mut self, id: &str, now: Duration) {
        if self.find(id).is_err() {
            self.0.push(Profile::new(id.to_owned(), now));
        }
    }

    fn find(&mut self, id: &str) -> Result<&mut Profile, Refusal> {
        let found = self.0.iter_mut().find(|profile| profile.id == id);
        found.ok_or_else(|| Refusal::not_found(format!("user_profile_id: there is no profile {id}")))
    }
}

impl Profile {
    fn new(id: String, now: Duration) -> Self {
        let access_type = "application".to_owned();
        let (user, metadata) = (Map::new(), Map::new());
        Self { id, created: now, updated: now, access_type, name: None, user, metadata }
    }

    /// Takes over what is said; nothing where a part of it is wrong.
    fn change(&mut self, members: &Map<String, Value>, legacy: bool) -> Result<(), Refusal> {
        let mut changed =
            (self.access_type.clone(), self.name.clone(), self.user.clone(), self.metadata.clone());
        for (member, value) in members {
            match (member.as_str(), value) {
                ("access_type" | "external_user_details" | "metadata", Value::Null) => {}
                ("access_type", Value::String(access))
                    if matches!(access.as_str(), "application" | "passthrough") =>
                {
                    changed.0.clone_from(access);
                }
                ("name", Value::Null) => changed.1 = None,
                ("name", Value::String(name)) if is_at_most(name, MAX_NAME) => {
                    changed.1 = Some(name.clone());
                }
                ("external_id" | "external_user_onboarded_at", Value::Null) if legacy => {}
                ("external_id", Value::String(_)) if legacy => {
                    changed.2.insert("reference_id".to_owned(), value.clone());
                }
                ("external_user_onboarded_at", Value::String(_)) if legacy => {
                    changed.2.insert("onboarded_at".to_owned(), value.clone());
                }
                ("external_user_details", Value::Object(user))
                    if !legacy && user.keys().all(|name| USER.contains(&name.as_str())) =>
                {
                    changed.2.extend(user.clone());
                }
                ("metadata", Value::Object(texts)) if texts.iter().all(|(key, text)| is_note(key, text)) => {
                    changed.3.extend(texts.clone());
                    changed.3.retain(|_, text| text != "");
                    if changed.3.len() > MAX_NOTES {
                        return Err(Refusal::invalid(format!(
                            "metadata: must have at most {MAX_NOTES} keys"
                        )));
                    }
                }
                (member, _) => {
                    return Err(Refusal::invalid(format!("{member}: is not what is expected here")));
                }
            }
        }
        (self.access_type, self.name, self.user, self.metadata) = changed;
        Ok(())
    }

    fn describe(&self, state: &State) -> Value {
        let date = |at: Duration| time::rfc3339(state.clock.wall(at));
        let user: Map<String, Value> = USER
            .iter()
            .map(|name| ((*name).to_owned(), self.user.get(*name).cloned().unwrap_or_default()))
            .collect();
        json!({
            "type": "user_profile",
            "id": self.id,
            "access_type": self.access_type,
            "name": self.name,
            "enforcement_status": "unrestricted",
            "enforcement_actions": [],
            "external_user_details": user,
            "metadata": self.metadata,
            "programs": {"cyber": null, "efs": null},
            "created_at": date(self.created),
            "updated_at": date(self.updated),
        })
    }

    fn describe_legacy(&self, state: &State) -> Value {
        let mut profile = self.describe(state);
        if let Some(members) = profile.as_object_mut() {
            members.retain(|name, _| !ABSENT.contains(&name.as_str()));
            let said = |name: &str| self.user.get(name).cloned().unwrap_or_default();
            members.insert("external_id".to_owned(), said("reference_id"));
            members.insert("external_user_onboarded_at".to_owned(), said("onboarded_at"));
            members.insert("trust_grants".to_owned(), json!({}));
        }
        profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(members: &Value, legacy: bool) -> Option<String> {
        let mut profile = Profile::new("uprof_1".to_owned(), Duration::ZERO);
        profile.change(members.as_object().unwrap(), legacy).err().map(|refusal| refusal.message)
    }

    #[test]
    fn a_profile_has_only_what_the_reference_gives_it_and_not_too_much() {
        let notes =
            |count: usize| (0..count).map(|number| (format!("k{number}"), json!("v"))).collect::<Map<_, _>>();
        let wrong = |member: &str| Some(format!("{member}: is not what is expected here"));
        let cases = [
            (json!({"name": "n".repeat(255), "metadata": notes(16), "access_type": "passthrough"}), None),
            (json!({"name": "n".repeat(256)}), wrong("name")),
            (json!({"metadata": notes(17)}), Some("metadata: must have at most 16 keys".to_owned())),
            (json!({"metadata": {"k".repeat(65): "v"}}), wrong("metadata")),
            (json!({"metadata": {"k": "v".repeat(513)}}), wrong("metadata")),
            (json!({"metadata": {"k": 1}}), wrong("metadata")),
            (json!({"access_type": "owner"}), wrong("access_type")),
            (json!({"external_user_details": {"shoe_size": 43}}), wrong("external_user_details")),
            (json!({"external_id": "x"}), wrong("external_id")),
            (json!({"colour": "x"}), wrong("colour")),
        ];
        for (members, message) in cases {
            assert_eq!(told(&members, false), message, "{members}");
        }
        assert_eq!(told(&json!({"external_id": "x"}), true), None);
    }
}
