//! Secrets that a profile has for other programs.

use std::collections::BTreeMap;

use secrets::Reference;
use serde_json::{Value, json};

use super::{Profile, document};
use crate::error::ProfileError;

pub(super) const ENVIRONMENT: &str = "environment";

impl Profile {
    /// What a program that is started as this profile finds in its environment besides: names of variables, and where the value
    /// of each is. The official SDKs keep this member (`environment`) and do not read it.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Variable`] where a name or a reference is none, which is not repeated, for it may be the secret; or where
    /// a variable is one that says whose calls these are, which the profile does itself.
    #[inline]
    pub fn variables(&self) -> Result<BTreeMap<String, Reference>, ProfileError> {
        let members = match self.members().get(ENVIRONMENT) {
            None | Some(Value::Null) => return Ok(BTreeMap::new()),
            Some(Value::Object(members)) => members,
            Some(_) => return Err(unusable("NAME", NO_OBJECT)),
        };
        let read = |(name, value): (&String, &Value)| {
            check(name)?;
            check_free(name)?;
            let reference = document::reference(value.as_str().unwrap_or_default());
            Ok((name.clone(), reference.map_err(|what| unusable(name, what))?))
        };
        members.iter().map(read).collect()
    }

    /// Sets where the value of a variable is, or removes the variable.
    ///
    /// # Errors
    ///
    /// As [`variables`](Self::variables); the profile is then as before.
    #[inline]
    pub fn set_variable(&mut self, name: &str, reference: Option<&str>) -> Result<(), ProfileError> {
        check(name)?;
        if let Some(text) = reference {
            check_free(name)?;
            document::reference(text).map_err(|what| unusable(name, what))?;
        }
        let members = self.members_mut().entry(ENVIRONMENT).or_insert_with(|| json!({}));
        let Some(members) = members.as_object_mut() else { return Err(unusable(name, NO_OBJECT)) };
        match reference {
            Some(text) => drop(members.insert(name.to_owned(), text.into())),
            None => drop(members.remove(name)),
        }
        if members.is_empty() {
            self.members_mut().remove(ENVIRONMENT);
        }
        Ok(())
    }
}

const NO_OBJECT: &str =
    "cannot be there: `environment` is no object of names and references; write {\"NAME\": \"env:NAME\"}";

fn unusable(name: &str, what: &'static str) -> ProfileError {
    ProfileError::Variable { name: name.to_owned(), what }
}

/// What the profile itself decides: another one in the environment would be used in its place, or be overwritten.
#[inline]
fn check_free(name: &str) -> Result<(), ProfileError> {
    const TAKEN: [&str; 8] = [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_IDENTITY_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CONFIG_DIR",
        "ANTHROPIC_PROFILE",
        "CLAUDE_CLIENT_ID",
        "CLAUDE_CLIENT_SECRET",
    ];
    if !TAKEN.contains(&name) {
        return Ok(());
    }
    let what = "is set by the profile itself; remove it, and set `api_key`, `base_url`, `client_id` or `client_secret`";
    Err(unusable(name, what))
}

/// Names as POSIX has them: nothing that a shell or a system reads in another way.
#[inline]
fn check(name: &str) -> Result<(), ProfileError> {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty()
        && name.bytes().all(of_name)
        && !name.starts_with(|first: char| first.is_ascii_digit())
    {
        return Ok(());
    }
    let what = "cannot be named so; take letters, digits and `_`, and no digit first";
    Err(unusable("of the environment", what))
}
