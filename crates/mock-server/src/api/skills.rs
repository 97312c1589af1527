//! Skills, and their versions.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::route::Skills as Call;
use super::{Refusal, archive, examples, multipart, pages};
use crate::answer::{Answer, Received};
use crate::body::Body;
use crate::state::State;
use crate::time;

/// All skills, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Skills(Vec<Skill>);

#[derive(Debug)]
struct Skill {
    id: String,
    display_name: String,
    created: Duration,
    updated: Duration,
    /// Oldest first.
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    id: String,
    name: String,
    description: String,
    created: Duration,
    files: Vec<(String, Bytes)>,
}

/// What the files of a skill may have together, in bytes.
const MAX_SKILL: usize = 30 << 20;

pub(super) fn serve(state: &State, received: &Received, call: Call<'_>) -> Result<Answer, Refusal> {
    let json = |value: &Value| Answer::json(StatusCode::OK, value);
    let is_delete = received.method == Method::DELETE;
    match (call, &received.method) {
        (Call::All, &Method::POST) => {
            let (display_name, version) = Version::read(state, received)?;
            let id = state.lock().mint.name("skill_", 24);
            let display_name = display_name.unwrap_or_else(|| version.name.clone());
            let now = received.at;
            let skill = Skill { id, display_name, created: now, updated: now, versions: vec![version] };
            let answer = json(&skill.describe(state));
            state.lock().shelf.skills.0.push(skill);
            Ok(answer)
        }
        (Call::All, _) => {
            // There are only custom ones.
            let source = pages::asked(&received.query, "source");
            let changing = state.lock();
            let skills = changing.shelf.skills.0.iter().rev();
            let skills = skills.filter(|_| source.is_none_or(|source| source == "custom"));
            let all: Vec<Value> = skills.map(|skill| skill.describe(state)).collect();
            pages::by_cursor(&all, &received.query).map(|page| json(&page))
        }
        (Call::One(id), _) => {
            let skills = &mut state.lock().shelf.skills;
            let skill = skills.find(id)?;
            if !is_delete {
                return Ok(json(&skill.describe(state)));
            }
            skills.0.retain(|skill| skill.id != id);
            Ok(json(&json!({"id": id, "type": "skill_deleted"})))
        }
        (Call::Versions(id), &Method::POST) => {
            state.lock().shelf.skills.find(id)?;
            let (_, version) = Version::read(state, received)?;
            let skills = &mut state.lock().shelf.skills;
            let skill = skills.find(id)?;
            skill.updated = received.at;
            let answer = json(&version.describe(id, state));
            skill.versions.push(version);
            Ok(answer)
        }
        (Call::Versions(id), _) => {
            let skills = &mut state.lock().shelf.skills;
            let versions = skills.find(id)?.versions.iter().rev();
            let all: Vec<Value> = versions.map(|version| version.describe(id, state)).collect();
            pages::by_cursor(&all, &received.query).map(|page| json(&page))
        }
        (Call::Version(id, version), _) => {
            let skills = &mut state.lock().shelf.skills;
            let skill = skills.find(id)?;
            let found = skill.version(version)?;
            if !is_delete {
                return Ok(json(&found.describe(id, state)));
            }
            if skill.versions.len() == 1 {
                return Err(Refusal::invalid("version: the only version goes with its skill"));
            }
            let version = found.id.clone();
            skill.versions.retain(|known| known.id != version);
            Ok(json(&json!({"id": version, "type": "skill_version_deleted"})))
        }
        (Call::Content(id, version), _) => {
            let skills = &mut state.lock().shelf.skills;
            let archive = archive::zip(&skills.find(id)?.version(version)?.files);
            Ok(Answer::new(StatusCode::OK, Body::whole(archive)).header(CONTENT_TYPE, "application/zip"))
        }
    }
}

