use bytes::Bytes;

use super::{
    List, Paging, call,
    files::{Download, download, mime_type},
    multipart::Form,
    route::{Query, segment},
    source::Source,
};
use crate::{
    client::Client,
    error::{ConfigError, Error},
    reply::Reply,
    types::{Deleted, Skill, SkillVersion},
};

/// Skills, and their versions (`/v1/skills`).
///
/// ```
/// use claude_sdk::{Client, SkillFiles};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let instructions = "---\nname: haiku\ndescription: Writes haiku.\n---\nFive, seven, five.";
/// let files = SkillFiles::new().file("haiku/SKILL.md", instructions);
/// let skill = client.skills().create(Some("Haiku"), files).await?;
/// let version = client.skills().version(&skill.id, "latest").await?;
/// assert_eq!(version.description.as_deref(), Some("Writes haiku."));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Skills<'a>(pub(crate) &'a Client);

const SKILLS: &str = "v1/skills";
/// What the files of a skill may have together, in bytes (API documentation: 30 MB, read generously).
const SKILL_LIMIT: u64 = 30 << 20;

impl Skills<'_> {
    /// Creates a skill of files (`POST /v1/skills`); without a name for people, it is called as its `SKILL.md` says.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where the files are larger than 30 MB together, and any [`Error`] of a call.
    pub async fn create(self, display_name: Option<&str>, files: SkillFiles) -> Result<Reply<Skill>, Error> {
        call::submit(self.0, SKILLS, files.form(display_name)?).await
    }

    /// The skills, newest first (`GET /v1/skills`); of one source alone with `.query("source", "custom")`.
    pub fn list(self) -> List<Skill> {
        List::new(self.0, SKILLS, Paging::Cursor)
    }

    /// One skill (`GET /v1/skills/{skill_id}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn get(self, id: &str) -> Result<Reply<Skill>, Error> {
        call::get(self.0, &format!("{SKILLS}/{}", segment(id)?)).await
    }

    /// Deletes a skill (`DELETE /v1/skills/{skill_id}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn delete(self, id: &str) -> Result<Reply<Deleted>, Error> {
        call::delete(self.0, &format!("{SKILLS}/{}", segment(id)?)).await
    }

    /// Creates a new version of a skill (`POST /v1/skills/{skill_id}/versions`).
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn create_version(self, id: &str, files: SkillFiles) -> Result<Reply<SkillVersion>, Error> {
        call::submit(self.0, &versions(id)?, files.form(None)?).await
    }

    /// The versions of a skill, newest first (`GET /v1/skills/{skill_id}/versions`).
    #[inline]
    pub fn versions(self, id: &str) -> List<SkillVersion> {
        List::of(self.0, versions(id), Query::default(), Paging::Cursor)
    }

    /// One version of a skill (`GET /v1/skills/{skill_id}/versions/{version}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn version(self, id: &str, version: &str) -> Result<Reply<SkillVersion>, Error> {
        call::get(self.0, &format!("{}/{}", versions(id)?, segment(version)?)).await
    }

    /// Deletes a version of a skill (`DELETE /v1/skills/{skill_id}/versions/{version}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn delete_version(self, id: &str, version: &str) -> Result<Reply<Deleted>, Error> {
        call::delete(self.0, &format!("{}/{}", versions(id)?, segment(version)?)).await
    }

    /// The files of a version, as one archive (`GET /v1/skills/{skill_id}/versions/{version}/content`, beta).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn download_version(self, id: &str, version: &str) -> Result<Download, Error> {
        download(self.0, &format!("{}/{}/content", versions(id)?, segment(version)?)).await
    }
}

#[inline]
fn versions(id: &str) -> Result<String, ConfigError> {
    Ok(format!("{SKILLS}/{}/versions", segment(id)?))
}

/// The files of a skill: all in one folder, with a `SKILL.md` in it.
///
/// Example: [`Skills`](crate::Skills).
#[derive(Debug, Default)]
#[must_use = "give it to skills().create() or skills().create_version()"]
pub struct SkillFiles(Vec<(String, Source)>);

impl SkillFiles {
    /// No files yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file by its path in the skill, such as `haiku/SKILL.md`.
    pub fn file(mut self, path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        self.0.push((path.into(), Source::Bytes(content.into())));
        self
    }

    /// Adds a file of this machine by its path in the skill; it is read when it is sent.
    pub fn path(mut self, path: impl Into<String>, file: impl Into<std::path::PathBuf>) -> Self {
        self.0.push((path.into(), Source::Path(file.into())));
        self
    }

    #[inline]
    fn form(self, display_name: Option<&str>) -> Result<Form, Error> {
        let mut form = Form::new(SKILL_LIMIT, None)?;
        if let Some(name) = display_name {
            form.text("display_name", name);
        }
        for (path, source) in self.0 {
            form.file("files[]", &path, mime_type(&path), source);
        }
        Ok(form)
    }
}
