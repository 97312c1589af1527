use std::time::Duration;

use auth_core::{Metadata, MetadataError};
use bytes::Bytes;
use transport::{Clock, HttpBackend};

use super::ask::ask;
use crate::error::{AuthError, LoginError};

/// How long each of the two locations may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks a server for what it says about itself (RFC 8414, then `OpenID` Connect Discovery).
///
/// Nobody is asked unless this is called: a [`Server`](auth_core::Server) that is written down by hand needs it not.
/// Nothing is kept either, as each login asks once. No redirect is followed, a document has at most 256 KiB and 10 s, and
/// it is checked as [`Metadata::parse`] says: the issuer byte for byte, each endpoint by the rules of every server.
///
/// ```no_run
/// use claude_sdk::{auth_core::Client, login::{Login, discover}, transport::{HttpBackend, SystemClock}};
/// # async fn run(backend: impl HttpBackend) -> Result<(), Box<dyn std::error::Error>> {
/// let metadata = discover("https://auth.example", &backend, &SystemClock).await?;
/// let login = Login::new(metadata.into_server(), Client::public("your-client-id"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`LoginError`] where the server was not reached or too slow, or its document cannot be used.
pub async fn discover(
    issuer: &str,
    backend: &dyn HttpBackend,
    clock: &dyn Clock,
) -> Result<Metadata, AuthError> {
    let [first, second] = Metadata::locations(issuer).map_err(LoginError::Metadata)?;
    let metadata = match fetch(issuer, first.as_str(), backend, clock).await? {
        // There is nothing here, or nothing of this kind.
        Err(MetadataError::Status { .. }) => fetch(issuer, second.as_str(), backend, clock).await?,
        metadata => metadata,
    };
    Ok(metadata.map_err(LoginError::Metadata)?)
}

async fn fetch(
    issuer: &str,
    location: &str,
    backend: &dyn HttpBackend,
    clock: &dyn Clock,
) -> Result<Result<Metadata, MetadataError>, LoginError> {
    let request =
        http::Request::get(location).header(http::header::ACCEPT, "application/json").body(Bytes::new());
    let Ok(request) = request else { return Ok(Err(MetadataError::Issuer)) };
    let answer = ask(backend, clock, request, Metadata::MAX_DOCUMENT, LIMIT).await?;
    Ok(Metadata::parse(&answer, issuer))
}
