//! The calls that most routes are: JSON or nothing out, JSON back.

use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::{Serialize, de::DeserializeOwned};
use transport::Request;

use super::multipart::{self, Form};
use crate::{
    client::Client,
    error::{ConfigError, Error},
    layers::Charge,
    reply::{self, Reply},
};

pub(super) async fn get<T: DeserializeOwned + Send + Sync + 'static>(
    client: &Client,
    route: &str,
) -> Result<Reply<T>, Error> {
    send(client, Method::GET, route, Bytes::new()).await
}

pub(super) async fn delete<T: DeserializeOwned + Send + Sync + 'static>(
    client: &Client,
    route: &str,
) -> Result<Reply<T>, Error> {
    send(client, Method::DELETE, route, Bytes::new()).await
}

pub(super) async fn post<T: DeserializeOwned + Send + Sync + 'static>(
    client: &Client,
    route: &str,
    body: &(impl Serialize + ?Sized),
) -> Result<Reply<T>, Error> {
    let body = client.encode(body).map_err(ConfigError::Serialize)?;
    send(client, Method::POST, route, body).await
}

/// Posts what is JSON already.
pub(super) async fn post_encoded<T: DeserializeOwned + Send + Sync + 'static>(
    client: &Client,
    route: &str,
    body: Bytes,
) -> Result<Reply<T>, Error> {
    send(client, Method::POST, route, body).await
}

/// Posts without a body.
pub(super) async fn act<T: DeserializeOwned + Send + Sync + 'static>(
    client: &Client,
    route: &str,
) -> Result<Reply<T>, Error> {
    send(client, Method::POST, route, Bytes::new()).await
}

/// Posts without a body to a route that is a beta.
pub(super) async fn act_with_beta<T: DeserializeOwned + Send + Sync + 'static>(
    client: &Client,
    route: &str,
    beta: &'static str,
) -> Result<Reply<T>, Error> {
    let mut request = client.request(Method::POST, route, Bytes::new(), |_| Charge::default())?;
    request.headers_mut().append("anthropic-beta", HeaderValue::from_static(beta));
    answer(client, request).await
}

/// Posts a form.
pub(super) async fn submit<T: DeserializeOwned + Send + Sync + 'static>(
    client: &Client,
    route: &str,
    form: Form,
) -> Result<Reply<T>, Error> {
    let mut request = client.request(Method::POST, route, Bytes::new(), |_| Charge::default())?;
    form.attach(&mut request)?;
    answer(client, request).await.map_err(multipart::of_content)
}

async fn send<T: DeserializeOwned + Send + Sync + 'static>(
    client: &Client,
    method: Method,
    route: &str,
    body: Bytes,
) -> Result<Reply<T>, Error> {
    answer(client, client.request(method, route, body, |_| Charge::default())?).await
}

async fn answer<T: DeserializeOwned + Send + Sync + 'static>(
    client: &Client,
    request: Request,
) -> Result<Reply<T>, Error> {
    Ok(client.call(request, |response| reply::json(response, client.clock())).await?.0)
}
