//! What an exchange is for.

/// What an exchange is for; errors name it, and their advice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExchangeKind {
    /// The code of a login becomes tokens.
    AuthorizationCode,
    /// The code of a device becomes tokens (RFC 8628).
    DeviceCode,
    /// A refresh token becomes new tokens.
    RefreshToken,
    /// The client's own secret becomes a token.
    ClientCredentials,
    /// A signed assertion becomes a token.
    JwtBearer,
    /// The identity of a workload becomes a token of the Claude API.
    Federation,
    /// A token is given back.
    Revocation,
}

impl ExchangeKind {
    /// Returns the name of the endpoint that is asked.
    pub(super) fn endpoint(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            _ => "token",
        }
    }

    /// Tells whether an answer may leave `token_type` out.
    ///
    /// Some servers do when they refresh, where the type is that of the first token; the federation is documented so.
    pub(super) fn may_omit_type(self) -> bool {
        matches!(self, Self::RefreshToken | Self::Federation)
    }

    /// Tells whether an answer has to say how long the token lives.
    pub(super) fn needs_lifetime(self) -> bool {
        matches!(self, Self::Federation)
    }

    /// Tells whether the same exchange gives the next token, without a refresh token and without a person.
    pub(super) fn is_repeatable(self) -> bool {
        matches!(self, Self::ClientCredentials | Self::JwtBearer | Self::Federation)
    }
}
