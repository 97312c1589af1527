//! A profile's session, as a client uses it.

use std::time::Duration;

use claude_sdk::{
    AuthError, Client, ClientBuilder, Error, StoreError, http,
    secrets::providers::Env,
    transport::{self, HttpBackend},
};
use mock_server::Entry;

use super::*;
use crate::{
    metrics::Notes,
    rig::{Place, access, backend, held, hello},
};

const SCOPES: &str = "user:inference user:profile";
const HOUR: Duration = Duration::from_secs(8 * 3600);

/// A server, and a folder of profiles for it.
struct Desk {
    place: Place,
    profiles: Profiles,
    _folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let profiles = Profiles::at(folder.path().join("config"));
        Self { place: Place::new(held()).await, profiles, _folder: folder }
    }

    /// A profile of `place` with a fresh login.
    async fn log_in(&self, place: &Place, who: &str) -> String {
        let mut profile = Profile::user_oauth();
        profile.set(Member::BaseUrl, Some(place.mock.base_url().as_str())).unwrap();
        profile.set(Member::ClientId, Some(place.mock.client_id())).unwrap();
        self.profiles.save(&name(who), &profile).unwrap();
        self.write_tokens(place, who, &profile).await
    }

    async fn write_tokens(&self, place: &Place, who: &str, profile: &Profile) -> String {
        let session = place.login(SCOPES).await;
        let token = access(&session).to_owned();
        self.profiles.tokens(&name(who), profile).unwrap().save(session).await.unwrap();
        token
    }

    fn env(&self) -> Env {
        env(&[("ANTHROPIC_CONFIG_DIR", self.profiles.path().to_str().unwrap())])
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder().backend(backend()).clock(self.place.clock.clone())
    }

    fn client(&self) -> Client {
        self.builder().environment(&self.env()).unwrap().build().unwrap()
    }

    fn last(&self) -> Entry {
        self.place.mock.journal().pop().unwrap()
    }

    fn sent(&self) -> String {
        self.last().header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_profile_is_all_a_client_needs_and_its_session_is_renewed() {
    let desk = Desk::new().await;
    let token = desk.log_in(&desk.place, "default").await;
    let client = desk.client();
    client.messages().create(&hello()).await.unwrap();
    assert_eq!(desk.sent(), token);
    assert_eq!(desk.last().header("anthropic-workspace-id"), None);
    let before = desk.place.exchanges(200);

    desk.place.advance(HOUR);
    client.messages().create(&hello()).await.unwrap();
    assert_eq!(desk.place.exchanges(200), before + 1);
    let stored =
        desk.profiles.tokens(&name("default"), &Profile::user_oauth()).unwrap().load().await.unwrap();
    assert_eq!(desk.sent(), access(&stored.unwrap()));
}

#[tokio::test]
async fn a_profiles_renewals_are_told_to_the_metrics_of_its_client() {
    let desk = Desk::new().await;
    desk.log_in(&desk.place, "default").await;
    let notes = Notes::default();
    let builder = desk.builder().metrics(notes.clone()).environment(&desk.env());
    let client = builder.unwrap().build().unwrap();
    for _ in 0..2 {
        client.messages().create(&hello()).await.unwrap();
        desk.place.advance(HOUR);
    }
    assert_eq!(notes.take().iter().filter(|line| *line == "refresh: ok").count(), 1);
}

#[tokio::test]
async fn nothing_is_opened_before_it_is_needed() {
    let desk = Desk::new().await;
    desk.log_in(&desk.place, "default").await;
    let tokens = desk.profiles.tokens(&name("default"), &Profile::user_oauth()).unwrap();
    tokens.remove().await.unwrap();
    let (client, before) = (desk.client(), desk.place.mock.journal_len());
    let error = client.models().list().await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::LoginRequired { .. }, ..)), "{error:?}");
    assert_eq!(desk.place.mock.journal_len(), before);

    let profile = desk.profiles.load(&name("default")).unwrap();
    let token = desk.write_tokens(&desk.place, "default", &profile).await;
    client.models().list().await.unwrap();
    assert_eq!(desk.sent(), token, "a login later is found by the same client");
}

#[tokio::test]
async fn a_workspace_travels_as_a_header() {
    let desk = Desk::new().await;
    desk.log_in(&desk.place, "default").await;
    let mut profile = desk.profiles.load(&name("default")).unwrap();
    profile.set(Member::WorkspaceId, Some("wrkspc_1")).unwrap();
    desk.profiles.save(&name("default"), &profile).unwrap();
    desk.client().models().list().await.unwrap();
    assert_eq!(desk.last().header("anthropic-workspace-id"), Some("wrkspc_1"));
}

