use std::{
    fs, io,
    path::{Path, PathBuf},
};

use secrets::{SecretName, providers::Env};

use super::{Member, Profile, ProfileName, UnknownMember, collection::Collection, disk};
use crate::{
    error::{ProfileError, StoreError},
    token_store::{FileTokenStore, TokenStore as _},
};

/// The folder in which profiles are kept.
///
/// Files are read and written on the calling thread: they are small. A file is read only if nobody but its owner may
/// change it, and is then a regular file and no link; it is written whole or not at all.
///
/// Example: [`profile`](crate::profile).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profiles {
    folder: PathBuf,
    /// What `~/` stands for in `credentials_path`.
    home: Option<PathBuf>,
}

impl Profiles {
    /// The profiles below `folder`; nothing is read or made yet.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), home: None }
    }

    /// The profiles of whoever has this environment.
    ///
    /// They are in `ANTHROPIC_CONFIG_DIR`, or else below `anthropic` in `XDG_CONFIG_HOME` (if that is an absolute path) or
    /// `~/.config`; on Windows below `Anthropic` in `APPDATA`.
    ///
    /// # Errors
    ///
    /// [`ProfileError::NoFolder`] where none of these is set, [`ProfileError::Unsafe`] where one is set to what cannot be a
    /// path.
    pub fn of(env: &Env) -> Result<Self, ProfileError> {
        Self::on(env, cfg!(windows))
    }

    fn on(env: &Env, windows: bool) -> Result<Self, ProfileError> {
        let path = |variable: &str| -> Result<Option<PathBuf>, ProfileError> {
            Ok(env.read(&SecretName::new(variable)?)?.map(|value| PathBuf::from(value.expose())))
        };
        let home = path(if windows { "USERPROFILE" } else { "HOME" })?;
        if let Some(folder) = path("ANTHROPIC_CONFIG_DIR")? {
            return Ok(Self { folder, home });
        }
        let folder = if windows {
            let roaming = path("APPDATA")?.or_else(|| Some(home.as_ref()?.join("AppData").join("Roaming")));
            roaming.map(|roaming| roaming.join("Anthropic"))
        } else {
            let xdg = path("XDG_CONFIG_HOME")?.filter(|path| path.is_absolute());
            let config = xdg.or_else(|| Some(home.as_ref()?.join(".config")));
            config.map(|config| config.join("anthropic"))
        };
        Ok(Self { folder: folder.ok_or(ProfileError::NoFolder)?, home })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The names of all profiles, in order.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Io`] where the folder is there and cannot be read; others where `profiles.json` cannot be used.
    #[inline]
    pub fn list(&self) -> Result<Vec<ProfileName>, ProfileError> {
        let folder = self.folder.join("configs");
        let failed = |source: io::Error| ProfileError::io("reading", &folder, &source);
        let mut names: Vec<ProfileName> = self.collection()?.names().collect();
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            entries => Some(entries.map_err(failed)?),
        };
        for entry in entries.into_iter().flatten() {
            let file = entry.map_err(failed)?.file_name();
            let name = file.to_str().and_then(|file| file.strip_suffix(".json"));
            names.extend(name.and_then(|name| ProfileName::new(name).ok()));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// What is in `profiles.json` beside the profiles and not known here: it is kept, and means nothing.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] where the file cannot be used.
    #[inline]
    pub fn unknown_members(&self) -> Result<Vec<UnknownMember>, ProfileError> {
        Ok(self.collection()?.unknown_members())
    }

    /// The profile that is used when nobody names one: what `active_config` says. `None` where it says nothing; the
    /// profile [`default`](ProfileName::default) is used then.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] where the file is there and cannot be used.
    pub fn active(&self) -> Result<Option<ProfileName>, ProfileError> {
        let path = self.pointer();
        let Some(bytes) = disk::read(&path)? else { return Ok(None) };
        let text = String::from_utf8(bytes);
        let text =
            text.map_err(|_| ProfileError::Corrupt { path: path.clone(), what: "it is not text".into() })?;
        match text.trim_start_matches('\u{feff}').trim() {
            "" => Ok(None),
            name => ProfileName::from(name, format!("what {path:?} holds")).map(Some),
        }
    }

    /// Makes a profile the one that is used when nobody names one.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] where there is no such profile, or nothing could be written; all is then as before.
    #[inline]
    pub fn activate(&self, name: &ProfileName) -> Result<(), ProfileError> {
        self.load(name)?;
        disk::write(&self.pointer(), format!("{name}\n").as_bytes())
    }

    /// Reads a profile: from a file of its own, or else from `profiles.json`.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Missing`] where there is none, and others where it cannot be used.
    pub fn load(&self, name: &ProfileName) -> Result<Profile, ProfileError> {
        let path = self.config(name);
        match disk::read(&path)? {
            Some(bytes) => Profile::parse(&path, &bytes),
            None => self.collection()?.get(name)?.ok_or_else(|| self.missing(name)),
        }
    }

    /// Writes a profile, as new or in place of the one of this name; into `profiles.json` where that one is there.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] where it could not be written, or what is there cannot be read: it may be of a version to come. All
    /// is then as before.
    #[inline]
    pub fn save(&self, name: &ProfileName, profile: &Profile) -> Result<(), ProfileError> {
        let _lock = disk::lock(&self.folder)?;
        self.write(name, profile)
    }

    /// Reads a profile, has `change` make the next one of it, and writes that, while nobody else writes: of two changes at once,
    /// the second is made to what the first has written. `change` is given `None` where there is no such profile yet.
    ///
    /// # Errors
    ///
    /// Those of `change`, of [`load`](Self::load) and of [`save`](Self::save); all is then as before.
    pub fn change<E: From<ProfileError>>(
        &self,
        name: &ProfileName,
        change: impl FnOnce(Option<Profile>) -> Result<Profile, E>,
    ) -> Result<(), E> {
        let _lock = disk::lock(&self.folder)?;
        let profile = match self.load(name) {
            Ok(profile) => Some(profile),
            Err(ProfileError::Missing { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(self.write(name, &change(profile)?)?)
    }

    #[inline]
    fn write(&self, name: &ProfileName, profile: &Profile) -> Result<(), ProfileError> {
        match self.load(name) {
            Ok(_) if !self.has_file(name)? => self.collection()?.write(name, Some(profile)),
            Ok(_) | Err(ProfileError::Missing { .. }) => disk::write(&self.config(name), &profile.render()),
            Err(error) => Err(error),
        }
    }

    /// Removes a profile and its tokens, and `active_config` if it names this one. Log out first, if the server is to hear
    /// of it. Tokens in a place of their own (`credentials_path`) are left: that is somebody else's file.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Missing`] where there is none; [`ProfileError::Io`], [`ProfileError::Tokens`] where something may
    /// still be there.
    pub async fn remove(&self, name: &ProfileName) -> Result<(), ProfileError> {
        let has_file = self.has_file(name)?;
        let is_collected = self.collection()?.names().any(|collected| collected == *name);
        if !has_file && !is_collected {
            return Err(self.missing(name));
        }
        // Whoever is renewing them now would write them again.
        let tokens = self.default_tokens(name)?;
        let lock = tokens.lock().await?;
        tokens.remove().await?;
        drop(lock);
        let _lock = disk::lock(&self.folder)?;
        disk::remove(&self.config(name))?;
        if is_collected {
            self.collection()?.write(name, None)?;
        }
        match self.active() {
            Ok(Some(active)) if active == *name => disk::remove(&self.pointer()),
            _ => Ok(()),
        }
    }

    /// Where the tokens of a profile are kept, bound to the deployment it names, if it names a base URL: tokens of
    /// another one are not read, so that whoever changes the base URL or the token endpoint sends them nowhere else.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Member`] where `credentials_path` is neither absolute nor begins with `~/`, or where the
    /// deployment is none that credentials may be sent to.
    pub fn tokens(&self, name: &ProfileName, profile: &Profile) -> Result<FileTokenStore, ProfileError> {
        let tokens = self.unbound_tokens(name, profile)?;
        Ok(match profile.get(Member::BaseUrl) {
            Some(_) => tokens.deployment(&profile.base_url()?, profile.server()?.token_endpoint()),
            None => tokens,
        })
    }

    fn unbound_tokens(&self, name: &ProfileName, profile: &Profile) -> Result<FileTokenStore, ProfileError> {
        let Some(path) = profile.get(Member::CredentialsPath) else { return self.default_tokens(name) };
        let path = match (path.strip_prefix("~/"), &self.home) {
            (Some(below), Some(home)) => home.join(below),
            _ => PathBuf::from(path),
        };
        if !path.is_absolute() {
            let what = "is a relative path, which means another place for each program; make it absolute";
            return Err(ProfileError::member(Member::CredentialsPath, what));
        }
        Ok(FileTokenStore::at(path))
    }

    fn default_tokens(&self, name: &ProfileName) -> Result<FileTokenStore, ProfileError> {
        Ok(FileTokenStore::new(&self.folder, name.as_str())?)
    }

    fn collection(&self) -> Result<Collection, ProfileError> {
        Collection::read(&self.folder)
    }

    /// Whether it is a file of its own, in whatever state.
    #[inline]
    fn has_file(&self, name: &ProfileName) -> Result<bool, ProfileError> {
        let path = self.config(name);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            found => found.map(|_| true).map_err(|source| ProfileError::io("reading", &path, &source)),
        }
    }

    fn missing(&self, name: &ProfileName) -> ProfileError {
        ProfileError::Missing { name: name.to_string(), folder: self.folder.clone() }
    }

    fn config(&self, name: &ProfileName) -> PathBuf {
        self.folder.join("configs").join(format!("{name}.json"))
    }

    fn pointer(&self) -> PathBuf {
        self.folder.join("active_config")
    }
}

impl From<StoreError> for ProfileError {
    fn from(error: StoreError) -> Self {
        Self::Tokens(error)
    }
}
