use std::sync::{Arc, Mutex};

use auth_core::{Challenge, MissingScope, ScopeSet};
use futures_util::future::{Either, select};
use http::{StatusCode, Uri};
use transport::{
    Clock, Deadline, Error, ErrorKind, HttpBackend, Reach, Request, Response, Sending, TimeoutKind, Upload,
};
use url::{Origin, Url};

use super::measure::Measured;
use crate::{
    config::{ApiVersion, BaseUrl},
    credentials::{Credential, CredentialProvider},
    error::{AuthError, ConfigError},
    limits::Reported,
    reply::REQUEST_ID,
};

/// Puts a fresh credential on each attempt, and answers a 401 with one renewal and one replay; without the replay where the
/// body can be read only once.
///
/// It sends a credential to the configured origin only, and never unencrypted except on loopback. A credential that is
/// [bound](Credential::bound_to) to another origin is not sent at all. A request with a [`Deadline`] waits no longer than
/// that for its credential; a renewal that is under way goes on without it.
///
/// ```
/// use std::sync::Arc;
/// use claude_sdk::{ApiVersion, ConfigError, credentials::CredentialProvider, layers::Authorize};
/// use claude_sdk::transport::{HttpBackend, SystemClock};
///
/// /// Any backend, with a credential on all that goes to this server.
/// fn authorized(backend: impl HttpBackend, who: Arc<dyn CredentialProvider>) -> Result<impl HttpBackend, ConfigError> {
///     Authorize::new(backend, who, "https://api.anthropic.com", ApiVersion::default(), Arc::new(SystemClock))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Authorize<B> {
    backend: B,
    provider: Arc<dyn CredentialProvider>,
    base: BaseUrl,
    origin: Origin,
    needs: ScopeSet,
    version: ApiVersion,
    clock: Arc<dyn Clock>,
    /// Where the limits of the newest answer are kept, if anywhere.
    reported: Option<Arc<Mutex<Reported>>>,
}

/// In a response: what it was asked for with. Nobody outside of this crate can take it out.
#[derive(Debug, Clone)]
pub(crate) struct Sent(pub(crate) Credential);

impl<B> Authorize<B> {
    /// Wraps `backend`; credentials of `provider` go to the origin of `base_url` and nowhere else.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where `base_url` is no URL that a credential may be sent to.
    pub fn new(
        backend: B,
        provider: Arc<dyn CredentialProvider>,
        base_url: &str,
        version: ApiVersion,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let base = BaseUrl::parse(base_url)?;
        let origin = base.as_url().origin();
        let needs = ScopeSet::default();
        Ok(Self { backend, provider, base, origin, needs, version, clock, reported: None })
    }

    /// Sends nothing with a token that is known not to have these scopes.
    #[must_use]
    pub fn needs(self, needs: ScopeSet) -> Self {
        Self { needs, ..self }
    }

    /// Keeps what answers say about limits.
    pub(crate) fn reporting_to(self, reported: Arc<Mutex<Reported>>) -> Self {
        Self { reported: Some(reported), ..self }
    }

    /// Takes note of what an answer says about limits.
    #[inline]
    fn note(&self, answer: &Result<Response, Error>) {
        if let (Some(reported), Ok(response)) = (&self.reported, answer) {
            Reported::keep_in(reported, response.headers(), &*self.clock);
        }
    }
}

impl<B: HttpBackend> Authorize<B> {
    /// A credential that may be sent where this layer sends it.
    async fn credential(&self, deadline: Option<Deadline>) -> Result<Credential, Error> {
        let credential = match (self.provider.ready(), deadline) {
            (Some(credential), _) => credential,
            (None, None) => (*self.provider).credential().await.map_err(Error::refused)?,
            (None, Some(deadline)) => Box::pin(self.credential_before(deadline)).await?,
        };
        self.check(&credential)?;
        Ok(credential)
    }