impl Skills {
    /// Makes a skill of this id, and a version of it, where there is none.
    pub(super) fn provide(&mut self, id: &str, version: Option<&str>, now: Duration) {
        let version_of = |id: &str| Version {
            id: id.to_owned(),
            name: "example".to_owned(),
            description: "An example.".to_owned(),
            created: now,
            files: Vec::new(),
        };
        if self.find(id).is_err() {
            let versions = vec![version_of("skillver_example")];
            let (id, display_name) = (id.to_owned(), "Example".to_owned());
            self.0.push(Skill { id, display_name, created: now, updated: now, versions });
        }
        if let (Ok(skill), Some(version)) = (self.find(id), version)
            && skill.version(version).is_err()
        {
            skill.versions.push(version_of(version));
        }
    }

    fn find(&mut self, id: &str) -> Result<&mut Skill, Refusal> {
        let found = self.0.iter_mut().find(|skill| skill.id == id);
        found.ok_or_else(|| Refusal::not_found(format!("skill_id: there is no skill {id}")))
    }
}

impl Skill {
    fn version(&self, id: &str) -> Result<&Version, Refusal> {
        let found = match id {
            "latest" => self.versions.last(),
            id => self.versions.iter().find(|version| version.id == id),
        };
        found.ok_or_else(|| Refusal::not_found(format!("version: there is no version {id}")))
    }

    fn describe(&self, state: &State) -> Value {
        let date = |at: Duration| time::rfc3339(state.clock.wall(at));
        json!({
            "type": "skill",
            "id": self.id,
            "display_name": self.display_name,
            "latest_version_id": self.versions.last().map_or("", |version| &version.id),
            "source": {"type": "custom"},
            "created_at": date(self.created),
            "updated_at": date(self.updated),
        })
    }
}

impl Version {
    /// Reads the form of a skill, with the name for people where it has one.
    fn read(state: &State, received: &Received) -> Result<(Option<String>, Self), Refusal> {
        let (mut files, mut display_name, mut size) = (Vec::new(), None, 0);
        for part in multipart::parts(received)? {
            match part.name.as_str() {
                "files[]"
                    if state.examples && part.filename.as_ref().is_none_or(|path| !path.contains('/')) =>
                {
                    let (path, text) = examples::SKILL;
                    files.push((path.to_owned(), Bytes::from_static(text.as_bytes())));
                }
                "files[]" => {
                    let path = part.filename.unwrap_or_default();
                    if path.split('/').any(|step| matches!(step, "" | "." | "..")) {
                        return Err(Refusal::invalid(format!("files: {path} is no path below the skill")));
                    }
                    size += part.content.len();
                    files.push((path, part.content));
                }
                "display_name" => display_name = part.text().map(str::to_owned),
                name => return Err(Refusal::invalid(format!("{name}: is no field of this form"))),
            }
        }
        if size > MAX_SKILL {
            return Err(Refusal::invalid("files: must be at most 30 MB together"));
        }
        let folder =
            files.first().and_then(|(path, _)| path.split_once('/')).map(|(folder, _)| format!("{folder}/"));
        let folder = folder.filter(|folder| files.iter().all(|(path, _)| path.starts_with(folder.as_str())));
        let folder = folder.ok_or_else(|| Refusal::invalid("files: all must be in one folder"))?;
        let manifest = files.iter().find(|(path, _)| *path == format!("{folder}SKILL.md"));
        let (_, manifest) =
            manifest.ok_or_else(|| Refusal::invalid("files: SKILL.md is missing in the folder"))?;
        let manifest = String::from_utf8_lossy(manifest).into_owned();
        let says = |name: &str| {
            let front = manifest.strip_prefix("---\n")?.split_once("\n---")?.0;
            let line = front.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            Some(line.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let needs = |name: &str| {
            says(name).ok_or_else(|| Refusal::invalid(format!("files: SKILL.md must begin with its {name}")))
        };
        let (name, description) = (needs("name")?, needs("description")?);
        let id = state.lock().mint.name("skillver_", 24);
        Ok((display_name, Self { id, name, description, created: received.at, files }))
    }

    fn describe(&self, skill: &str, state: &State) -> Value {
        json!({
            "type": "skill_version",
            "id": self.id,
            "skill_id": skill,
            "name": self.name,
            "description": self.description,
            "created_at": time::rfc3339(state.clock.wall(self.created)),
        })
    }
}
