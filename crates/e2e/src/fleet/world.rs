//! A server, a folder with a session of it, and the program that uses it.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use auth_core::{AuthorizationRequest, Client, ScopeSet, Server, Wire, exchange};
use bytes::Bytes;
use claude_sdk::profile::{self, Profile, ProfileName, Profiles};
use claude_sdk::token_store::{FileTokenStore, TokenStore as _};
use mock_server::{Builder, MockServer, leaks};
use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::process::Command;
use transport::backends::Reqwest;
use transport::{Clock as _, HttpBackend as _, SystemClock};
use url::Url;

use super::Member;

/// The name of the profile that holds the session.
pub const PROFILE: &str = "shared";
const SCOPES: &str = "user:profile user:inference";
/// Nobody listens there: the redirect is read from the answer that would send a browser to it.
const REDIRECT: &str = "http://127.0.0.1:1/callback";

/// A server and a folder that holds a session of it.
#[derive(Debug)]
pub struct World {
    /// The server, for the test to read and to turn.
    pub server: MockServer,
    folder: TempDir,
    program: PathBuf,
    measured: bool,
    backend: Reqwest,
}

/// What a file holds: both tokens of one answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    access: String,
    refresh: String,
}

impl World {
    /// Starts the server and logs in. `program` is the path of the program `session`.
    ///
    /// # Errors
    ///
    /// When anything of that fails.
    pub async fn start(server: Builder, program: impl Into<PathBuf>) -> Result<Self> {
        leaks::listen();
        let server = server.requests_per_minute(u32::MAX).start().await?;
        let backend = Reqwest::builder().no_proxy().build()?;
        let world =
            Self { server, folder: tempfile::tempdir()?, program: program.into(), measured: false, backend };
        let profiles = Profiles::at(world.folder());
        let mut profile = Profile::user_oauth();
        profile.set(profile::Member::ClientId, Some(world.server.client_id()))?;
        profile
            .set(profile::Member::BaseUrl, Some(world.server.base_url().as_str().trim_end_matches('/')))?;
        profiles.save(&ProfileName::new(PROFILE)?, &profile)?;
        world.log_in().await?;
        Ok(world)
    }

    /// Has the programs spend no time on listening to their own logs.
    #[must_use]
    pub fn measured(mut self) -> Self {
        self.measured = true;
        self
    }

    /// Makes a new session and stores it.
    ///
    /// # Errors
    ///
    /// When the server or the disk does not let it.
    pub async fn log_in(&self) -> Result<()> {
        let server = Server::new(self.server.token_url())?
            .with_authorization_endpoint(self.server.authorize_url())?
            .with_issuer(self.server.issuer())
            .with_wire(Wire::claude());
        let client = Client::public(self.server.client_id());
        let request = AuthorizationRequest::new(&server, &client, REDIRECT.parse()?)?;
        // It need not be hard to guess: nothing real is behind this server.
        let (url, pending) = request.scopes(ScopeSet::parse(SCOPES)).begin([7; 64]);
        let redirect = self.agree(&url).await?;
        let (request, asked) = exchange::code(pending.complete(redirect.as_str())?);
        let sent = SystemClock.now();
        let response = self.backend.send(request).await?;
        let (head, body) = response.into_parts();
        let response = http::Response::from_parts(head, body.collect(1 << 20).await?);
        let tokens = exchange::response(&asked, &response, sent)?;
        Ok(FileTokenStore::new(self.folder.path(), PROFILE)?.save(tokens.into()).await?)
    }

    /// Opens the consent page and presses the button; gives where the browser is sent.
    async fn agree(&self, url: &Url) -> Result<Url> {
        let page = self.backend.send(http::Request::get(url.as_str()).body(Bytes::new())?).await?;
        let page = String::from_utf8(page.into_body().collect(1 << 20).await?.to_vec())?;
        let form = allow(&page)?;
        let target = url.join(between(&page, "action=\"", "\"")?)?;
        let answer = self.backend.send(http::Request::post(target.as_str()).body(form.into())?).await?;
        let location = answer.headers().get(http::header::LOCATION).context("the page leads nowhere")?;
        Ok(url.join(location.to_str()?)?)
    }

