//! User profiles: what an application tells the service about the people it acts for.

use serde_json::{Map, Value};

use super::{Extra, wire::Nulls};

object! {
    /// A user profile (`GET /v1/user_profiles/{user_profile_id}`). Times are RFC 3339 text.
    ///
    /// Example: [`UserProfileParams`](crate::types::UserProfileParams).
    UserProfile {
        /// The identifier to send with messages.
        id: String,
        /// How its user uses the service.
        access_type: Option<ProfileAccess>,
        /// The name that the application gave it.
        name: Option<String>,
        /// What the service allows its user.
        enforcement_status: Option<EnforcementStatus>,
        /// What was done against its user.
        enforcement_actions: Option<Vec<EnforcementAction>>,
        /// What the application said about its user.
        external_user_details: Option<ExternalUser>,
        /// What the application keeps with it: names and texts.
        metadata: Option<Value>,
        /// The programs its user takes part in, by name.
        programs: Option<Value>,
        /// When it was created.
        created_at: Option<String>,
        /// When it was changed last.
        updated_at: Option<String>,
    }
}

object! {
    /// What is said of a user profile when it is created or changed; what is not set stays as it is.
    ///
    /// ```
    /// use claude_sdk::types::{ExternalUser, ProfileAccess, UserProfileParams};
    ///
    /// let params = UserProfileParams::new()
    ///     .name("Reader 7")
    ///     .access_type(ProfileAccess::Application)
    ///     .external_user(ExternalUser::new().country("DE").extra("reference_id", "crm-7"))
    ///     .metadata("plan", "free");
    /// assert_eq!(
    ///     serde_json::to_value(&params)?,
    ///     serde_json::json!({
    ///         "name": "Reader 7", "access_type": "application",
    ///         "external_user_details": {"country": "DE", "reference_id": "crm-7"}, "metadata": {"plan": "free"},
    ///     }),
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    UserProfileParams {
        /// How its user uses the service.
        access_type: Option<ProfileAccess>,
        /// The name to find it by.
        name: Option<String>,
        /// What the application says about its user.
        external_user_details: Option<ExternalUser>,
        /// What the application keeps with it: names and texts.
        metadata: Option<Value>,
    }
}

impl UserProfileParams {
    /// Nothing is said yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            access_type: None,
            name: None,
            external_user_details: None,
            metadata: None,
            extra: Extra::new(),
            nulls: Nulls::default(),
        }
    }

    /// Sets how its user uses the service.
    #[must_use]
    pub fn access_type(mut self, access: ProfileAccess) -> Self {
        self.access_type = Some(access);
        self
    }

    /// Sets the name to find it by.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets what the application says about its user.
    #[must_use]
    pub fn external_user(mut self, user: ExternalUser) -> Self {
        self.external_user_details = Some(user);
        self
    }

    /// Adds a text that the application keeps with it; where it is changed, an empty one takes a text away.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        let metadata = self.metadata.get_or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(metadata) = metadata {
            metadata.insert(name.into(), Value::String(text.into()));
        }
        self
    }
}

impl Default for UserProfileParams {
    fn default() -> Self {
        Self::new()
    }
}

object! {
    /// What an application says about a user.
    ///
    /// Example: [`UserProfileParams`](crate::types::UserProfileParams).
    ExternalUser {
        /// How the user's account with the application stands, such as `active`.
        account_status: Option<String>,
        /// The country, as two letters (ISO 3166-1).
        country: Option<String>,
        /// A hash of the user's address.
        email_hash: Option<String>,
        /// What the user is, such as `individual` or `business`.
        entity_type: Option<String>,
        /// A hash of the user's name.
        name_hash: Option<String>,
        /// Since when the application has known the user, as RFC 3339 text.
        onboarded_at: Option<String>,
        /// What the application calls the user.
        reference_id: Option<String>,
    }
}

impl ExternalUser {
    /// Nothing is said yet; what has no method here is set with [`extra`](Self::extra).
    #[must_use]
    pub fn new() -> Self {
        Self {
            account_status: None,
            country: None,
            email_hash: None,
            entity_type: None,
            name_hash: None,
            onboarded_at: None,
            reference_id: None,
            extra: Extra::new(),
            nulls: Nulls::default(),
        }
    }

    /// Sets the country, as two letters.
    #[must_use]
    pub fn country(mut self, country: impl Into<String>) -> Self {
        self.country = Some(country.into());
        self
    }

    /// Sets what the application calls the user.
    #[must_use]
    pub fn reference_id(mut self, id: impl Into<String>) -> Self {
        self.reference_id = Some(id.into());
        self
    }
}

impl Default for ExternalUser {
    fn default() -> Self {
        Self::new()
    }
}

object! {
    /// Something that the service has done against a user.
    ///
    /// Example: [`UserProfileParams`](crate::types::UserProfileParams).
    EnforcementAction {
        /// The action's identifier.
        id: String,
        /// What was done: `restriction` or `ban`.
        kind as "type": String,
        /// Why, such as `usage_policy_violation`.
        reason: Option<String>,
        /// What the user can do about it, such as `verify`.
        action: Option<String>,
        /// When it began, as RFC 3339 text.
        opened_at: Option<String>,
        /// When it ends, as RFC 3339 text.
        expires_at: Option<String>,
    }
}

object! {
    /// A link to give to a user.
    ///
    /// Example: [`UserProfileParams`](crate::types::UserProfileParams).
    ProfileUrl {
        /// The link.
        url: String,
        /// Until when it works, as RFC 3339 text.
        expires_at: Option<String>,
    }
}

open_enum! {
    /// How a user uses the service.
    ///
    /// Example: [`UserProfileParams`](crate::types::UserProfileParams).
    ProfileAccess {
        /// Through what the application makes of it.
        Application = "application",
        /// As it is.
        Passthrough = "passthrough",
    }
}

open_enum! {
    /// What the service allows a user.
    ///
    /// Example: [`UserProfileParams`](crate::types::UserProfileParams).
    EnforcementStatus {
        /// Everything.
        Unrestricted = "unrestricted",
        /// A decision is pending.
        Pending = "pending",
        /// Not everything.
        Restricted = "restricted",
        /// Nothing.
        Banned = "banned",
    }
}

serde_object!(UserProfile, UserProfileParams, ExternalUser, EnforcementAction, ProfileUrl);
