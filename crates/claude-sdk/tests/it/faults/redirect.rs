//! F18 and G47: nobody is sent anywhere by an answer, and who is named in one gets not a byte.

use claude_sdk::{Client, Error, FileUpload, RequestOptions, types::MessageRequest};
use http::{HeaderValue, StatusCode};
use mock_server::{Fault, MockServer};

use super::Trial;
use crate::rig::{backend, held, hello, told};

/// Every endpoint, as one call each; gives the errors.
async fn call_all(client: &Client) -> Vec<Error> {
    let request: MessageRequest = hello();
    vec![
        client.messages().create(&request).await.unwrap_err(),
        client.messages().stream(&request).await.unwrap_err(),
        client.messages().count_tokens(&request).await.unwrap_err(),
        client.models().list().await.unwrap_err(),
        client.files().upload(FileUpload::bytes("notes.txt", "words")).await.unwrap_err(),
    ]
}

fn targets(own: &MockServer, foreign: &MockServer) -> Vec<String> {
    let port = foreign.base_url().port().unwrap();
    vec![
        format!("{}v1/messages", foreign.base_url()),
        format!("//127.0.0.1:{port}/v1/messages"),
        format!("http://user:CANARY@127.0.0.1:{port}/?CANARY=1"),
        format!("https://127.0.0.1:{port}/"),
        // To itself, and on the way there once more.
        format!("{}v1/messages", own.base_url()),
        "/v1/messages".to_owned(),
    ]
}

/// Clients with a credential of each kind, and with what users put beside it.
fn clients(trial: &Trial) -> Vec<Client> {
    let token = Client::builder().base_url(trial.server.base_url()).backend(backend());
    let token = token.auth_token("sk-ant-oat01-CANARY-token").build().unwrap();
    let mut clients = vec![trial.client.clone(), token];
    let options =
        ["api-key", "x-auth-token", "x-gateway-key"].map(|name| RequestOptions::new().header(name, "CANARY"));
    for options in options.into_iter().chain([RequestOptions::new().query("key", "CANARY")]) {
        clients.push(trial.client.with_options(options).unwrap());
    }
    clients
}

#[tokio::test]
async fn no_redirect_is_followed_whatever_its_code_target_endpoint_and_credential() {
    let trial = Trial::new().await;
    let foreign = held().start().await.unwrap();
    let clients = clients(&trial);
    for code in [301, 302, 303, 307, 308] {
        let code = StatusCode::from_u16(code).unwrap();
        for (number, target) in targets(&trial.server, &foreign).into_iter().enumerate() {
            let fault = Fault::redirect(code, HeaderValue::try_from(&target).unwrap());
            // Each target with a key and with a token, the first one with everything.
            for client in clients.iter().take(if number == 0 { clients.len() } else { 2 }) {
                trial.server.clear_journal();
                trial.server.inject(fault.clone().always());
                for error in call_all(client).await {
                    let text = told(&error);
                    assert!(matches!(error, Error::Answer(_)) && !error.is_retryable(), "{code}: {error:?}");
                    assert!(text.contains("redirect") && error.attempts() == 1, "{code} {target}: {text}");
                    trial.tape.error(&error);
                }
                assert_eq!(trial.server.journal_len(), 5, "{code} {target}");
                trial.server.clear_faults();
            }
        }
    }
    assert_eq!((foreign.connections(), foreign.bytes_received()), (0, 0));
    foreign.shutdown().await;
    drop(clients);
    trial.end().await;
}
