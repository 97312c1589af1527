//! The endpoints of the API, by path.

use http::Method;

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call<'a> {
    Messages,
    CountTokens,
    Models,
    Model(&'a str),
    Batches(Batches<'a>),
    Files(Files<'a>),
    Skills(Skills<'a>),
    Profiles(Profiles<'a>),
}

/// An endpoint of batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batches<'a> {
    All,
    One(&'a str),
    Cancel(&'a str),
    Results(&'a str),
}

/// An endpoint of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files<'a> {
    All,
    One(&'a str),
    Content(&'a str),
}

/// An endpoint of skills, and of their versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skills<'a> {
    All,
    One(&'a str),
    Versions(&'a str),
    Version(&'a str, &'a str),
    Content(&'a str, &'a str),
}

/// An endpoint of user profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profiles<'a> {
    All,
    One(&'a str),
    ActionUrls(&'a str),
    EnrollmentUrl(&'a str),
}

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const GET_OR_POST: &[Method] = &[Method::GET, Method::POST];
const GET_OR_DELETE: &[Method] = &[Method::GET, Method::DELETE];
const ANY: &[Method] = &[Method::GET, Method::POST, Method::DELETE];

impl<'a> Call<'a> {
    pub(crate) fn of(path: &'a str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        Some(match *segments.as_slice() {
            ["messages"] => Self::Messages,
            ["messages", "count_tokens"] => Self::CountTokens,
            ["messages", "batches"] => Self::Batches(Batches::All),
            ["messages", "batches", id] => Self::Batches(Batches::One(id)),
            ["messages", "batches", id, "cancel"] => Self::Batches(Batches::Cancel(id)),
            ["messages", "batches", id, "results"] => Self::Batches(Batches::Results(id)),
            ["models"] => Self::Models,
            ["models", id] => Self::Model(id),
            ["files"] => Self::Files(Files::All),
            ["files", id] => Self::Files(Files::One(id)),
            ["files", id, "content"] => Self::Files(Files::Content(id)),
            ["skills"] => Self::Skills(Skills::All),
            ["skills", id] => Self::Skills(Skills::One(id)),
            ["skills", id, "versions"] => Self::Skills(Skills::Versions(id)),
            ["skills", id, "versions", version] => Self::Skills(Skills::Version(id, version)),
            ["skills", id, "versions", version, "content"] => Self::Skills(Skills::Content(id, version)),
            ["user_profiles"] => Self::Profiles(Profiles::All),
            ["user_profiles", id] => Self::Profiles(Profiles::One(id)),
            ["user_profiles", id, "action_urls"] => Self::Profiles(Profiles::ActionUrls(id)),
            ["user_profiles", id, "enrollment_url"] => Self::Profiles(Profiles::EnrollmentUrl(id)),
            _ => return None,
        })
    }

    pub(crate) fn methods(self) -> &'static [Method] {
        match self {
            Self::Messages
            | Self::CountTokens
            | Self::Batches(Batches::Cancel(_))
            | Self::Profiles(Profiles::ActionUrls(_) | Profiles::EnrollmentUrl(_)) => POST,
            Self::Models
            | Self::Model(_)
            | Self::Batches(Batches::Results(_))
            | Self::Files(Files::Content(_))
            | Self::Skills(Skills::Content(..)) => GET,
            Self::Batches(Batches::All)
            | Self::Files(Files::All)
            | Self::Skills(Skills::All | Skills::Versions(_))
            | Self::Profiles(Profiles::All) => GET_OR_POST,
            Self::Batches(Batches::One(_))
            | Self::Files(Files::One(_))
            | Self::Skills(Skills::One(_) | Skills::Version(..)) => GET_OR_DELETE,
            Self::Profiles(Profiles::One(_)) => ANY,
        }
    }

    /// Whether an OAuth token needs the scope for inference.
    pub(super) fn is_inference(self) -> bool {
        matches!(self, Self::Messages | Self::CountTokens | Self::Batches(_))
    }

    /// The largest body that is read, in bytes, as in the API.
    pub(crate) fn most(self) -> usize {
        match self {
            Self::Batches(_) => 256 << 20,
            // The file, and the form around it.
            Self::Files(_) => 501 << 20,
            _ => 32 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_an_endpoint_as_a_whole_or_not_at_all() {
        assert_eq!(Call::of("/v1/messages"), Some(Call::Messages));
        assert_eq!(Call::of("/v1/messages/batches/b/results"), Some(Call::Batches(Batches::Results("b"))));
        for path in
            ["/v1/", "/v1", "/v2/messages", "/v1/messages/", "/v1/models//", "/v1/messages/batches/b/x"]
        {
            assert_eq!(Call::of(path), None, "{path}");
        }
    }
}
