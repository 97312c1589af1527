//! What surrounds a request: container, earlier messages, MCP servers, and who pays.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::types::message::ContainerSkill;
use crate::types::wire::{Fit, Json, Write};

either! {
    /// The container that code runs in.
    ///
    /// ```
    /// use claude_sdk::types::{ContainerConfig, MessageRequest, Model, ContainerSkill, Tool};
    ///
    /// let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 4096)
    ///     .container(ContainerConfig::default().skill(ContainerSkill::anthropic("xlsx")))
    ///     .tool(Tool::code_execution())
    ///     .user("Make a table of the first ten primes.");
    /// # let sent = serde_json::to_value(&request).unwrap();
    /// # assert_eq!(sent["container"]["skills"][0]["skill_id"], "xlsx");
    /// ```
    ContainerParam {
        /// The one of this id.
        Id(String),
        /// One with skills.
        Config(ContainerConfig),
    }
}

impl From<&str> for ContainerParam {
    fn from(id: &str) -> Self {
        Self::Id(id.to_owned())
    }
}

object! {
    /// A container with skills.
    ///
    /// Example: [`ContainerParam`](crate::types::ContainerParam).
    #[derive(Default)]
    ContainerConfig {
        /// Its id; a new one where unset.
        id: Option<String>,
        /// The skills it has.
        skills: Option<Vec<ContainerSkill>>,
    }
}

setters! { ContainerConfig { id: impl Into<String>, } }

impl ContainerConfig {
    /// Adds a skill.
    #[must_use]
    #[inline]
    pub fn skill(mut self, skill: ContainerSkill) -> Self {
        self.skills.get_or_insert_default().push(skill);
        self
    }
}

object! {
    /// Asks why the cache does not help.
    ///
    /// Example: [`ContainerParam`](crate::types::ContainerParam).
    #[derive(Default)]
    DiagnosticsParam {
        /// The message that this request goes on from.
        previous_message_id: Option<String>,
    }
}

setters! { DiagnosticsParam { previous_message_id: impl Into<String>, } }

object! {
    /// Who pays for a request.
    ///
    /// Example: [`ContainerParam`](crate::types::ContainerParam).
    BillingPolicy {
        /// What this is: `billing_policy`.
        kind as "type": String,
        /// Who pays.
        bill_to: Option<BillTo>,
    }

    fn of(kind: String);
}

impl BillingPolicy {
    /// This one pays.
    #[must_use]
    pub fn bill_to(payer: BillTo) -> Self {
        Self { bill_to: Some(payer), ..Self::of("billing_policy".to_owned()) }
    }
}

open_enum! {
    /// Who pays for a request.
    ///
    /// Example: [`ContainerParam`](crate::types::ContainerParam).
    BillTo {
        /// The organisation that sends it.
        Myself = "self",
        /// The user whose profile it names.
        UserProfile = "user_profile",
    }
}

object! {
    /// A conversation that the service keeps.
    ///
    /// Example: [`ContainerParam`](crate::types::ContainerParam).
    Thread {
        /// Whether it begins or goes on.
        kind as "type": ThreadKind,
        /// The message it goes on from.
        previous_message_id: Option<String>,
    }

    /// A conversation begins.
    pub fn create() where kind = ThreadKind::Create;

    fn of(kind: ThreadKind);
}

impl Thread {
    /// The conversation goes on after this message.
    #[must_use]
    pub fn continue_from(message_id: impl Into<String>) -> Self {
        Self { previous_message_id: Some(message_id.into()), ..Self::of(ThreadKind::Continue) }
    }
}

open_enum! {
    /// Whether a conversation begins or goes on.
    ///
    /// Example: [`ContainerParam`](crate::types::ContainerParam).
    ThreadKind {
        /// It begins.
        Create = "create",
        /// It goes on.
        Continue = "continue",
    }
}

object! {
    /// An MCP server whose tools the service may call.
    ///
    /// ```
    /// use claude_sdk::types::{McpServer, MessageRequest, Model, Tool};
    ///
    /// let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 1024)
    ///     .mcp_server(McpServer::url("library", "https://mcp.example.com").authorization_token("4711"))
    ///     .tool(Tool::mcp_toolset("library"))
    ///     .user("Which books by Borges are there?");
    /// # assert!(!format!("{request:?}").contains("4711"));
    /// ```
    McpServer {
        /// How it is reached: `url`.
        kind as "type": String,
        /// The name by which the request calls it.
        name: String,
        /// Its address.
        url: String,
        /// The token that it wants.
        authorization_token: Option<AuthorizationToken>,
        /// Which of its tools are offered; older than [`Tool::mcp_toolset`](crate::types::Tool::mcp_toolset).
        tool_configuration: Option<McpToolConfiguration>,
    }

    /// A server with an address.
    pub fn url(name: impl Into<String>, url: impl Into<String>) where kind = "url";
}

setters! {
    McpServer {
        authorization_token: impl Into<AuthorizationToken>,
        tool_configuration: McpToolConfiguration,
    }
}

object! {
    /// Which tools of an MCP server are offered.
    ///
    /// Example: [`McpServer`](crate::types::McpServer).
    #[derive(Default)]
    McpToolConfiguration {
        /// The only ones; all where unset.
        allowed_tools: Option<Vec<String>>,
        /// Whether any are.
        enabled: Option<bool>,
    }
}

setters! { McpToolConfiguration { allowed_tools: Vec<String>, enabled: bool, } }

/// The token that an MCP server wants; it is in the request and not in what is printed of it.
///
/// Example: [`McpServer`](crate::types::McpServer).
#[derive(Clone)]
pub struct AuthorizationToken(SecretString);

impl AuthorizationToken {
    /// The token itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for AuthorizationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationToken(…)")
    }
}

impl PartialEq for AuthorizationToken {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl From<&str> for AuthorizationToken {
    fn from(token: &str) -> Self {
        Self(token.into())
    }
}

impl From<String> for AuthorizationToken {
    fn from(token: String) -> Self {
        Self(token.into())
    }
}

impl From<SecretString> for AuthorizationToken {
    fn from(token: SecretString) -> Self {
        Self(token)
    }
}

impl Write for AuthorizationToken {
    fn json(&self) -> Json<'_> {
        Json::Text(self.expose())
    }
}

impl Serialize for AuthorizationToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl Fit for AuthorizationToken {
    #[inline]
    fn fits(value: &Value) -> bool {
        value.is_string()
    }

    #[inline]
    fn fit(value: Value) -> Option<Self> {
        if let Value::String(token) = value { Some(token.into()) } else { None }
    }

    fn shape() -> String {
        String::shape()
    }
}

serde_object!(BillingPolicy, ContainerConfig, DiagnosticsParam, McpServer, McpToolConfiguration, Thread,);