    #[inline(always)]
    fn check(&self, credential: &Credential) -> Result<(), Error> {
        if let Some(owner) = credential.origin()
            && *owner != self.origin
        {
            return Err(foreign(owner, &self.origin));
        }
        if let Some(granted) = credential.scopes() {
            let checked = MissingScope::check(&self.needs, granted);
            checked.map_err(|missing| Error::refused(AuthError::from(missing)))?;
        }
        Ok(())
    }

    async fn credential_before(&self, Deadline(deadline): Deadline) -> Result<Credential, Error> {
        let left = deadline.duration_since(self.clock.now()).unwrap_or_default();
        match select((*self.provider).credential(), self.clock.sleep(left)).await {
            Either::Left((credential, _)) => credential.map_err(Error::refused),
            Either::Right(_) => Err(Error::bare(ErrorKind::Timeout(TimeoutKind::Total), Reach::NotSent)),
        }
    }

    /// Sends `request` with `credential` on it.
    #[inline(always)]
    fn attempt(&self, mut request: Request, credential: &Credential) -> Sending<'_> {
        credential.attach(self.version, request.headers_mut());
        self.backend.send(request)
    }

    /// Sends it with a credential that may have to be waited for, and once more where that is refused and another is to be had.
    async fn renewing(&self, request: Box<Request>) -> Result<Response, Error> {
        let deadline = request.extensions().get::<Deadline>().copied();
        let credential = self.credential(deadline).await?;
        let again = credential.is_renewable().then(|| request.clone());
        let response = answer(self.attempt(*request, &credential), &credential).await?;
        let Some(again) = again.filter(|_| may_be_stale(&response)) else { return Ok(response) };
        self.provider.reject(&credential);
        if Upload::of(&again).is_some_and(Upload::is_once) {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let renewed = self.credential(deadline).await.map_err(|error| error.with_last_reply(&head))?;
        if renewed.is_same(&credential) {
            return Ok(Response::from_parts(head, body));
        }
        drop((head, body));
        answer(self.attempt(*again, &renewed), &renewed).await
    }
}

impl<B: HttpBackend> HttpBackend for Authorize<B> {
    fn send<'a, 'f>(&'a self, mut request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        if !self.base.is_origin_of(request.uri()) {
            return refused(&self.origin, request.uri());
        }
        request.headers_mut().insert(ApiVersion::HEADER, self.version.header());
        match self.provider.ready() {
            // Nothing to wait for, and nothing to send again.
            Some(credential) if !credential.is_renewable() => {
                let sending = self.check(&credential).map(|()| self.attempt(request, &credential));
                // One future, and what it does when it is done in functions: each that lies within it is more to be run over.
                Box::pin(async move {
                    let sending = sending?;
                    let measured = Measured::begins();
                    let mut answer = sending.await;
                    measured.ends(&answer);
                    belongs_to(&mut answer, credential);
                    self.note(&answer);
                    answer
                })
            }
            _ => {
                let sending = self.renewing(Box::new(request));
                Box::pin(async move {
                    let answer = sending.await;
                    self.note(&answer);
                    answer
                })
            }
        }
    }
}

/// Waits for an attempt.
async fn answer(sending: Sending<'_>, credential: &Credential) -> Result<Response, Error> {
    let measured = Measured::begins();
    let mut answer = sending.await;
    measured.ends(&answer);
    belongs_to(&mut answer, credential.clone());
    answer
}

/// Sees to it that the secret an answer was asked for with does not come out again.
#[inline(always)]
fn belongs_to(answer: &mut Result<Response, Error>, credential: Credential) {
    let Ok(response) = answer else { return };
    // What names the call is shown to people, even where the rest of the answer came to nothing.
    let id = response.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    if id.is_some_and(|id| id.contains(credential.expose())) {
        response.headers_mut().remove(&REQUEST_ID);
    }
    // Whoever turns an error body into text takes the secret out of it.
    response.extensions_mut().insert(Sent(credential));
}

