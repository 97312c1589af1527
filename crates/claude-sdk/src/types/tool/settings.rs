//! Settings of tools that the service defines.

use serde_json::{Map, Value};

object! {
    /// How a tool of a set is offered.
    ///
    /// Example: [`Tool`](crate::types::Tool).
    #[derive(Default)]
    MemberConfig {
        /// Whether it is offered at all.
        enabled: Option<bool>,
        /// Whether the model learns of it only by searching for it.
        defer_loading: Option<bool>,
    }
}

setters! { MemberConfig { enabled: bool, defer_loading: bool, } }

impl From<MemberConfig> for Value {
    fn from(config: MemberConfig) -> Self {
        let MemberConfig { enabled, defer_loading, extra, .. } = config;
        let mut members = Map::from(extra);
        let known = [("enabled", enabled), ("defer_loading", defer_loading)];
        members.extend(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
        Self::Object(members)
    }
}

object! {
    /// Where the user is, so that a search fits.
    ///
    /// Example: [`Tool`](crate::types::Tool).
    UserLocation {
        /// How exact this is: `approximate`.
        kind as "type": String,
        /// The city.
        city: Option<String>,
        /// The region.
        region: Option<String>,
        /// The country, in two letters (ISO 3166).
        country: Option<String>,
        /// The time zone, such as `Europe/Brussels`.
        timezone: Option<String>,
    }

    /// Somewhere about; to be filled.
    pub fn approximate() where kind = "approximate";
}

setters! {
    UserLocation {
        city: impl Into<String>,
        region: impl Into<String>,
        country: impl Into<String>,
        timezone: impl Into<String>,
    }
}

open_enum! {
    /// Whether results of calls from code are in the reply.
    ///
    /// Example: [`Tool`](crate::types::Tool).
    ResponseInclusion {
        /// They are.
        Full = "full",
        /// They are not.
        Excluded = "excluded",
    }
}

object! {
    /// Where the addresses may come from that are fetched.
    ///
    /// Example: [`Tool`](crate::types::Tool).
    #[derive(Default)]
    UrlSources {
        /// From what the user wrote: all or none.
        user_input: Option<UrlSource>,
        /// From what tools of your own answered.
        client_tool_results: Option<UrlSource>,
        /// From what the service's tools answered.
        server_tool_results: Option<UrlSource>,
    }
}

setters! { UrlSources { user_input: UrlSource, client_tool_results: UrlSource, server_tool_results: UrlSource, } }

object! {
    /// Which tools' answers addresses may come from.
    ///
    /// Example: [`Tool`](crate::types::Tool).
    UrlSource {
        /// Which.
        kind as "type": UrlSourceKind,
        /// The tools named, for [`UrlSourceKind::Only`] and [`UrlSourceKind::Except`], each with `type` and `name`.
        tools: Option<Vec<Value>>,
    }

    /// From all of them.
    pub fn all() where kind = UrlSourceKind::All;

    /// From none of them.
    pub fn none() where kind = UrlSourceKind::None;

    fn of(kind: UrlSourceKind);
}

impl UrlSource {
    /// From these tools alone.
    #[must_use]
    pub fn only<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { tools: Some(references(names)), ..Self::of(UrlSourceKind::Only) }
    }

    /// From all but these tools.
    #[must_use]
    pub fn except<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { tools: Some(references(names)), ..Self::of(UrlSourceKind::Except) }
    }
}

fn references<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Vec<Value> {
    let reference = |name: N| {
        let members = [("type", "tool_reference".to_owned()), ("name", name.into())];
        members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>()
    };
    names.into_iter().map(|name| Value::Object(reference(name))).collect()
}

open_enum! {
    /// The kinds of [`UrlSource`].
    ///
    /// Example: [`Tool`](crate::types::Tool).
    UrlSourceKind {
        /// From all of them.
        All = "all",
        /// From none of them.
        None = "none",
        /// From those named.
        Only = "only",
        /// From all but those named.
        Except = "except",
    }
}

serde_object!(MemberConfig, UrlSource, UrlSources, UserLocation);
