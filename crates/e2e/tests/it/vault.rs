//! Secrets in a real Vault-compatible server (OpenBao): every way to log in, both key-value stores, loans, and failures.

use std::{
    error::Error as _,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::Command,
    sync::Arc,
    time::Duration,
};

use claude_sdk::secrets::{
    Error, ErrorKind, Reference, Resolver, Secret, SecretName, SecretProvider, SecretStore as _,
    providers::{
        Cached, Chain, File, Memory,
        vault::{Login, Vault},
    },
    test_util::{self, ManualTimer},
};
use e2e::{Process, free_port};
use serde_json::{Value, json};

mod command_line;
mod others;
mod server;

use server::Bao;

use crate::oauth_server::Provider;

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

async fn read(vault: &Vault, text: &str) -> Result<Option<String>, ErrorKind> {
    let found = vault.get(name(text)).await.map_err(|error| error.kind())?;
    Ok(found.map(|secret| secret.expose().to_owned()))
}

fn is(value: &str) -> Result<Option<String>, ErrorKind> {
    Ok(Some(value.to_owned()))
}

fn secret(text: &str) -> Secret {
    text.to_owned().into()
}

fn source(error: &Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn both_key_value_stores_keep_the_contracts() {
    let bao = Bao::start();
    bao.post("sys/mounts/kv", json!({ "type": "kv", "options": { "version": "1" } })).await;
    for mount in ["secret/data", "kv"] {
        let vault = bao.root();
        // A neighbour in the same place is not touched.
        vault.put(name(&format!("{mount}/team#neighbour")), secret("stays")).await.unwrap();
        test_util::store_contract(vault.clone(), name(&format!("{mount}/team#key"))).await;
        assert_eq!(read(&vault, &format!("{mount}/team#neighbour")).await, is("stays"));
        test_util::store_contract(vault.clone(), name(&format!("{mount}/new/place#key"))).await;

        vault.put(name(&format!("{mount}/read#key")), secret("canary-1")).await.unwrap();
        for absent in [format!("{mount}/read#other"), format!("{mount}/nowhere#key")] {
            test_util::contract(vault.clone(), name(&format!("{mount}/read#key")), "canary-1", name(&absent))
                .await;
        }
    }
    let vault = bao.root();
    for value in ["one", "two", "three"] {
        vault.put(name("secret/data/many#key"), secret(value)).await.unwrap();
    }
    assert_eq!(read(&vault, "secret/data/many?version=2#key").await, is("two"));
    assert_eq!(read(&vault, "secret/data/many?version=9#key").await, Ok(None));
    assert_eq!(read(&vault, "secret/data/many#*").await, is(r#"{"key":"three"}"#));
    let newest = vault.get(name("secret/data/many#key")).await.unwrap().unwrap();
    assert_eq!((newest.expose(), newest.version(), newest.good_for()), ("three", Some(3), None));
    assert_eq!(
        read(&vault, "nowhere/x#key").await,
        Err(ErrorKind::Unreadable),
        "a mount that does not exist"
    );
    let kv1 = vault.put_if(name("kv/team#key"), secret("x"), 0).await.unwrap_err();
    assert_eq!(kv1.kind(), ErrorKind::Unsupported);
}

/// Of many who write the same version, one does.
#[tokio::test]
async fn a_version_is_replaced_by_one_of_many_writers() {
    let bao = Bao::start();
    let vault = bao.root();
    let version = vault.put_if(name("secret/data/race#key"), secret("start"), 0).await.unwrap();
    let writes =
        (0..8).map(|writer| {
            let vault = vault.clone();
            async move {
                vault.put_if(name("secret/data/race#key"), secret(&format!("by-{writer}")), version).await
            }
        });
    let outcomes = futures_util::future::join_all(writes).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.into_iter().filter_map(Result::err);
    assert!(refused.map(|error| error.kind()).all(|kind| kind == ErrorKind::Superseded));
}

#[tokio::test]
async fn every_way_to_log_in_leads_to_the_secret() {
    let bao = Bao::start();
    bao.root().put(name("secret/data/claude#key"), secret("canary")).await.unwrap();
    let (role_id, secret_id) = bao.app_role().await;

    bao.post("sys/auth/people", json!({ "type": "userpass" })).await;
    bao.post("auth/people/users/ada", json!({ "password": "pa55", "token_policies": "app" })).await;

    let provider = Provider::start();
    let tokens = provider.exchange(auth_core::exchange::code(provider.grant().await)).await.unwrap();
    let id_token = tokens.extra["id_token"].as_str().unwrap().to_owned();
    bao.post("sys/auth/jwt", json!({ "type": "jwt" })).await;
    let trust = json!({ "jwks_url": format!("{}/jwks", provider.issuer), "bound_issuer": provider.issuer });
    bao.post("auth/jwt/config", trust).await;
    let role = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["e2e"], "token_policies": "app" });
    bao.post("auth/jwt/role/claude", role).await;

    let kubernetes = Kubernetes::start();
    bao.post("sys/auth/kubernetes", json!({ "type": "kubernetes" })).await;
    let cluster = json!({ "kubernetes_host": kubernetes.address, "disable_local_ca_jwt": true, "kubernetes_ca_cert": UNUSED_CA });
    bao.post("auth/kubernetes/config", cluster).await;
    let role = json!({ "bound_service_account_names": "*", "bound_service_account_namespaces": "*",
                       "audience": "", "token_policies": "app" });
    bao.post("auth/kubernetes/role/claude", role).await;
    let pod = bao.path("token");
    std::fs::write(&pod, Kubernetes::jwt()).unwrap();
    std::fs::set_permissions(&pod, std::fs::Permissions::from_mode(0o644)).unwrap();

    let child = bao.post("auth/token/create", json!({ "policies": ["app"] })).await;
    let token = child["auth"]["client_token"].as_str().unwrap();
    let (role_id, secret_id) = (&role_id, &secret_id);
    for (way, login) in [
        ("token", Login::token(secret(token))),
        ("approle", Login::app_role(role_id, secret_id.duplicate())),
        ("userpass", Login::userpass("ada", secret("pa55")).at_mount("people")),
        ("jwt", Login::jwt("claude", secret(&id_token))),
        ("kubernetes", Login::kubernetes("claude", File::at(&pod).mounted())),
    ] {
        let vault = bao.vault(login).build().unwrap();
        assert_eq!(read(&vault, "secret/data/claude#key").await, is("canary"), "{way}");
    }
    command_line::logs_in_every_way(&bao, token, (role_id, secret_id), &id_token, &pod);
    for (way, login) in [
        ("token", Login::token(secret("no-token"))),
        ("a token no header can hold", Login::token(secret("no\u{7f}token"))),
        ("approle", Login::app_role(role_id, secret("wrong"))),
        ("userpass", Login::userpass("ada", secret("wrong")).at_mount("people")),
        ("jwt", Login::jwt("claude", secret("wrong"))),
        ("kubernetes", Login::kubernetes("claude", secret("wrong"))),
    ] {
        let vault = bao.vault(login).build().unwrap();
        let error = vault.get(name("secret/data/claude#key")).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Denied | ErrorKind::Unavailable),
            "{way}: {error} {}",
            source(&error)
        );
        assert_eq!(error.place(), "the login to Vault", "{way}");
        assert!(!format!("{error:?} {vault:?}").contains("wrong"), "{way}");
    }
}

