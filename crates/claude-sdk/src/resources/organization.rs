use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use url::form_urlencoded;

use crate::{
    client::Client,
    error::Error,
    layers::Charge,
    limits::OrganizationLimits,
    reply::{self, Reply},
    types::RateLimitEntry,
};

/// What an organization may know about itself; most of it needs an admin's credential.
#[derive(Debug, Clone, Copy)]
pub struct Organization<'a>(pub(crate) &'a Client);

/// No organization has more pages than this.
const MOST_PAGES: usize = 100;

#[derive(Deserialize)]
struct Page {
    data: Vec<RateLimitEntry>,
    next_page: Option<String>,
}

impl Organization<'_> {
    /// The rate limits of the organization (`GET /v1/organizations/rate_limits`), all pages of them.
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
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn rate_limits(self) -> Result<OrganizationLimits, Error> {
        let mut entries = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = self.page(next.as_deref()).await?.into_inner();
            entries.extend(page.data);
            match page.next_page {
                Some(page) if !page.is_empty() => next = Some(page),
                _ => break,
            }
        }
        Ok(OrganizationLimits { entries })
    }

    async fn page(self, page: Option<&str>) -> Result<Reply<Page>, Error> {
        let escaped = page.map(|page| form_urlencoded::byte_serialize(page.as_bytes()).collect::<String>());
        let route = match escaped {
            Some(page) => format!("v1/organizations/rate_limits?page={page}"),
            None => "v1/organizations/rate_limits".to_owned(),
        };
        let request = self.0.request(Method::GET, &route, Bytes::new(), |_| Charge::default())?;
        Ok(reply::json(self.0.send(request).await?, self.0.clock()).await?.0)
    }
}
