//! The steps themselves.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use claude_sdk::{
    AuthError, Client, Error,
    auth_core::{self, Policy, ScopeSet, Server, Snapshot, Wire},
    credentials::OAuth,
    login::{Login, PendingLogin},
    token_store::{FileTokenStore, TokenStore},
    transport::HttpBackend,
    types::MessageRequest,
};
use http::StatusCode;
use mock_server::MockServer;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use url::Url;

use super::{browser, clock::ShiftedClock, recorder::Recorder};

/// What a step gives: its result and what to tell of it.
type Done<T> = Result<(T, String)>;

/// How long the login waits for its redirect.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the steps share. The folder is removed when this is dropped.
pub(super) struct Session<'a> {
    mock: &'a MockServer,
    server: Server,
    client: auth_core::Client,
    backend: Recorder,
    clock: ShiftedClock,
    store: FileTokenStore,
    _folder: TempDir,
}

impl<'a> Session<'a> {
    pub(super) fn new(mock: &'a MockServer) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("claudectl-quickstart-").tempdir();
        let folder =
            folder.context("no temporary folder could be made; set TMPDIR to one you may write to")?;
        let clock = ShiftedClock::default();
        let server = Server::new(mock.token_url())?.with_authorization_endpoint(mock.authorize_url())?;
        Ok(Self {
            mock,
            server: server.with_issuer(mock.issuer()).with_issuer_required().with_wire(Wire::claude()),
            client: auth_core::Client::public(mock.client_id()),
            backend: Recorder::new()?,
            store: FileTokenStore::new(folder.path(), "quickstart")?.clock(clock.clone()),
            clock,
            _folder: folder,
        })
    }

    pub(super) async fn authorization(&self) -> Done<PendingLogin> {
        let scopes = ScopeSet::parse("user:profile user:inference");
        let login =
            Login::new(self.server.clone(), self.client.clone()).scopes(scopes).clock(self.clock.clone());
        let login = login.begin().await?;
        let sent = |name| login.url().query_pairs().find(|(known, _)| known == name).map(|(_, value)| value);
        ensure!(
            sent("code_challenge_method").as_deref() == Some("S256"),
            "the request has no S256 challenge"
        );
        let state = sent("state").context("the request has no state")?;
        let redirect = sent("redirect_uri").context("the request has no redirect_uri")?;
        let told = format!("PKCE S256, state of {} characters, back to {redirect}", state.len());
        Ok((login, told))
    }

    /// Consents on the page, and gives where the browser is then sent.
    pub(super) async fn consent(&self, url: &Url) -> Done<Url> {
        let page = browser::open(&self.backend, url).await?;
        ensure!(page.status == 200, "the consent page answered {}", page.status);
        let answer = browser::press(&self.backend, url, &page, ("decision", "allow")).await?;
        let target = answer.location.context("the consent led nowhere")?;
        Ok((Url::parse(&target)?, "pressed Allow on the consent page".to_owned()))
    }

    /// Follows the redirect to the listener; the login goes on by itself.
    pub(super) async fn redirect(
        &self,
        login: PendingLogin,
        target: Url,
    ) -> Done<JoinHandle<Result<Snapshot>>> {
        let backend = self.backend.clone();
        let login = tokio::spawn(async move { Ok(login.finish(&backend, PATIENCE).await?) });
        let page = browser::open(&self.backend, &target).await?;
        // A 502 says that the code came and its exchange failed: the next step tells why.
        ensure!(matches!(page.status, 200 | 502), "the listener answered {}", page.status);
        Ok((login, "the loopback listener took the code; its state and issuer are ours".to_owned()))
    }

    pub(super) async fn exchange(&self, login: JoinHandle<Result<Snapshot>>) -> Done<OAuth> {
        let snapshot = login.await??;
        ensure!(snapshot.refresh_token.is_some(), "the answer has no refresh token");
        self.store.save(snapshot).await?;
        let mode = mode_of(self.store.path())?;
        let oauth = OAuth::open_with(
            self.server.clone(),
            self.client.clone(),
            self.store.clone(),
            self.backend.clone(),
            self.clock.clone(),
            Policy::default(),
        );
        Ok((oauth.await?, format!("tokens stored in a temporary profile{mode}")))
    }

    pub(super) fn client(&self, oauth: OAuth) -> Result<Client> {
        let client = Client::builder().credentials(oauth).base_url(self.mock.base_url());
        Ok(client.backend(self.backend.clone()).clock(self.clock.clone()).build()?)
    }

    pub(super) async fn models(&self, client: &Client) -> Done<String> {
        // All of them in one page: their number is told.
        let models = client.models().list().limit(1000).await?;
        let first = models.data.first().context("the list of models is empty")?;
        Ok((first.id.to_string(), format!("{} models, the first is {}", models.data.len(), first.id)))
    }

    pub(super) async fn message(&self, client: &Client, model: &str, prompt: &str) -> Done<()> {
        let request = MessageRequest::new(model, 100).user(prompt);
        let message = client.messages().create(&request).await?;
        ensure!(message.text().contains(prompt), "the answer does not repeat the prompt");
        let id = message.request_id().context("the answer has no request id")?;
        Ok(((), format!("{:?} ({} output tokens, {id})", message.text(), message.usage.output_tokens)))
    }