    /// The configuration folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file that holds the session.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("credentials").join(format!("{PROFILE}.json"))
    }

    /// What requests to the server go through.
    #[must_use]
    pub fn backend(&self) -> &Reqwest {
        &self.backend
    }

    /// What time it is, in seconds since 1970.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        SystemClock.now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// What a program finds its profile by.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, OsString); 2] {
        [("ANTHROPIC_CONFIG_DIR", self.folder().into()), ("ANTHROPIC_PROFILE", PROFILE.into())]
    }

    /// Says in the file when the access token expires, in seconds since 1970. The server takes the token as before.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    pub fn set_expiry(&self, seconds: u64) -> Result<()> {
        self.edit(|members| {
            members.insert("expires_at".to_owned(), seconds.into());
        })
    }

    /// Changes the file as another program would: it is replaced as a whole.
    ///
    /// # Errors
    ///
    /// When there is no session in it, or it cannot be replaced.
    pub fn edit(&self, change: impl FnOnce(&mut Map<String, Value>)) -> Result<()> {
        let path = self.file();
        let mut members = serde_json::from_slice(&fs::read(&path)?)?;
        change(&mut members);
        let folder = path.parent().context("a file in a folder")?;
        // As private as the file: that is what temporary files are.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(&members)?)?;
        file.persist(&path)?;
        Ok(())
    }

    /// Reads the file and checks that it is whole and private.
    ///
    /// # Errors
    ///
    /// When it is torn, without tokens, or open to others.
    pub fn pair(&self) -> Result<Pair> {
        let path = self.file();
        let mode = fs::metadata(&path)?.permissions().mode() & 0o7777;
        ensure!(mode == 0o600, "the file has mode {mode:o}");
        let text = fs::read(&path)?;
        let members: Value =
            serde_json::from_slice(&text).with_context(|| format!("a torn file of {} bytes", text.len()))?;
        let token = |name: &str| {
            let token = members.get(name).and_then(Value::as_str).filter(|token| !token.is_empty());
            token.map(str::to_owned).with_context(|| format!("the file has no {name}"))
        };
        Ok(Pair { access: token("access_token")?, refresh: token("refresh_token")? })
    }

    /// The names in the folder of the file, but for the session, its lock and the note of a renewal.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn litter(&self) -> Result<Vec<String>> {
        let path = self.file();
        let folder = path.parent().context("a file in a folder")?;
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !["json", "lock", "intent"].iter().any(|kind| name == format!("{PROFILE}.{kind}")) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Starts the program with these words.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn member(&self, words: &[&str]) -> Result<Member> {
        let mut command = Command::new(&self.program);
        command.env_clear().envs(self.environment()).args(words);
        if !self.measured {
            command.arg("listens");
        }
        // To read the certificates of a machine takes six times as long as all the rest, and here nothing uses them.
        command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
        Member::start(command, "session")
    }

    /// Waits until the server has rotated a refresh token since the journal was cleared.
    pub async fn rotation(&self) {
        while self.grants().rotated == 0 {
            SystemClock.sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until the server has refused so many refresh tokens since the journal was cleared.
    pub async fn refusals(&self, count: usize) {
        while self.grants().refused < count {
            SystemClock.sleep(Duration::from_millis(1)).await;
        }
    }

    /// How many requests the token endpoint has answered since the journal was cleared, by what became of them.
    #[must_use]
    pub fn grants(&self) -> Grants {
        let mut grants = Grants::default();
        for entry in self.server.journal().iter().filter(|entry| entry.path.ends_with("/oauth/token")) {
            match entry.note {
                Some("refresh token rotated") => grants.rotated += 1,
                Some(note) if note.starts_with("refresh token reused inside") => grants.repeated += 1,
                _ => grants.refused += 1,
            }
        }
        grants
    }
}

/// What is left in the folder is its owner's alone.
impl Drop for World {
    fn drop(&mut self) {
        leaks::left_in(self.folder());
    }
}

/// What the token endpoint did with refresh tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grants {
    /// It rotated them.
    pub rotated: usize,
    /// It forgave a repetition.
    pub repeated: usize,
    /// It refused them.
    pub refused: usize,
}

impl Pair {
    /// Whether it can be what follows `self`: both tokens are others.
    #[must_use]
    pub fn is_followed_by(&self, next: &Self) -> bool {
        self.access != next.access && self.refresh != next.refresh
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pair")
    }
}

/// The form of the consent page, with its button pressed.
fn allow(page: &str) -> Result<String> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for name in ["request_id", "csrf_token"] {
        form.append_pair(name, between(page, &format!("name=\"{name}\" value=\""), "\"")?);
    }
    Ok(form.append_pair("decision", "allow").finish())
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Result<&'a str> {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.map(|(found, _)| found).with_context(|| format!("the page has no {before}"))
}
