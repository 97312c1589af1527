//! An OpenBao of the test's own, and its administrator.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use claude_sdk::{
    secrets::{
        Secret,
        providers::vault::{Login, Vault, VaultBuilder},
    },
    transport::{HttpBackend as _, backends::Reqwest},
};
use e2e::{Process, free_port};
use mock_server::leaks;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tools;

pub(super) const ROOT: &str = "root-token-of-the-tests";

pub(super) struct Bao {
    pub(super) address: String,
    folder: TempDir,
    backend: Reqwest,
    _process: Process,
}

impl Bao {
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    /// In memory, unsealed, with an audit log; `more` are further arguments.
    pub(super) fn start_with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("settings.hcl");
        let audit = folder.path().join("audit.log");
        std::fs::write(
            &settings,
            format!(
                "disable_clustering = true\naudit \"file\" \"main\" {{\n options {{ file_path = \"{}\" }}\n}}\n",
                audit.display()
            ),
        )
        .unwrap();
        let port = free_port().unwrap();
        let mut command = tools().openbao().unwrap();
        command.env("HOME", folder.path()).args(["server", "-dev", "-dev-no-store-token"]);
        command
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"));
        command.arg(format!("-config={}", settings.display())).args(more);
        let mut process = Process::start(command).unwrap();
        process.wait_for("server started", Duration::from_secs(30)).unwrap();
        leaks::watch(ROOT);
        let backend = Reqwest::builder().no_proxy().build().unwrap();
        Self { address: format!("http://127.0.0.1:{port}"), folder, backend, _process: process }
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(super) fn audit(&self) -> String {
        std::fs::read_to_string(self.path("audit.log")).unwrap()
    }

    /// What the administrator does; the answer has to be a success.
    pub(super) async fn admin(&self, method: &str, path: &str, body: Value) -> Value {
        self.ask(method, path, body, None).await
    }

    /// The token that stands for the answer.
    pub(super) async fn wrapped(&self, path: &str, body: Value) -> String {
        let answer = self.ask("POST", path, body, Some("60s")).await;
        answer["wrap_info"]["token"].as_str().unwrap().to_owned()
    }

    async fn ask(&self, method: &str, path: &str, body: Value, wrapped: Option<&str>) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.address))
            .header("X-Vault-Token", ROOT);
        let request = match wrapped {
            Some(lasting) => request.header("X-Vault-Wrap-TTL", lasting),
            None => request,
        };
        let request =
            request.body(Bytes::from(if body.is_null() { String::new() } else { body.to_string() })).unwrap();
        let response = self.backend.send(request).await.unwrap();
        let (status, body) = (response.status(), response.into_body().collect(1 << 20).await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or_default()
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Value {
        self.admin("POST", path, body).await
    }

    /// A policy that lets do everything below these paths, and nothing else.
    pub(super) async fn policy(&self, name: &str, paths: &[&str]) {
        let rules: String = paths
            .iter()
            .map(|path| {
                format!("path \"{path}\" {{ capabilities = [\"create\",\"read\",\"update\",\"delete\"] }}\n")
            })
            .collect();
        self.post(&format!("sys/policies/acl/{name}"), json!({ "policy": rules })).await;
    }

    /// A program's role, whose tokens live a minute and at most two; its id and its secret id.
    pub(super) async fn app_role(&self) -> (String, Secret) {
        self.policy("app", &["secret/*", "kv/*", "database/creds/*"]).await;
        self.post("sys/auth/approle", json!({ "type": "approle" })).await;
        let role = json!({ "token_policies": "app", "token_ttl": "60s", "token_max_ttl": "120s" });
        self.post("auth/approle/role/app", role).await;
        let id = self.admin("GET", "auth/approle/role/app/role-id", Value::Null).await;
        let secret = self.post("auth/approle/role/app/secret-id", json!({})).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, secret) = (text(&id["data"]["role_id"]), text(&secret["data"]["secret_id"]));
        leaks::watch(&secret);
        (id, secret.into())
    }

    pub(super) fn vault(&self, login: Login) -> VaultBuilder {
        Vault::builder(&self.address, login, 7)
    }

    pub(super) fn root(&self) -> Vault {
        self.vault(Login::token(Secret::from(ROOT.to_owned()))).build().unwrap()
    }
}
