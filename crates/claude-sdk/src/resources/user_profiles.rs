use serde_json::json;

use super::{List, Paging, call, route::segment};
use crate::{
    client::Client,
    error::Error,
    reply::Reply,
    types::{Deleted, ProfileUrl, UserProfile, UserProfileParams},
};

/// What an application tells the service about the people it acts for (`/v1/user_profiles`).
///
/// ```
/// use claude_sdk::{Client, types::UserProfileParams};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let profile = client.user_profiles().create(&UserProfileParams::new().name("Reader 7")).await?;
/// let changed = UserProfileParams::new().metadata("plan", "free");
/// let profile = client.user_profiles().update(&profile.id, &changed).await?;
/// assert_eq!(profile.name.as_deref(), Some("Reader 7"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct UserProfiles<'a>(pub(crate) &'a Client);

const PROFILES: &str = "v1/user_profiles";
/// What the one route that is a beta asks for.
const BETA: &str = "user-profiles-2026-08-18";

impl UserProfiles<'_> {
    /// Creates a profile (`POST /v1/user_profiles`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn create(self, params: &UserProfileParams) -> Result<Reply<UserProfile>, Error> {
        call::post(self.0, PROFILES, params).await
    }

    /// The profiles (`GET /v1/user_profiles`); some alone with `.query("enforcement_status[]", "banned")`.
    pub fn list(self) -> List<UserProfile> {
        List::new(self.0, PROFILES, Paging::Cursor)
    }

    /// One profile (`GET /v1/user_profiles/{user_profile_id}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn get(self, id: &str) -> Result<Reply<UserProfile>, Error> {
        call::get(self.0, &format!("{PROFILES}/{}", segment(id)?)).await
    }

    /// Changes a profile (`POST /v1/user_profiles/{user_profile_id}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn update(self, id: &str, params: &UserProfileParams) -> Result<Reply<UserProfile>, Error> {
        call::post(self.0, &format!("{PROFILES}/{}", segment(id)?), params).await
    }

    /// Deletes a profile (`DELETE /v1/user_profiles/{user_profile_id}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn delete(self, id: &str) -> Result<Reply<Deleted>, Error> {
        call::delete(self.0, &format!("{PROFILES}/{}", segment(id)?)).await
    }

    /// A link by which a user does something, such as `enroll_end_user`
    /// (`POST /v1/user_profiles/{user_profile_id}/action_urls`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn create_action_url(self, id: &str, action: &str) -> Result<Reply<ProfileUrl>, Error> {
        let body = json!({"action": {"type": action}});
        call::post(self.0, &format!("{PROFILES}/{}/action_urls", segment(id)?), &body).await
    }

    /// A link by which a user enrols in a program
    /// (`POST /v1/user_profiles/{user_profile_id}/enrollment_url`, beta).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn create_enrollment_url(self, id: &str) -> Result<Reply<ProfileUrl>, Error> {
        call::act_with_beta(self.0, &format!("{PROFILES}/{}/enrollment_url", segment(id)?), BETA).await
    }
}