#[tokio::test]
async fn a_secret_id_comes_wrapped_and_a_wrapping_token_is_spent_once() {
    let bao = Bao::start();
    let (role_id, _) = bao.app_role().await;
    let root = bao.root();
    root.put(name("secret/data/claude#key"), secret("canary")).await.unwrap();

    let wrapped = root.wrap(&name("secret/data/claude#key"), Duration::from_secs(60)).await.unwrap();
    let stranger = bao.vault(Login::token(secret("no-token"))).build().unwrap();
    assert_eq!(
        stranger.unwrap(&wrapped, "key").await.unwrap().expose(),
        "canary",
        "the token is all it takes"
    );
    let spent = stranger.unwrap(&wrapped, "key").await.unwrap_err();
    assert_eq!(spent.kind(), ErrorKind::Denied);

    // What a deliverer hands over is no secret id but the token that fetches it.
    let secret_id = bao.post("auth/approle/role/app/secret-id", json!({})).await["data"]["secret_id"].clone();
    let wrapping = bao.wrapped("sys/wrapping/wrap", json!({ "secret_id": secret_id })).await;
    let vault = bao.vault(Login::app_role(&role_id, secret(&wrapping)).wrapped()).build().unwrap();
    assert_eq!(read(&vault, "secret/data/claude#key").await, is("canary"));
    let thief = bao.vault(Login::app_role(&role_id, secret(&wrapping)).wrapped()).build().unwrap();
    assert_eq!(read(&thief, "secret/data/claude#key").await, Err(ErrorKind::Denied));
}

