//! `profiles.json`: several profiles in one file, which can be looked over, compared and passed on, for there is no secret in it.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Profile, ProfileName, UnknownMember, disk, document, unknown};
use crate::error::ProfileError;

const PROFILES: &str = "profiles";

/// The file as it was read: members that are not known here are kept.
pub(super) struct Collection {
    path: PathBuf,
    members: Map<String, Value>,
}

impl Collection {
    /// What is in `folder`; without a file, nothing.
    pub(super) fn read(folder: &Path) -> Result<Self, ProfileError> {
        let path = folder.join("profiles.json");
        let Some(bytes) = disk::read(&path)? else { return Ok(Self { path, members: Map::new() }) };
        let members = document::members(&path, &bytes)?;
        let corrupt = |what: String| ProfileError::Corrupt { path: path.clone(), what };
        let Some(Value::Object(profiles)) = members.get(PROFILES) else {
            return Err(corrupt("it has no object `profiles`".into()));
        };
        // Nobody could name that one, and whoever wrote it believes that it is there.
        if let Some(name) = profiles.keys().find(|name| ProfileName::new(name.as_str()).is_err()) {
            return Err(corrupt(format!(
                "a name of {} characters in it is no profile's: take letters, digits, `.`, `_` and `-`, and no dot first",
                name.chars().count()
            )));
        }
        Ok(Self { path, members })
    }

    /// What is beside the profiles and not known here.
    #[inline]
    pub(super) fn unknown_members(&self) -> Vec<UnknownMember> {
        unknown::of(&self.members, "", &["version", PROFILES].map(str::to_owned))
    }

    #[inline]
    pub(super) fn names(&self) -> impl Iterator<Item = ProfileName> {
        self.profiles().into_iter().flat_map(Map::keys).filter_map(|name| ProfileName::new(name).ok())
    }

    pub(super) fn get(&self, name: &ProfileName) -> Result<Option<Profile>, ProfileError> {
        let corrupt = |what: String| {
            let what = format!("of profile {name}: {what}");
            ProfileError::Corrupt { path: self.path.clone(), what }
        };
        match self.profiles().and_then(|profiles| profiles.get(name.as_str())) {
            None => Ok(None),
            Some(Value::Object(members)) => Profile::checked(members.clone(), corrupt).map(Some),
            Some(_) => Err(corrupt("it is not a JSON object".into())),
        }
    }

    /// Puts a profile there, or takes it away.
    #[inline]
    pub(super) fn write(mut self, name: &ProfileName, profile: Option<&Profile>) -> Result<(), ProfileError> {
        let profiles = self.members.entry(PROFILES).or_insert_with(|| json!({}));
        if let Some(profiles) = profiles.as_object_mut() {
            match profile {
                Some(profile) => drop(profiles.insert(name.to_string(), profile.members().clone().into())),
                None => drop(profiles.remove(name.as_str())),
            }
        }
        disk::write(&self.path, format!("{:#}\n", Value::Object(self.members)).as_bytes())
    }

    fn profiles(&self) -> Option<&Map<String, Value>> {
        self.members.get(PROFILES)?.as_object()
    }
}