    pub(super) async fn stream(&self, client: &Client, model: &str) -> Done<()> {
        let prompt = "one token after the other";
        let request = MessageRequest::new(model, 100).user(prompt);
        let mut stream = client.messages().stream(&request).await?;
        let (mut pieces, mut text) = (0, String::new());
        while let Some(piece) = stream.text_stream().next().await {
            text.push_str(&piece?);
            pieces += 1;
        }
        let message = stream.final_message().await?;
        ensure!(pieces > 1, "the stream came in one piece");
        ensure!(text == message.text() && text.contains(prompt), "the pieces are not the message");
        Ok(((), format!("{text:?} in {pieces} pieces")))
    }

    /// Sets both clocks forward past the token's life, and shows that the service refuses it then.
    pub(super) async fn expiry(&self) -> Done<()> {
        let snapshot = self.store.load().await?.context("the profile is empty")?;
        let expires_at = snapshot.expires_at.context("the token does not say when it expires")?;
        let left =
            expires_at.duration_since(claude_sdk::transport::Clock::now(&self.clock)).unwrap_or_default();
        let by = left + Duration::from_secs(1);
        self.clock.advance(by);
        self.mock.advance(by);
        let stale = Client::builder().auth_token(snapshot.access_token).base_url(self.mock.base_url());
        let refused = stale.backend(self.backend.clone()).build()?.models().list().await;
        ensure!(
            refused.is_err_and(|error| error.status() == Some(StatusCode::UNAUTHORIZED)),
            "the service took an access token past its end"
        );
        Ok((
            (),
            format!(
                "set the clocks {} s forward; the service now refuses the access token (401)",
                by.as_secs()
            ),
        ))
    }

    pub(super) async fn refresh(&self, client: &Client, model: &str) -> Done<()> {
        let before = self.store.load().await?.context("the profile is empty")?;
        self.message(client, model, "and again").await?;
        let after = self.store.load().await?.context("the profile is empty")?;
        ensure!(changed(&before, &after), "the refresh token was not rotated");
        Ok((
            (),
            format!(
                "new tokens, refresh token rotated and stored{}; called again",
                mode_of(self.store.path())?
            ),
        ))
    }

    /// Sends the very exchange of the login once more, byte for byte. The server takes that for a theft, and ends the
    /// session.
    pub(super) async fn replay(&self, client: &Client) -> Done<()> {
        let request = self.backend.code_exchange().context("no exchange was recorded")?;
        let (head, body) = self.backend.send(request).await?.into_parts();
        let body = body.collect(64 * 1024).await?;
        let error: serde_json::Value = serde_json::from_slice(&body)?;
        ensure!(head.status == 400, "a used code was answered with {}", head.status);
        ensure!(
            error.get("error").is_some_and(|code| code == "invalid_grant"),
            "a used code was not refused as one"
        );
        let after = client.models().list().await;
        ensure!(
            matches!(after, Err(Error::Auth(AuthError::LoginRequired { .. }, ..))),
            "the session outlived the replay of its code"
        );
        Ok(((), "the used code is refused (invalid_grant), and the session it gave is revoked".to_owned()))
    }

    pub(super) fn limits(&self, client: &Client) -> Done<()> {
        let limits = client.limits();
        let told = |name: &str, limit: claude_sdk::Limit| match (limit.remaining, limit.limit) {
            (Some(remaining), Some(limit)) => Ok(format!("{name} {remaining} of {limit} left")),
            _ => bail!("the service did not report {name}"),
        };
        let told = [
            told("requests", limits.requests)?,
            told("input tokens", limits.input_tokens)?,
            told("output tokens", limits.output_tokens)?,
        ];
        Ok(((), told.join(", ")))
    }

    /// Compares the server's own journal with what the client believes it did.
    pub(super) fn journal(&self) -> Done<()> {
        let journal = self.mock.journal();
        let seen = |path: &str, status: u16| {
            journal.iter().filter(|entry| entry.path.ends_with(path) && entry.status == status).count()
        };
        let counts = [
            ("exchanges (code, refresh)", seen("/oauth/token", 200), 2),
            ("refused ones (replay, refresh after it)", seen("/oauth/token", 400), 2),
            ("list of models", seen("/v1/models", 200), 1),
            ("messages", seen("/v1/messages", 200), 3),
        ];
        for (what, seen, expected) in counts {
            ensure!(seen == expected, "the server saw {seen} {what}, not {expected}");
        }
        let told = counts.map(|(what, seen, _)| format!("{seen} {what}")).join(", ");
        Ok(((), format!("the server saw {told}")))
    }
}

fn changed(before: &Snapshot, after: &Snapshot) -> bool {
    use secrecy::ExposeSecret;
    let token =
        |snapshot: &Snapshot| snapshot.refresh_token.as_ref().map(|token| token.expose_secret().to_owned());
    token(before) != token(after) && before.access_token.expose_secret() != after.access_token.expose_secret()
}

/// Checks that only the owner may read the file; says nothing where the system has no such modes.
fn mode_of(path: &std::path::Path) -> Result<String> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path)?.permissions()) & 0o777;
        ensure!(mode == 0o600, "the profile has mode {mode:03o}, not 600");
        Ok(" (mode 600)".to_owned())
    }
    #[cfg(not(unix))]
    {
        std::fs::metadata(path)?;
        Ok(String::new())
    }
}
