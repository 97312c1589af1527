use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::client::{authorization, between, get, held, url};

#[tokio::test]
async fn the_consent_page_stands_on_its_own() {
    let server = held().client("<script>alert(1)</script>").start().await.unwrap();
    let page = get(authorization(&server, &[("scope", "user:inference")])).send().await;
    let text = page.text();
    assert!(text.contains("name=\"viewport\" content=\"width=device-width") && text.contains("lang=\"en\""));
    assert!(text.contains("&lt;script&gt;") && !text.contains("<script"));
    assert!(!text.contains("src=") && !text.contains("href="));
    assert!(text.contains("user:inference") && !text.contains("user:developer"));
    assert_eq!(page.header("cache-control"), "no-store");

    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    // A browser follows the form's redirect only where the policy lets it.
    assert!(policy.contains("form-action 'self' http://127.0.0.1:4242;"), "{policy}");
    let style = STANDARD.encode(Sha256::digest(between(text, "<style>", "</style>")));
    assert!(policy.contains(&format!("'sha256-{style}'")), "{policy}");
}

#[tokio::test]
async fn the_root_says_what_this_is() {
    let server = held().start().await.unwrap();
    let page = get(url(&server, "/")).send().await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("mock") && page.text().contains(server.client_id()));
    assert!(!page.text().contains(server.api_key()));
}