#[tokio::test]
async fn a_token_is_renewed_and_one_that_ended_or_was_revoked_is_replaced() {
    let bao = Bao::start();
    let (role_id, secret_id) = bao.app_role().await;
    bao.root().put(name("secret/data/claude#key"), secret("canary")).await.unwrap();
    let timer = Arc::new(ManualTimer::new());
    let login = Login::app_role(role_id, secret_id);
    let vault = bao.vault(login).timer(Arc::clone(&timer)).build().unwrap();
    let count = |what: &str| {
        let lines = bao.audit();
        lines.lines().filter(|line| line.contains("\"type\":\"response\"") && line.contains(what)).count()
    };
    let (logins, renewals) = ("\"path\":\"auth/approle/login\"", "\"path\":\"auth/token/renew-self\"");
    let reads = async || assert_eq!(read(&vault, "secret/data/claude#key").await, is("canary"));

    reads().await;
    timer.advance(Duration::from_secs(30));
    reads().await;
    assert_eq!((count(logins), count(renewals)), (1, 0));
    timer.advance(Duration::from_secs(20)); // 50 of 60 s
    reads().await;
    assert_eq!((count(logins), count(renewals)), (1, 1), "renewed");
    timer.advance(Duration::from_secs(61));
    reads().await;
    assert_eq!((count(logins), count(renewals)), (2, 1), "ended");

    bao.admin("POST", "sys/leases/revoke-prefix/auth/approle/login", Value::Null).await;
    reads().await;
    assert_eq!(count(logins), 3, "revoked");

    vault.revoke().await.unwrap();
    reads().await;
    assert_eq!(count(logins), 4, "given up");
}

#[tokio::test]
async fn what_is_denied_is_said_and_a_chain_goes_no_further() {
    let bao = Bao::start();
    let (role_id, secret_id) = bao.app_role().await;
    bao.post("sys/config/auditing/request-headers/X-Correlation-Id", json!({ "hmac": false })).await;
    let vault = bao.vault(Login::app_role(role_id, secret_id)).build().unwrap();
    let error = vault.get(name("cubbyhole2/x#key")).await.unwrap_err();
    assert_eq!((error.kind(), error.place()), (ErrorKind::Denied, "the secret cubbyhole2/x in Vault"));
    let chain =
        Chain::new().with(vault).with(Memory::new().with(name("sys/mounts#key"), "weaker".to_owned()));
    let error = chain.get(name("sys/mounts#key")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);

    let said = source(&error);
    let id = said.rsplit("X-Correlation-Id ").next().unwrap().trim_end_matches(')');
    let lines = bao.audit();
    let line = lines.lines().find(|line| line.contains(id)).unwrap();
    assert!(line.contains("sys/mounts"), "the error's id finds the call in the audit log");
}

#[tokio::test]
async fn while_the_server_is_sealed_too_busy_or_gone_a_cache_lives_on_and_then_tells_why() {
    let bao = Bao::start();
    bao.root().put(name("secret/data/claude#key"), secret("canary")).await.unwrap();
    let timer = Arc::new(ManualTimer::new());
    let cached = Cached::new_with(bao.root(), Arc::clone(&timer), Duration::from_secs(300), 1);
    let get = async || cached.get(name("secret/data/claude#key")).await;
    assert_eq!(get().await.unwrap().unwrap().expose(), "canary");

    let quota = json!({ "rate": 0.001, "path": "secret" });
    bao.post("sys/quotas/rate-limit/tight", quota).await;
    let busy = bao.root();
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(read(&busy, "secret/data/claude#key").await);
    }
    assert_eq!(kinds.last(), Some(&Err(ErrorKind::Unavailable)), "429");

    bao.post("sys/seal", Value::Null).await;
    let error = bao.root().get(name("secret/data/claude#key")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true));
    assert!(source(&error).contains("sealed"), "{}", source(&error));

    timer.advance(Duration::from_secs(290));
    assert_eq!(get().await.unwrap().unwrap().expose(), "canary", "the time of what is held is not over");
    drop(bao);
    timer.advance(Duration::from_secs(10));
    let error = get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_server_that_is_not_initialised_or_does_not_answer_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().unwrap();
    let settings = format!(
        "disable_clustering = true\nstorage \"inmem\" {{}}\n\
         listener \"tcp\" {{\n address = \"127.0.0.1:{port}\"\n tls_disable = true\n}}\n"
    );
    std::fs::write(folder.path().join("settings.hcl"), settings).unwrap();
    let mut command = crate::tools().openbao().unwrap();
    command.env("HOME", folder.path()).arg("server");
    command.arg(format!("-config={}", folder.path().join("settings.hcl").display()));
    let mut process = Process::start(command).unwrap();
    process.wait_for("server started", Duration::from_secs(30)).unwrap();
    let login = || Login::token(secret("canary"));
    let vault = Vault::builder(format!("http://127.0.0.1:{port}"), login(), 1).build().unwrap();
    assert_eq!(read(&vault, "secret/data/x#key").await, Err(ErrorKind::Unavailable));

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let timer = Arc::new(ManualTimer::new());
    let address = format!("http://{}", silent.local_addr().unwrap());
    let vault = Vault::builder(address, login(), 1).timer(Arc::clone(&timer)).build().unwrap();
    let asked = tokio::spawn(async move { vault.get(name("secret/data/x#key")).await });
    while !asked.is_finished() {
        timer.advance(Duration::from_secs(11));
        tokio::task::yield_now().await;
    }
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(source(&error).contains("no answer in 10 s"), "{}", source(&error));
}

