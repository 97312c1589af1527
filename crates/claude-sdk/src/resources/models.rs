use super::{List, Paging, call, route::segment};
use crate::{
    client::Client,
    error::Error,
    reply::Reply,
    types::{Model, ModelInfo},
};

/// The models a credential may use (`/v1/models`).
///
/// Example: [`ModelInfo`](crate::types::ModelInfo).
#[derive(Debug, Clone, Copy)]
pub struct Models<'a>(pub(crate) &'a Client);

impl Models<'_> {
    /// The models, newest first (`GET /v1/models`).
    pub fn list(self) -> List<ModelInfo> {
        List::new(self.0, "v1/models", Paging::Id)
    }

    /// One model (`GET /v1/models/{model_id}`).
    ///
    /// # Errors
    ///
    /// [`Error::Api`] with status 404 for a model this credential does not know, or any other [`Error`] of a call.
    pub async fn get(self, model: &Model) -> Result<Reply<ModelInfo>, Error> {
        call::get(self.0, &format!("v1/models/{}", segment(model.as_str())?)).await
    }
}
