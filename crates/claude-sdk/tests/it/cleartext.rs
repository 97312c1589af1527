//! C36 and G19: where the facade sends a credential, over the addresses that auth-core is tested with.

use std::sync::Arc;

use claude_sdk::{
    ApiVersion, Client,
    credentials::Credential,
    layers::Authorize,
    profile::{Member, Profile},
};
use url::Url;

use crate::rig::backend;

/// The lines of the corpus: whether a secret may go to an address, and the address.
fn corpus() -> Vec<(bool, String)> {
    let lines = include_str!("../../../auth-core/tests/cleartext.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        let (verdict, address) = line.split_once(" <").unwrap();
        let address = address.strip_suffix('>').unwrap();
        let address = address.replace("\\t", "\t").replace("\\n", "\n").replace("\\u{200b}", "\u{200b}");
        (verdict == "yes", address.replace("\\\\", "\\"))
    };
    lines.map(read).collect()
}

#[test]
fn a_base_url_is_https_or_this_machine_whatever_it_looks_like() {
    let corpus = corpus();
    assert!(corpus.len() >= 200);
    let key = || Credential::api_key("key".into()).unwrap();
    let backend = Arc::new(backend());
    let mut wrong = Vec::new();
    for (good, address) in corpus {
        // Nothing can be put below a query.
        let good = good && Url::parse(&address).is_ok_and(|url| url.query().is_none());
        let client = Client::builder().credentials(key()).base_url(&address).backend(Arc::clone(&backend));
        let clock = Arc::new(transport::SystemClock);
        let layer =
            Authorize::new(Arc::clone(&backend), Arc::new(key()), &address, ApiVersion::default(), clock);
        let profile = Profile::user_oauth().set(Member::BaseUrl, Some(&address));
        let is_empty = address.is_empty(); // which a profile takes for one that is not there
        let taken = [client.build().is_ok(), layer.is_ok(), profile.is_ok() && !is_empty];
        // A profile has no control characters in it, not even those that an address loses when it is read.
        let clean = good && !address.contains(char::is_control);
        if taken != [good, good, clean] {
            wrong.push(format!("{address:?}: {taken:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