#[tokio::test]
async fn only_the_ca_that_was_given_is_trusted() {
    let certificates = tempfile::tempdir().unwrap();
    let folder = format!("-dev-tls-cert-dir={}", certificates.path().display());
    let bao = Bao::start_with(&["-dev-tls", &folder]);
    let address = bao.address.replace("http:", "https:");
    let pem = std::fs::read(certificates.path().join("vault-ca.pem")).unwrap();
    let builder = || Vault::builder(&address, Login::token(secret(server::ROOT)), 1);
    let trusting = builder().root_certificates(pem).build().unwrap();
    trusting.put(name("secret/data/claude#key"), secret("canary")).await.unwrap();
    assert_eq!(read(&trusting, "secret/data/claude#key").await, is("canary"));
    let error = builder().build().unwrap().get(name("secret/data/claude#key")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(source(&error).to_lowercase().contains("certificate"), "{}", source(&error));
}

/// A Redis in which the server makes users for whoever asks it.
struct Lender {
    port: u16,
    role: Value,
    _redis: Process,
    _folder: tempfile::TempDir,
}

impl Lender {
    async fn start(bao: &Bao) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port().unwrap();
        let mut command = Command::new("redis-check-rdb");
        command.arg0("redis-server").args(["--bind", "127.0.0.1", "--save", "", "--requirepass", "admin"]);
        command.arg("--port").arg(port.to_string()).arg("--dir").arg(folder.path());
        let mut redis = Process::start(command).unwrap();
        redis.wait_for("Ready to accept connections", Duration::from_secs(10)).unwrap();

        bao.post("sys/mounts/database", json!({ "type": "database" })).await;
        let connection = json!({ "plugin_name": "redis-database-plugin", "host": "127.0.0.1", "port": port,
                                 "username": "default", "password": "admin", "allowed_roles": "*" });
        bao.post("database/config/redis", connection).await;
        let role = json!({ "db_name": "redis", "creation_statements": "[\"+@read\", \"~*\"]",
                           "default_ttl": "60s", "max_ttl": "100s" });
        bao.post("database/roles/app", role.clone()).await;
        Self { port, role, _redis: redis, _folder: folder }
    }
}

