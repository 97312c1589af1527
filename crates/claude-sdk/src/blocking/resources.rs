//! The resources, each call passed on.

use super::{Client, Iter, List};
use crate::{
    error::Error,
    reply::Reply,
    resources::{BatchResults, Download, FileUpload},
    types::{BatchRequest, Deleted, FileMetadata, MessageBatch, Model, ModelInfo},
};

/// The models a credential may use (`GET /v1/models`): see [`crate::Models`].
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
