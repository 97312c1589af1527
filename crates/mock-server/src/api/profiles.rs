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

/// What the route asks for that is a beta.
const BETA: &str = "user-profiles-2026-08-18";
/// How long a link works.
const LINK: Duration = Duration::from_secs(3600);
/// What may be said of a user.
const USER: [&str; 7] =
    ["account_status", "country", "email_hash", "entity_type", "name_hash", "onboarded_at", "reference_id"];

pub(super) fn serve(state: &State, received: &Received, call: Call<'_>) -> Result<Answer, Refusal> {
    let json = |value: &Value| Answer::json(StatusCode::OK, value);
    let now = received.at;
    match (call, &received.method) {
        (Call::All, &Method::POST) => {
            let mut profile = Profile {
                id: state.lock().mint.name("uprof_", 24),
                created: now,
                updated: now,
                access_type: "application".to_owned(),
                name: None,
                user: Map::new(),
                metadata: Map::new(),
            };
            profile.change(&ask::object(&received.body)?)?;
            let answer = json(&profile.describe(state));
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
            let all: Vec<Value> = profiles.into_iter().map(|profile| profile.describe(state)).collect();
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
            profile.change(&members)?;
            profile.updated = now;
            Ok(json(&profile.describe(state)))
        }
        (Call::One(id), _) => Ok(json(&state.lock().shelf.profiles.find(id)?.describe(state))),
        (Call::ActionUrls(id), _) => {
            let members = ask::object(&received.body)?;
            if members.get("action").and_then(|action| action["type"].as_str()) != Some("enroll_end_user") {
                return Err(Refusal::invalid("action.type: must be enroll_end_user"));
            }
            link(state, now, id, "user_profile_action_url").map(|link| json(&link))
        }
        (Call::EnrollmentUrl(id), _) => {
            let betas = received.headers.get_all("anthropic-beta").iter();
            let mut betas = betas.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
            if !betas.any(|beta| beta.trim() == BETA) {
                return Err(Refusal::not_found(format!("anthropic-beta: this route needs {BETA}")));
            }
            link(state, now, id, "enrollment_url").map(|link| json(&link))
        }
    }
}

fn link(state: &State, now: Duration, id: &str, kind: &str) -> Result<Value, Refusal> {
    let changing = &mut *state.lock();
    changing.shelf.profiles.find(id)?;
    let url = state.url(&format!("/enroll/{}", changing.mint.name("", 24)));
    Ok(json!({"type": kind, "url": url.as_str(), "expires_at": time::rfc3339(state.clock.wall(now + LINK))}))
}

impl Profiles {
    fn find(&mut self, id: &str) -> Result<&mut Profile, Refusal> {
        let found = self.0.iter_mut().find(|profile| profile.id == id);
        found.ok_or_else(|| Refusal::not_found(format!("user_profile_id: there is no profile {id}")))
    }
}

impl Profile {
    /// Takes over what is said; nothing where a part of it is wrong.
    fn change(&mut self, members: &Map<String, Value>) -> Result<(), Refusal> {
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
                ("name", Value::String(name)) => changed.1 = Some(name.clone()),
                ("external_user_details", Value::Object(user))
                    if user.keys().all(|name| USER.contains(&name.as_str())) =>
                {
                    changed.2.extend(user.clone());
                }
                ("metadata", Value::Object(texts)) if texts.values().all(Value::is_string) => {
                    changed.3.extend(texts.clone());
                    changed.3.retain(|_, text| text != "");
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
}
