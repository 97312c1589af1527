use super::{List, Paging};
use crate::{client::Client, error::Error, limits::OrganizationLimits};

/// What an organization may know about itself; most of it needs an admin's credential.
///
/// ```no_run
/// use claude_sdk::{Client, ratelimit::TokioTimer};
///
/// # async fn run(admin: Client) -> Result<(), Box<dyn std::error::Error>> {
/// let limits = admin.organization().rate_limits().await?;
/// let classes = limits.classes();
/// let limiter = limits.limiter(&classes).build(TokioTimer::new());
/// let client = Client::builder().api_key("…").model_classes(classes).rate_limiter(limiter).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Organization<'a>(pub(crate) &'a Client);

impl Organization<'_> {
    /// The rate limits of the organization (`GET /v1/organizations/rate_limits`), all pages of them.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn rate_limits(self) -> Result<OrganizationLimits, Error> {
        let mut list = List::new(self.0, "v1/organizations/rate_limits", Paging::Cursor).items();
        let mut entries = Vec::new();
        while let Some(entry) = list.next().await {
            entries.push(entry?);
        }
        Ok(OrganizationLimits { entries })
    }
}
