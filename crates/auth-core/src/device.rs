//! Logging in on another device (RFC 8628).

mod authorization;
mod error;
mod pace;
mod poll;

use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response, Uri};
use url::Url;

pub use self::{
    authorization::DeviceAuthorization,
    error::DeviceError,
    poll::{DeviceOutput, DevicePoll},
};
use crate::{Client, ConfigError, Format, ScopeSet, Server, exchange::request, server};

/// A login about to begin on a machine without a browser: what will be asked, and where (RFC 8628 section 3.1).
///
/// Its answer is a [`DeviceAuthorization`], whose code the user enters in a browser elsewhere while a [`DevicePoll`]
/// waits. Both requests are forms, as the RFC has them, whatever the server's [`Wire`](crate::Wire).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::{Duration, SystemTime};
/// use auth_core::{Client, DeviceOutput, DevicePoll, DeviceRequest, ScopeSet, Server};
///
/// # struct Http(Vec<&'static str>);
/// # impl Http {
/// #     fn send(&mut self, _: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> {
/// #         http::Response::new(self.0.remove(0).into())
/// #     }
/// # }
/// # let mut http = Http(vec![
/// #     r#"{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://auth.example/device",
/// #         "expires_in":1800,"interval":5}"#,
/// #     r#"{"access_token":"at","token_type":"Bearer","expires_in":3600}"#,
/// # ]);
/// # let (now, mut elapsed) = (SystemTime::UNIX_EPOCH, Duration::ZERO);
/// let server = Server::new("https://auth.example/token".parse()?)?;
/// let asking = DeviceRequest::new(&server, &Client::public("app"), "https://auth.example/device_code".parse()?)?
///     .scopes(ScopeSet::parse("user:inference"));
/// let answer = http.send(asking.request());
/// let authorization = asking.response(&answer, now)?;
/// println!("open {} and enter {}", authorization.verification_uri(), authorization.user_code());
///
/// // `elapsed` is read from a clock that never steps, such as `Instant`; `now` only dates the tokens.
/// let mut poll = DevicePoll::new(authorization, elapsed);
/// let tokens = loop {
///     match poll.poll(elapsed) {
///         DeviceOutput::Transmit { request } => poll.handle(Ok(http.send(request)), elapsed, now),
///         DeviceOutput::Wait { until } => elapsed = until, // sleep
///         DeviceOutput::Done(tokens) => break tokens,
///         DeviceOutput::Failed(error) => return Err(error.into()),
///     }
/// };
/// assert_eq!(elapsed, Duration::from_secs(5));
/// # assert!(tokens.expires_at.is_some());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct DeviceRequest {
    server: Server,
    client: Client,
    target: Uri,
    scopes: ScopeSet,
}

impl DeviceRequest {
    /// Creates a request for no particular scope.
    ///
    /// The endpoint is the server's `device_authorization_endpoint`;
    /// [`Metadata`](crate::Metadata::device_authorization_endpoint) knows it when the server announces it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] under the same rules as for the endpoints of [`Server::new`].
    #[inline]
    pub fn new(server: &Server, client: &Client, endpoint: Url) -> Result<Self, ConfigError> {
        const NAME: &str = "device authorization";

        server::check(NAME, &endpoint)?;
        let target = Uri::try_from(String::from(endpoint))
            .map_err(|_| ConfigError::NotARequestTarget { endpoint: NAME })?;
        Ok(Self { server: server.clone(), client: client.clone(), target, scopes: ScopeSet::default() })
    }

    /// Sets the scopes to ask for.
    #[must_use]
    #[inline]
    pub fn scopes(mut self, scopes: ScopeSet) -> Self {
        self.scopes = scopes;
        self
    }

    /// Builds the request, to be sent without following redirects.
    ///
    /// It may be sent again when no answer comes; each answer is a login of its own.
    #[must_use]
    #[inline]
    pub fn request(&self) -> Request<Bytes> {
        let scopes = self.scopes.to_string();
        let scope = (!scopes.is_empty()).then_some(("scope", scopes.as_str()));
        request::build(&self.target, Some(&self.client), &Format::form(), scope.into_iter().collect())
    }

    /// Reads the answer (RFC 8628 section 3.2).
    ///
    /// The `interval` is brought between one second and the lifetime of the code, and is 5 s when the server names none.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] when the server refused, or when the answer lacks something the login needs: a code for each
    /// side, how long they live, and an `https` address to send the user to.
    #[inline]
    pub fn response(
        &self,
        response: &Response<Bytes>,
        now: SystemTime,
    ) -> Result<DeviceAuthorization, DeviceError> {
        authorization::read(self, response, now)
    }
}