#[tokio::test]
async fn without_a_client_id_the_token_is_somebody_elses_to_replace_and_read_each_time() {
    let desk = Desk::new().await;
    let mut profile = Profile::user_oauth();
    profile.set(Member::BaseUrl, Some(desk.place.mock.base_url().as_str())).unwrap();
    desk.profiles.save(&name("default"), &profile).unwrap();
    let client = desk.client();
    for _ in 0..2 {
        let token = desk.write_tokens(&desk.place, "default", &profile).await;
        client.models().list().await.unwrap();
        assert_eq!(desk.sent(), token);
    }
    desk.place.advance(HOUR);
    let exchanges = desk.place.exchanges(200);
    assert_eq!(client.models().list().await.unwrap_err().status().unwrap(), 401);
    assert_eq!(desk.place.exchanges(200), exchanges, "it is not ours to renew");
}

/// F50: what happens to the profile of a running program.
#[tokio::test]
async fn a_profile_that_is_switched_replaced_or_removed_is_noticed_at_the_next_renewal() {
    let desk = Desk::new().await;
    let first = desk.log_in(&desk.place, "default").await;
    let client = desk.client();
    client.models().list().await.unwrap();
    assert_eq!(desk.sent(), first);

    // Switched: another profile is the active one.
    let second = desk.log_in(&desk.place, "work").await;
    desk.profiles.activate(&name("work")).unwrap();
    client.models().list().await.unwrap();
    assert_eq!(desk.sent(), first, "while the first is good it is used");
    let before = desk.place.exchanges(200);
    desk.place.advance(HOUR);
    client.models().list().await.unwrap();
    assert_ne!(desk.sent(), second, "it had expired as well");
    assert_eq!(desk.place.exchanges(200), before + 1);
    let stored = desk.profiles.tokens(&name("work"), &Profile::user_oauth()).unwrap().load().await.unwrap();
    assert_eq!(desk.sent(), access(&stored.unwrap()));

    // Changed in a way that nobody can read: the session goes on.
    let file = desk.profiles.path().join("configs/work.json");
    let good = fs::read(&file).unwrap();
    fs::write(&file, "{").unwrap();
    desk.place.advance(HOUR);
    client.models().list().await.unwrap();

    // Replaced: the same name, another deployment.
    let other = Place::new(held()).await;
    fs::write(&file, good).unwrap();
    let mut profile = desk.profiles.load(&name("work")).unwrap();
    profile.set(Member::BaseUrl, Some(other.mock.base_url().as_str())).unwrap();
    desk.profiles.save(&name("work"), &profile).unwrap();
    desk.place.advance(HOUR);
    let (here, there) = (desk.place.mock.journal_len(), other.mock.journal_len());
    let error = client.models().list().await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::ForeignOrigin { .. }, ..)), "{error:?}");
    assert_eq!((desk.place.mock.journal_len(), other.mock.journal_len()), (here, there));

    // Removed.
    fs::remove_file(file).unwrap();
    let error = client.models().list().await.unwrap_err();
    let missing =
        Error::from(AuthError::from(ProfileError::Missing { name: "work".into(), folder: "".into() }));
    assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&missing));
    assert!(error.to_string().contains("no profile \"work\""), "{error}");
}

/// C93: a token of one deployment is not for another, and nothing is sent to find out.
#[tokio::test]
async fn a_session_is_for_the_deployment_of_its_profile_only() {
    let desk = Desk::new().await;
    desk.log_in(&desk.place, "default").await;
    let foreign = Place::new(held()).await;
    let before = desk.place.mock.journal_len();
    let built = desk.builder().base_url(foreign.mock.base_url()).environment(&desk.env()).unwrap().build();
    let Error::Auth(AuthError::ForeignOrigin { owner, target }, ..) = built.unwrap_err() else { panic!() };
    assert_eq!(format!("{owner}/"), desk.place.mock.base_url().as_str());
    assert_eq!(format!("{target}/"), foreign.mock.base_url().as_str());
    assert_eq!((desk.place.mock.journal_len(), foreign.mock.journal_len()), (before, 0));

    // The same session, taken along by hand.
    let profile = desk.profiles.load(&name("default")).unwrap();
    let store = desk.profiles.tokens(&name("default"), &profile).unwrap();
    let session = desk.place.open(store).await.bound_to(&profile.base_url().unwrap());
    let client =
        desk.builder().base_url(foreign.mock.base_url()).credentials(session.clone()).build().unwrap();
    let error = client.models().list().await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::ForeignOrigin { .. }, ..)), "{error:?}");
    assert_eq!(foreign.mock.journal_len(), 0);
    let client = desk.builder().base_url(desk.place.mock.base_url()).credentials(session).build().unwrap();
    client.models().list().await.unwrap();
}

