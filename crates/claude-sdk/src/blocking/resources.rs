//! The resources, each call passed on.

use std::path::Path;

use super::{BatchJob, Client, Iter, List};
use crate::{
    error::Error,
    limits::OrganizationLimits,
    reply::Reply,
    resources::{BatchResults, Download, FileUpload, JobError, SkillFiles},
    types::{
        BatchRequest, Deleted, FileMetadata, MessageBatch, Model, ModelInfo, ProfileUrl, Skill, SkillVersion,
        UserProfile, UserProfileParams,
    },
};

/// The models a credential may use (`GET /v1/models`): see [`crate::Models`].
///
/// Example: [`blocking`](crate::blocking).
#[derive(Debug, Clone, Copy)]
pub struct Models<'a>(pub(super) &'a Client);

impl<'a> Models<'a> {
    /// The models, newest first.
    pub fn list(self) -> List<'a, ModelInfo> {
        List::new(self.0, self.0.client.models().list())
    }

    /// One model.
    ///
    /// # Errors
    ///
    /// As [`crate::Models::get`].
    pub fn get(self, model: &Model) -> Result<Reply<ModelInfo>, Error> {
        let model = model.clone();
        self.0.run(|client| async move { client.models().get(&model).await })
    }
}

/// Batches of messages: see [`crate::Batches`].
///
/// Example: [`blocking`](crate::blocking).
#[derive(Debug, Clone, Copy)]
pub struct Batches<'a>(pub(super) &'a Client);

impl<'a> Batches<'a> {
    /// Begins a batch.
    ///
    /// # Errors
    ///
    /// As [`crate::Batches::create`].
    pub fn create(self, requests: &[BatchRequest]) -> Result<Reply<MessageBatch>, Error> {
        let requests = requests.to_vec();
        self.0.run(|client| async move { client.batches().create(&requests).await })
    }

    /// Opens the job that is noted in the file at `path`, or a new one; see [`crate::BatchJob`].
    ///
    /// # Errors
    ///
    /// As [`crate::Batches::job`].
    pub fn job(self, path: impl AsRef<Path>) -> Result<BatchJob, JobError> {
        Ok(BatchJob::new(self.0.client.batches().job(path)?, self.0))
    }

    /// One batch.
    ///
    /// # Errors
    ///
    /// As [`crate::Batches::get`].
    pub fn get(self, id: &str) -> Result<Reply<MessageBatch>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.batches().get(&id).await })
    }

    /// All batches, newest first.
    pub fn list(self) -> List<'a, MessageBatch> {
        List::new(self.0, self.0.client.batches().list())
    }

    /// Ends a batch early.
    ///
    /// # Errors
    ///
    /// As [`crate::Batches::cancel`].
    pub fn cancel(self, id: &str) -> Result<Reply<MessageBatch>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.batches().cancel(&id).await })
    }

    /// Deletes a batch that has ended.
    ///
    /// # Errors
    ///
    /// As [`crate::Batches::delete`].
    pub fn delete(self, id: &str) -> Result<Reply<Deleted>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.batches().delete(&id).await })
    }

    /// The results of a batch that has ended, one after another.
    ///
    /// # Errors
    ///
    /// As [`crate::Batches::results`].
    pub fn results(self, id: &str) -> Result<Iter<BatchResults>, Error> {
        let id = id.to_owned();
        let results = self.0.run(|client| async move { client.batches().results(&id).await })?;
        Ok(self.0.iter(|_| results))
    }
}

/// Uploaded files: see [`crate::Files`].
///
/// Example: [`blocking`](crate::blocking).
#[derive(Debug, Clone, Copy)]
pub struct Files<'a>(pub(super) &'a Client);

impl<'a> Files<'a> {
    /// Uploads a file.
    ///
    /// # Errors
    ///
    /// As [`crate::Files::upload`].
    pub fn upload(self, upload: FileUpload) -> Result<Reply<FileMetadata>, Error> {
        self.0.run(|client| async move { client.files().upload(upload).await })
    }

    /// All files.
    pub fn list(self) -> List<'a, FileMetadata> {
        List::new(self.0, self.0.client.files().list())
    }

    /// What is known of a file.
    ///
    /// # Errors
    ///
    /// As [`crate::Files::get`].
    pub fn get(self, id: &str) -> Result<Reply<FileMetadata>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.files().get(&id).await })
    }

    /// Deletes a file.
    ///
    /// # Errors
    ///
    /// As [`crate::Files::delete`].
    pub fn delete(self, id: &str) -> Result<Reply<Deleted>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.files().delete(&id).await })
    }

    /// The content of a file, piece by piece.
    ///
    /// # Errors
    ///
    /// As [`crate::Files::download`].
    pub fn download(self, id: &str) -> Result<Iter<Download>, Error> {
        let id = id.to_owned();
        let download = self.0.run(|client| async move { client.files().download(&id).await })?;
        Ok(self.0.iter(|_| download))
    }
}

/// Skills, and their versions: see [`crate::Skills`].
///
/// Example: [`blocking`](crate::blocking).
#[derive(Debug, Clone, Copy)]
pub struct Skills<'a>(pub(super) &'a Client);

impl<'a> Skills<'a> {
    /// Creates a skill of files.
    ///
    /// # Errors
    ///
    /// As [`crate::Skills::create`].
    pub fn create(self, display_name: Option<&str>, files: SkillFiles) -> Result<Reply<Skill>, Error> {
        let name = display_name.map(str::to_owned);
        self.0.run(|client| async move { client.skills().create(name.as_deref(), files).await })
    }