/// Users that are made for the asker in a real Redis: both halves from one loan, renewed, replaced, and gone when revoked.
#[tokio::test]
async fn dynamic_users_of_a_real_redis_are_lent_renewed_and_revoked() {
    let bao = Bao::start();
    let Lender { port, role, .. } = &Lender::start(&bao).await;
    let (role_id, secret_id) = bao.app_role().await;

    let timer = Arc::new(ManualTimer::new());
    let vault = bao.vault(Login::app_role(role_id, secret_id)).timer(Arc::clone(&timer)).build().unwrap();
    let lent = async || {
        let user = vault.get(name("database/creds/app#username")).await.unwrap().unwrap();
        let password = vault.get(name("database/creds/app#password")).await.unwrap().unwrap();
        (user.expose().to_owned(), password.expose().to_owned(), user.good_for().unwrap())
    };
    let works = |user: &str, password: &str| {
        let mut socket = TcpStream::connect(("127.0.0.1", *port)).unwrap();
        socket.write_all(format!("AUTH {user} {password}\r\nGET x\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.starts_with("+OK\r\n$-1")
    };

    let (user, password, left) = lent().await;
    assert!(works(&user, &password) && left == Duration::from_secs(60), "{left:?}");
    timer.advance(Duration::from_secs(29));
    assert_eq!(lent().await, (user.clone(), password.clone(), Duration::from_secs(31)), "kept");
    timer.advance(Duration::from_secs(2));
    assert_eq!(lent().await, (user.clone(), password.clone(), Duration::from_secs(60)), "renewed");

    // The server takes it back.
    bao.admin("POST", "sys/leases/revoke-prefix/database/creds/app", Value::Null).await;
    assert!(!works(&user, &password));
    timer.advance(Duration::from_secs(31));
    let (other, password, _) = lent().await;
    assert!(other != user && works(&other, &password), "what cannot be renewed is asked for anew");

    timer.advance(Duration::from_secs(31));
    bao.admin("DELETE", "database/roles/app", Value::Null).await;
    assert_eq!(lent().await.0, other, "good until the end of what was lent");
    bao.post("database/roles/app", role.clone()).await;

    let cached = Cached::new_with(vault.clone(), Arc::clone(&timer), Duration::from_secs(300), 1);
    assert!(cached.get(name("database/creds/app#*")).await.unwrap().unwrap().expose().contains(&password));
    vault.revoke().await.unwrap();
    // The server sees to it a moment later.
    let gone = (0..10_000).any(|_| !works(&other, &password));
    assert!(gone, "what was lent to the session ends with it");

    let vault = bao.vault(Login::token(secret(server::ROOT))).timer(Arc::clone(&timer)).build().unwrap();
    let cached = Cached::new_with(vault.clone(), Arc::clone(&timer), Duration::from_secs(300), 1);
    cached.get(name("database/creds/app#*")).await.unwrap().unwrap();
    // A cache has it renewed after two thirds of its time, give or take a ninth.
    let renewals = || bao.audit().matches("\"path\":\"sys/leases/renew\"").count();
    let before = renewals();
    timer.advance(Duration::from_secs(33));
    cached.get(name("database/creds/app#*")).await.unwrap().unwrap();
    assert_eq!(renewals(), before, "not yet");
    timer.advance(Duration::from_secs(14));
    let renewed = async || {
        cached.get(name("database/creds/app#*")).await.unwrap().unwrap();
        tokio::task::yield_now().await;
        renewals() > before
    };
    let mut asked = 0;
    while !renewed().await {
        asked += 1;
        assert!(asked < 100_000, "nothing is renewed");
    }
    // This waits for the renewal to end.
    let left = vault.get(name("database/creds/app#password")).await.unwrap().unwrap();
    assert_eq!(left.good_for(), Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn a_reference_leads_into_the_vault() {
    let bao = Bao::start();
    bao.root().put(name("secret/data/claude#client_secret"), secret("canary")).await.unwrap();
    let resolver = Resolver::process().with("vault", bao.root());
    let reference: Reference = "vault:secret/data/claude#client_secret".parse().unwrap();
    assert_eq!(resolver.resolve(&reference).await.unwrap().expose(), "canary");
    let missing: Reference = "vault:secret/data/claude#other".parse().unwrap();
    let error = resolver.resolve(&missing).await.unwrap_err();
    assert_eq!((error.kind(), error.place()), (ErrorKind::Missing, "vault:secret/data/claude#other"));
}

/// The server wants one, though the cluster of this test speaks no TLS.
const UNUSED_CA: &str = include_str!("../../../transport/tests/it/tls/ca.pem");

/// The one question a Vault asks of a cluster: whose token is this?
struct Kubernetes {
    address: String,
}

impl Kubernetes {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                Self::answer(socket);
            }
        });
        Self { address }
    }

    fn answer(mut socket: TcpStream) {
        let (mut asked, mut piece) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&asked).contains("\"token\"") {
            match socket.read(&mut piece) {
                Ok(count @ 1..) => asked.extend_from_slice(&piece[..count]),
                _ => return,
            }
        }
        let known = String::from_utf8_lossy(&asked).contains(&Self::jwt());
        let user = json!({ "username": "system:serviceaccount:default:claude", "uid": "uid-1",
                           "groups": ["system:serviceaccounts"] });
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                           "status": { "authenticated": known, "user": user } });
        let body = body.to_string();
        let head = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nConnection: close\r\n";
        let _ = socket.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    /// A service account's token, as far as Vault reads it itself.
    fn jwt() -> String {
        use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
        let claims = json!({ "iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:default:claude",
            "nbf": 1_700_000_000, "iat": 1_700_000_000, "exp": 4_102_444_800_u64,
            "kubernetes.io/serviceaccount/namespace": "default",
            "kubernetes.io/serviceaccount/service-account.name": "claude",
            "kubernetes.io/serviceaccount/service-account.uid": "uid-1",
            "kubernetes.io/serviceaccount/secret.name": "claude-token" });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!(
            "{}.{}.{}",
            part(&json!({ "alg": "RS256", "typ": "JWT" })),
            part(&claims),
            BASE64_URL_SAFE_NO_PAD.encode([7; 64])
        )
    }
}
