use std::{fmt, sync::Arc, time::Duration};

use auth_core::{
    DeviceAuthorization, DeviceError, DeviceOutput, DevicePoll, DeviceRequest, SendFailure, Snapshot,
    exchange,
};
use transport::{Clock, HttpBackend};
use url::Url;

use super::{Browser, BrowserError, Login, ask, browser};
use crate::error::{AuthError, LoginError};

/// A login that waits for its person in a browser elsewhere (RFC 8628); dropping it ends it.
///
/// Show [`user_code`](Self::user_code) and [`verification_uri`](Self::verification_uri), then
/// [`finish`](Self::finish):
///
/// ```no_run
/// use claude_sdk::{auth_core::Client, login::{Login, discover}, transport::{HttpBackend, SystemClock}};
/// # async fn run(backend: impl HttpBackend) -> Result<(), Box<dyn std::error::Error>> {
/// let metadata = discover("https://auth.example", &backend, &SystemClock).await?;
/// let endpoint = metadata.device_authorization_endpoint().ok_or("no login on another device here")?.clone();
/// let login = Login::new(metadata.into_server(), Client::public("your-client-id"));
/// let pending = login.begin_device(endpoint, &backend).await?;
/// println!("open {} and enter {}", pending.verification_uri(), pending.user_code());
/// let session = pending.finish(&backend).await?;
/// # Ok(())
/// # }
/// ```
pub struct PendingDevice {
    authorization: DeviceAuthorization,
    clock: Arc<dyn Clock>,
}

pub(super) async fn begin(
    login: Login,
    endpoint: Url,
    backend: &dyn HttpBackend,
) -> Result<PendingDevice, AuthError> {
    let Login { server, client, scopes, clock, .. } = login;
    let asking = DeviceRequest::new(&server, &client, endpoint).map_err(LoginError::Server)?.scopes(scopes);
    let answer =
        ask::ask(backend, &*clock, asking.request(), exchange::MAX_ANSWER, ask::EXCHANGE_LIMIT).await?;
    let authorization = asking.response(&answer, clock.now()).map_err(failed)?;
    Ok(PendingDevice { authorization, clock })
}

impl PendingDevice {
    /// The code that the person enters, fit for a terminal.
    #[must_use]
    pub fn user_code(&self) -> &str {
        self.authorization.user_code()
    }

    /// The address where it is entered.
    #[must_use]
    pub fn verification_uri(&self) -> &Url {
        self.authorization.verification_uri()
    }

    /// An address with the code in it, for a link or a QR code beside [`user_code`](Self::user_code): the person has to
    /// compare the code, or they may log in somebody else's program (RFC 8628 section 5.4).
    #[must_use]
    pub fn verification_uri_complete(&self) -> Option<&Url> {
        self.authorization.verification_uri_complete()
    }

    /// How long the code lives, from the answer on.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.authorization.expires_in()
    }

    /// Opens the address in `browser`, without the code: the person enters it, and so has seen it (C75).
    ///
    /// # Errors
    ///
    /// [`BrowserError`] where it could not be started. Show the address then: the login goes on.
    pub fn open_in(&self, browser: &dyn Browser) -> Result<(), BrowserError> {
        browser::open(browser, self.verification_uri())
    }

    /// Asks the server through `backend`, at its pace, until the person is done or the code expires.
    ///
    /// Time is what the clock's sleeps took, so that a step of the wall clock neither ends the login nor prolongs it.
    ///
    /// # Errors
    ///
    /// [`LoginError::Device`] where the person refused, the code expired, or the server gave neither tokens nor a reason
    /// to wait.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the login; nothing is stored.
    pub async fn finish(self, backend: &dyn HttpBackend) -> Result<Snapshot, AuthError> {
        let Self { authorization, clock } = self;
        let expires_in = authorization.expires_in();
        let mut poll = DevicePoll::new(authorization, Duration::ZERO);
        let mut elapsed = Duration::ZERO;
        let polling = async {
            loop {
                match poll.poll(elapsed) {
                    DeviceOutput::Transmit { request } => {
                        let limit = ask::EXCHANGE_LIMIT;
                        let answer = ask::ask(backend, &*clock, request, exchange::MAX_ANSWER, limit).await;
                        poll.handle(answer.map_err(|_| SendFailure::MaybeSent), elapsed, clock.now());
                    }
                    DeviceOutput::Wait { until } => {
                        clock.sleep(until.saturating_sub(elapsed)).await;
                        elapsed = until;
                    }
                    DeviceOutput::Done(tokens) => return Ok(Snapshot::from(tokens)),
                    DeviceOutput::Failed(error) => return Err(error),
                }
            }
        };
        // What the requests take is not in `elapsed`; this sleep has it all.
        let outcome = tokio::select! {
            biased;
            outcome = polling => outcome,
            () = clock.sleep(expires_in) => Err(DeviceError::Expired),
        };
        Ok(outcome.map_err(failed)?)
    }
}

fn failed(error: DeviceError) -> LoginError {
    LoginError::Device(Box::new(error))
}

/// Leaves out the address with the code in it.
impl fmt::Debug for PendingDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingDevice").field("expires_in", &self.expires_in()).finish_non_exhaustive()
    }
}