#[tokio::test]
async fn tokens_on_disk_do_not_follow_their_profile_to_another_deployment() {
    let desk = Desk::new().await;
    desk.log_in(&desk.place, "default").await;
    let foreign = Place::new(held()).await;
    let mut profile = desk.profiles.load(&name("default")).unwrap();
    let home = profile.base_url().unwrap();
    profile.set(Member::BaseUrl, Some(foreign.mock.base_url().as_str())).unwrap();
    desk.profiles.save(&name("default"), &profile).unwrap();

    let error = desk.client().models().list().await.unwrap_err();
    let Error::Auth(AuthError::Store(StoreError::OtherDeployment { .. }), ..) = error else {
        panic!("{error:?}")
    };
    let mut moved = profile.clone();
    moved.set(Member::BaseUrl, Some(home.as_str())).unwrap();
    moved.set(Member::TokenEndpoint, Some(foreign.mock.token_url().as_str())).unwrap();
    let error = desk.profiles.tokens(&name("default"), &moved).unwrap().load().await.unwrap_err();
    assert!(matches!(error, StoreError::OtherDeployment { .. }), "{error:?}");
    assert_eq!(foreign.mock.journal_len(), 0);

    // A new login is of the new place; and back at the old one, the new tokens stay where they are.
    let token = desk.write_tokens(&foreign, "default", &profile).await;
    desk.client().models().list().await.unwrap();
    assert_eq!(
        foreign.mock.journal().pop().unwrap().header("authorization").unwrap(),
        format!("Bearer {token}")
    );
    profile.set(Member::BaseUrl, Some(home.as_str())).unwrap();
    desk.profiles.save(&name("default"), &profile).unwrap();
    let before = desk.place.mock.journal_len();
    desk.client().models().list().await.unwrap_err();
    assert_eq!(desk.place.mock.journal_len(), before);
}

#[tokio::test]
async fn a_kind_to_come_is_an_error_that_says_so() {
    let (_folder, profiles) = written("configs/default.json", r#"{"authentication": {"type": "passkey"}}"#);
    let env = env(&[("ANTHROPIC_CONFIG_DIR", profiles.path().to_str().unwrap())]);
    let client = Client::builder().backend(backend()).environment(&env).unwrap().build().unwrap();
    let error = client.models().list().await.unwrap_err();
    assert!(error.to_string().contains("authentication.type"), "{error}");
}

/// A deployment of federations: it gives a token for an assertion, and lists no model.
#[derive(Clone, Debug, Default)]
struct Works(Arc<std::sync::Mutex<Vec<http::Request<bytes::Bytes>>>>);

#[async_trait::async_trait]
impl HttpBackend for Works {
    async fn send(&self, request: transport::Request) -> Result<transport::Response, transport::Error> {
        let is_exchange = request.uri().path().ends_with("/v1/oauth/token");
        self.0.lock().unwrap().push(request);
        let answer = match is_exchange {
            true => r#"{"access_token":"workload-token","token_type":"Bearer","expires_in":3600}"#,
            false => r#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#,
        };
        let response = http::Response::builder().header("content-type", "application/json");
        Ok(response.body(transport::Body::from(bytes::Bytes::from(answer))).unwrap())
    }
}

#[tokio::test]
async fn a_workload_shows_its_identity_as_its_profile_or_the_environment_says() {
    let (folder, profiles) = written("token", "a.b.c\n");
    let token = folder.path().join("token");
    let mut profile = Profile::oidc_federation();
    for (member, value) in [
        (Member::BaseUrl, "https://works.example"),
        (Member::OrganizationId, "org"),
        (Member::WorkspaceId, "wrkspc_1"),
        (Member::FederationRuleId, "fdrl_1"),
        (Member::IdentityTokenFile, token.to_str().unwrap()),
    ] {
        profile.set(member, Some(value)).unwrap();
    }
    profiles.save(&name("default"), &profile).unwrap();
    let by_profile = env(&[("ANTHROPIC_CONFIG_DIR", profiles.path().to_str().unwrap())]);
    let by_variables = env(&[
        ("ANTHROPIC_BASE_URL", "https://works.example"),
        ("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1"),
        ("ANTHROPIC_ORGANIZATION_ID", "org"),
        ("ANTHROPIC_WORKSPACE_ID", "wrkspc_1"),
        ("ANTHROPIC_IDENTITY_TOKEN", "a.b.c"),
    ]);
    for env in [by_profile, by_variables] {
        let works = Works::default();
        let client = Client::builder().backend(works.clone()).environment(&env).unwrap().build().unwrap();
        assert_eq!(works.0.lock().unwrap().len(), 0, "nothing before it is needed");
        client.models().list().await.unwrap();
        client.models().list().await.unwrap();
        let saw = works.0.lock().unwrap();
        let [exchange, call, _] = saw.as_slice() else { panic!("{saw:?}") };
        assert_eq!(exchange.uri(), "https://works.example/v1/oauth/token");
        let sent: Value = serde_json::from_slice(exchange.body()).unwrap();
        assert_eq!(
            sent,
            json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c",
                "federation_rule_id": "fdrl_1", "organization_id": "org", "workspace_id": "wrkspc_1",
            })
        );
        assert_eq!(call.headers()["authorization"], "Bearer workload-token");
        assert!(!call.headers().contains_key("anthropic-workspace-id"), "the token knows its workspace");
    }

    profile.set(Member::FederationRuleId, None).unwrap();
    profiles.save(&name("default"), &profile).unwrap();
    let env = env(&[("ANTHROPIC_CONFIG_DIR", profiles.path().to_str().unwrap())]);
    let client = Client::builder().backend(Works::default()).environment(&env).unwrap().build().unwrap();
    let error = client.models().list().await.unwrap_err();
    assert!(error.to_string().contains("federation_rule_id"), "{error}");
}