    /// The skills, newest first.
    pub fn list(self) -> List<'a, Skill> {
        List::new(self.0, self.0.client.skills().list())
    }

    /// One skill.
    ///
    /// # Errors
    ///
    /// As [`crate::Skills::get`].
    pub fn get(self, id: &str) -> Result<Reply<Skill>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.skills().get(&id).await })
    }

    /// Deletes a skill.
    ///
    /// # Errors
    ///
    /// As [`crate::Skills::delete`].
    pub fn delete(self, id: &str) -> Result<Reply<Deleted>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.skills().delete(&id).await })
    }

    /// Creates a new version of a skill.
    ///
    /// # Errors
    ///
    /// As [`crate::Skills::create_version`].
    pub fn create_version(self, id: &str, files: SkillFiles) -> Result<Reply<SkillVersion>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.skills().create_version(&id, files).await })
    }

    /// The versions of a skill, newest first.
    pub fn versions(self, id: &str) -> List<'a, SkillVersion> {
        List::new(self.0, self.0.client.skills().versions(id))
    }

    /// One version of a skill.
    ///
    /// # Errors
    ///
    /// As [`crate::Skills::version`].
    pub fn version(self, id: &str, version: &str) -> Result<Reply<SkillVersion>, Error> {
        let (id, version) = (id.to_owned(), version.to_owned());
        self.0.run(|client| async move { client.skills().version(&id, &version).await })
    }

    /// Deletes a version of a skill.
    ///
    /// # Errors
    ///
    /// As [`crate::Skills::delete_version`].
    pub fn delete_version(self, id: &str, version: &str) -> Result<Reply<Deleted>, Error> {
        let (id, version) = (id.to_owned(), version.to_owned());
        self.0.run(|client| async move { client.skills().delete_version(&id, &version).await })
    }

    /// The files of a version, as one archive, piece by piece.
    ///
    /// # Errors
    ///
    /// As [`crate::Skills::download_version`].
    pub fn download_version(self, id: &str, version: &str) -> Result<Iter<Download>, Error> {
        let (id, version) = (id.to_owned(), version.to_owned());
        let download =
            self.0.run(|client| async move { client.skills().download_version(&id, &version).await })?;
        Ok(self.0.iter(|_| download))
    }
}

/// What an application tells the service about the people it acts for: see [`crate::UserProfiles`].
///
/// Example: [`blocking`](crate::blocking).
#[derive(Debug, Clone, Copy)]
pub struct UserProfiles<'a>(pub(super) &'a Client);

impl<'a> UserProfiles<'a> {
    /// Creates a profile.
    ///
    /// # Errors
    ///
    /// As [`crate::UserProfiles::create`].
    pub fn create(self, params: &UserProfileParams) -> Result<Reply<UserProfile>, Error> {
        let params = params.clone();
        self.0.run(|client| async move { client.user_profiles().create(&params).await })
    }

    /// The profiles.
    pub fn list(self) -> List<'a, UserProfile> {
        List::new(self.0, self.0.client.user_profiles().list())
    }

    /// One profile.
    ///
    /// # Errors
    ///
    /// As [`crate::UserProfiles::get`].
    pub fn get(self, id: &str) -> Result<Reply<UserProfile>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.user_profiles().get(&id).await })
    }

    /// Changes a profile.
    ///
    /// # Errors
    ///
    /// As [`crate::UserProfiles::update`].
    pub fn update(self, id: &str, params: &UserProfileParams) -> Result<Reply<UserProfile>, Error> {
        let (id, params) = (id.to_owned(), params.clone());
        self.0.run(|client| async move { client.user_profiles().update(&id, &params).await })
    }

    /// Deletes a profile.
    ///
    /// # Errors
    ///
    /// As [`crate::UserProfiles::delete`].
    pub fn delete(self, id: &str) -> Result<Reply<Deleted>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.user_profiles().delete(&id).await })
    }

    /// A link by which a user does something.
    ///
    /// # Errors
    ///
    /// As [`crate::UserProfiles::create_action_url`].
    pub fn create_action_url(self, id: &str, action: &str) -> Result<Reply<ProfileUrl>, Error> {
        let (id, action) = (id.to_owned(), action.to_owned());
        self.0.run(|client| async move { client.user_profiles().create_action_url(&id, &action).await })
    }

    /// A link by which a user enrols in a program.
    ///
    /// # Errors
    ///
    /// As [`crate::UserProfiles::create_enrollment_url`].
    pub fn create_enrollment_url(self, id: &str) -> Result<Reply<ProfileUrl>, Error> {
        let id = id.to_owned();
        self.0.run(|client| async move { client.user_profiles().create_enrollment_url(&id).await })
    }
}

/// What an organization may know about itself: see [`crate::Organization`].
///
/// Example: [`blocking`](crate::blocking).
#[derive(Debug, Clone, Copy)]
pub struct Organization<'a>(pub(super) &'a Client);

impl Organization<'_> {
    /// The rate limits of the organization.
    ///
    /// # Errors
    ///
    /// As [`crate::Organization::rate_limits`].
    pub fn rate_limits(self) -> Result<OrganizationLimits, Error> {
        self.0.run(|client| async move { client.organization().rate_limits().await })
    }
}