/// Whether another token may be let in where this one was not.
///
/// The Claude API refuses with a 401 and no challenge, and so does the official SDKs' test server: such a refusal is taken
/// as one of the token. A challenge that speaks of something else is not (`docs/decisions/0012-unchallenged-401.md`).
fn may_be_stale(response: &Response) -> bool {
    if response.status() != StatusCode::UNAUTHORIZED {
        return false;
    }
    let challenges = Challenge::read(response.headers());
    let of_token = |challenge: &Challenge| {
        challenge.is_bearer() && challenge.param("error").is_none_or(|error| error == "invalid_token")
    };
    challenges.is_empty() || challenges.iter().any(of_token)
}

#[cold]
#[inline(never)]
fn refused(owner: &Origin, target: &Uri) -> Sending<'static> {
    let target = Url::parse(&target.to_string()).map(|url| url.origin());
    let refused = foreign(owner, &target.unwrap_or_else(|_| Origin::new_opaque()));
    Box::pin(std::future::ready(Err(refused)))
}

#[cold]
fn foreign(owner: &Origin, target: &Origin) -> Error {
    let (owner, target) = (owner.ascii_serialization(), target.ascii_serialization());
    Error::refused(AuthError::ForeignOrigin { owner, target })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use bytes::Bytes;
    use transport::Body;

    use super::*;

    /// Answers 401 to the tokens it is told to refuse.
    #[derive(Debug, Default)]
    struct Service {
        refuses: Vec<&'static str>,
        challenge: Option<&'static str>,
        saw: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl HttpBackend for Service {
        async fn send(&self, request: Request) -> Result<Response, Error> {
            let bearer = request.headers()["authorization"].to_str().unwrap().to_owned();
            let refused = self.refuses.iter().any(|token| bearer.ends_with(token));
            self.saw.lock().unwrap().push(bearer);
            let mut response = Response::new(Body::empty());
            if refused {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                let challenge = self.challenge.map(http::HeaderValue::from_static);
                response.headers_mut().extend(challenge.map(|value| (http::header::WWW_AUTHENTICATE, value)));
            }
            Ok(response)
        }
    }

    /// Renews once, from `t1` to `t2`, when the first generation is refused.
    #[derive(Debug, Default)]
    struct Renewing(Mutex<u64>);

    #[async_trait]
    impl CredentialProvider for Renewing {
        async fn credential(&self) -> Result<Credential, AuthError> {
            let generation = *self.0.lock().unwrap();
            Credential::token(format!("t{}", generation + 1).into(), generation)
        }

        fn reject(&self, refused: &Credential) {
            *self.0.lock().unwrap() = (refused.generation() + 1).min(1);
        }
    }

    /// The caller hears of the refusal, and the next call goes with another token.
    #[tokio::test]
    async fn a_body_that_can_be_read_once_is_not_sent_again() {
        let service = Arc::new(Service { refuses: vec!["t1"], ..Service::default() });
        let (provider, clock) = (Arc::new(Renewing::default()), Arc::new(transport::SystemClock));
        let base = "https://api.example/";
        let layer =
            Authorize::new(Arc::clone(&service), provider, base, ApiVersion::default(), clock).unwrap();
        for (status, upload) in
            [(401, Upload::once(None, Body::from("hello"))), (200, Upload::once(None, Body::from("hello")))]
        {
            let mut request = request("https://api.example/v1/files");
            request.extensions_mut().insert(upload);
            assert_eq!(layer.send(request).await.unwrap().status(), status);
        }
        assert_eq!(*service.saw.lock().unwrap(), ["Bearer t1", "Bearer t2"]);
    }

    fn request(uri: &str) -> Request {
        http::Request::get(uri).body(Bytes::new()).unwrap()
    }

    async fn through(
        service: Service,
        provider: impl CredentialProvider,
        uri: &str,
    ) -> (Result<Response, Error>, Vec<String>) {
        let service = Arc::new(service);
        let (provider, base) = (Arc::new(provider), "https://api.example/gateway");
        let clock = Arc::new(transport::SystemClock);
        let layer = Authorize::new(Arc::clone(&service), provider, base, ApiVersion::default(), clock);
        let result = layer.unwrap().send(request(uri)).await;
        let saw = service.saw.lock().unwrap().clone();
        (result, saw)
    }

    #[tokio::test]
    async fn a_401_is_answered_with_one_renewal_and_one_replay() {
        let service = Service { refuses: vec!["t1"], ..Service::default() };
        let (result, saw) = through(service, Renewing::default(), "https://api.example/v1").await;
        assert_eq!(result.unwrap().status(), 200);
        assert_eq!(saw, ["Bearer t1", "Bearer t2"]);
    }

    #[tokio::test]
    async fn a_challenge_that_is_not_about_the_token_renews_nothing() {
        for (challenge, calls) in [
            (r#"Bearer error="invalid_token""#, 2),
            ("Bearer", 2),
            (r#"Basic realm="gateway", Bearer error="invalid_token""#, 2),
            (r#"Basic realm="gateway""#, 1),
            (r#"Bearer error="insufficient_scope""#, 1),
            (r#"Bearer error="invalid_request""#, 1),
        ] {
            let service = Service { refuses: vec!["t1"], challenge: Some(challenge), ..Service::default() };
            let (result, saw) = through(service, Renewing::default(), "https://api.example/v1").await;
            assert_eq!((result.unwrap().status() == 200, saw.len()), (calls == 2, calls), "{challenge}");
        }
    }

    #[tokio::test]
    async fn a_second_401_is_the_answer() {
        let service = Service { refuses: vec!["t1", "t2"], ..Service::default() };
        let (result, saw) = through(service, Renewing::default(), "https://api.example/v1").await;
        assert_eq!(result.unwrap().status(), 401);
        assert_eq!(saw.len(), 2);
    }

    #[tokio::test]
    async fn a_401_for_an_api_key_is_not_replayed() {
        let service = Service { refuses: vec!["key"], ..Service::default() };
        let key = Credential::api_key("key".into()).unwrap();
        let (result, saw) = through(service, key, "https://api.example/v1").await;
        assert_eq!(result.unwrap().status(), 401);
        assert_eq!(saw.len(), 1);
    }

    #[tokio::test]
    async fn nothing_is_sent_to_another_origin() {
        for uri in ["https://evil.example/v1", "http://api.example/v1", "https://api.example:444/v1"] {
            let (result, saw) = through(Service::default(), Renewing::default(), uri).await;
            let refusal = result.unwrap_err().into_refusal::<AuthError>().unwrap();
            assert!(matches!(refusal, AuthError::ForeignOrigin { .. }), "{uri}: {refusal}");
            assert_eq!(saw.len(), 0, "{uri}");
        }
    }

    /// Answers at once, and never otherwise.
    #[derive(Debug)]
    struct AtOnce(Credential);

    #[async_trait]
    impl CredentialProvider for AtOnce {
        async fn credential(&self) -> Result<Credential, AuthError> {
            panic!("what is ready need not be waited for")
        }

        fn ready(&self) -> Option<Credential> {
            Some(self.0.clone())
        }
    }

    #[tokio::test]
    async fn a_credential_of_another_deployment_is_not_sent() {
        let token = Credential::token("t".into(), 1).unwrap();
        for other in ["https://other.example/", "http://api.example/", "https://api.example:444/"] {
            let bound = token.clone().bound_to(&other.parse().unwrap());
            let (result, saw) = through(Service::default(), AtOnce(bound), "https://api.example/v1").await;
            let refusal = result.unwrap_err().into_refusal::<AuthError>().unwrap();
            let AuthError::ForeignOrigin { owner, target } = &refusal else { panic!("{refusal}") };
            assert_eq!((&**owner, &**target), (other.trim_end_matches('/'), "https://api.example"));
            assert!(refusal.to_string().contains("base URL"), "{refusal}");
            assert_eq!(saw.len(), 0, "{other}");
        }
        let bound = token.bound_to(&"https://API.example:443/gateway/".parse().unwrap());
        let (result, saw) = through(Service::default(), AtOnce(bound), "https://api.example/v1").await;
        assert_eq!((result.unwrap().status().as_u16(), saw.len()), (200, 1));
    }
}
