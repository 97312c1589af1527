//! Files: put here by clients, or made by tools, until they expire.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::route::Files as Call;
use super::{Refusal, multipart, pages};
use crate::answer::{Answer, Received};
use crate::body::Body;
use crate::state::State;
use crate::time;

/// All files, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Files(Vec<File>);

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    id: String,
    filename: String,
    mime_type: String,
    content: Bytes,
    created: Duration,
    expires: Option<Duration>,
    /// Only what tools have made can be got back.
    downloadable: bool,
}

/// The largest file, in bytes.
const MAX_FILE: usize = 500 << 20;

pub(super) fn serve(state: &State, received: &Received, call: Call<'_>) -> Result<Answer, Refusal> {
    let json = |value: &Value| Answer::json(StatusCode::OK, value);
    let now = received.at;
    match (call, &received.method) {
        (Call::All, &Method::POST) => {
            let file = File::read(state, received)?;
            let answer = json(&file.describe(state));
            state.lock().shelf.files.0.push(file);
            Ok(answer)
        }
        (Call::All, _) => {
            let changing = state.lock();
            let files = changing.shelf.files.0.iter().rev().filter(|file| file.is_there(now));
            list(&files.collect::<Vec<_>>(), state, received).map(|page| json(&page))
        }
        (Call::One(id), &Method::DELETE) => {
            let files = &mut state.lock().shelf.files;
            files.find(id, now)?;
            files.0.retain(|file| file.id != id);
            Ok(json(&json!({"id": id, "type": "file_deleted"})))
        }
        (Call::One(id), _) => Ok(json(&state.lock().shelf.files.find(id, now)?.describe(state))),
        (Call::Content(id), _) => {
            let changing = state.lock();
            let file = changing.shelf.files.find(id, now)?;
            if !file.downloadable {
                let refusal = Refusal::invalid("file_id: a file that was uploaded cannot be downloaded");
                return Err(refusal.coded("file_not_downloadable"));
            }
            let mut answer = Answer::new(StatusCode::OK, Body::whole(file.content.clone()));
            for (name, value) in [
                (CONTENT_TYPE, file.mime_type.clone()),
                (CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.filename)),
            ] {
                if let Ok(value) = HeaderValue::try_from(value) {
                    answer = answer.header(name, value);
                }
            }
            Ok(answer)
        }
    }
}

fn list(files: &[&File], state: &State, received: &Received) -> Result<Value, Refusal> {
    let ids: Vec<&str> =
        received.query.iter().filter(|(name, _)| name == "ids[]").map(|(_, id)| id.as_str()).collect();
    if ids.is_empty() {
        let all: Vec<Value> = files.iter().map(|file| file.describe(state)).collect();
        return pages::by_cursor(&all, &received.query);
    }
    if ids.len() > 100 {
        return Err(Refusal::invalid("ids: must be at most 100"));
    }
    if ["page", "limit"].iter().any(|name| pages::asked(&received.query, name).is_some()) {
        return Err(Refusal::invalid("ids: cannot be combined with page or limit"));
    }
    let some = files.iter().filter(|file| ids.contains(&file.id.as_str()));
    Ok(json!({"data": some.map(|file| file.describe(state)).collect::<Vec<_>>(), "next_page": null}))
}

impl Files {
    /// Puts a file here that a tool might have made, and gives its id.
    pub(crate) fn put(&mut self, file: File) -> String {
        let id = file.id.clone();
        self.0.push(file);
        id
    }

    /// Makes a file of this id where there is none.
    pub(super) fn provide(&mut self, id: &str, now: Duration) {
        if self.find(id, now).is_err() {
            self.0.push(File::made(id.to_owned(), "example.txt", "text/plain", Bytes::from("example"), now));
        }
    }

    fn find(&self, id: &str, now: Duration) -> Result<&File, Refusal> {
        let found = self.0.iter().find(|file| file.id == id);
        let file = found.ok_or_else(|| Refusal::not_found(format!("file_id: there is no file {id}")))?;
        if !file.is_there(now) {
            return Err(
                Refusal::not_found(format!("file_id: the file {id} has expired")).coded("file_expired")
            );
        }
        Ok(file)
    }
}

impl File {
    /// A file that can be got back.
    pub(crate) fn made(id: String, filename: &str, mime_type: &str, content: Bytes, now: Duration) -> Self {
        let (filename, mime_type) = (filename.to_owned(), mime_type.to_owned());
        Self { id, filename, mime_type, content, created: now, expires: None, downloadable: true }
    }

    /// Reads the form of `POST /v1/files`.
    fn read(state: &State, received: &Received) -> Result<Self, Refusal> {
        let (mut file, mut expires) = (None, None);
        for part in multipart::parts(received)? {
            match part.name.as_str() {
                "file" if file.is_none() => file = Some(part),
                "expires_in_seconds" => {
                    let seconds = part.text().and_then(|text| text.parse().ok());
                    let seconds = seconds.filter(|seconds| (3600..=7_776_000).contains(seconds));
                    expires = Some(seconds.ok_or_else(|| {
                        Refusal::invalid("expires_in_seconds: must be a number from 3600 to 7776000")
                    })?);
                }
                name => return Err(Refusal::invalid(format!("{name}: is no field of this form"))),
            }
        }
        let file = file.ok_or_else(|| Refusal::invalid("file: field required"))?;
        if file.content.len() > MAX_FILE {
            return Err(Refusal::invalid("file: must be at most 500 MB"));
        }
        let filename = file.filename.unwrap_or_default();
        let filename = filename.rsplit(['/', '\\']).next().filter(|name| !name.is_empty());
        Ok(Self {
            id: state.lock().mint.name("file_", 24),
            filename: filename.unwrap_or("unnamed").to_owned(),
            mime_type: file.mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            content: file.content,
            created: received.at,
            expires: expires.map(|seconds| received.at + Duration::from_secs(seconds)),
            downloadable: false,
        })
    }

    fn is_there(&self, now: Duration) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    fn describe(&self, state: &State) -> Value {
        let date = |at: Duration| time::rfc3339(state.clock.wall(at));
        json!({
            "type": "file",
            "id": self.id,
            "filename": self.filename,
            "mime_type": self.mime_type,
            "size_bytes": self.content.len(),
            "created_at": date(self.created),
            "expires_at": self.expires.map(date),
            "downloadable": self.downloadable,
        })
    }
}
