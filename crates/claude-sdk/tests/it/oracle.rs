//! The leak oracle hears whatever any test of this suite makes this crate and those below it log, at TRACE: `mock_server::leaks`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mock_server::leaks::{WORD, forms, listen, planted, searched};

use crate::rig::{client, held, hello};

#[test]
fn what_is_planted_is_found_in_every_form_and_in_every_place() {
    listen();
    let encoded = ["", "1", "12"].map(|before| BASE64_STANDARD.encode(format!("{before}-{WORD}-secret")));
    for form in forms(WORD).into_iter().chain(encoded) {
        let places: [fn(&str); 4] = [
            |text| tracing::trace!(header = text, "sent"),
            |text| tracing::trace!("sent {text}"),
            |text| tracing::info_span!("call", key = text).in_scope(|| ()),
            |text| std::thread::scope(|scope| drop(scope.spawn(|| tracing::error!(error = ?text)))),
        ];
        for (place, log) in places.iter().enumerate() {
            assert!(planted(|| log(&format!("Bearer x{form}y"))) > 0, "{form} in place {place}");
        }
    }
    assert_eq!(planted(|| tracing::trace!("nothing")), 0);
}

#[tokio::test]
async fn the_oracle_hears_a_call() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let before = searched();
    client.messages().create(&hello()).await.unwrap();
    assert!(searched() > before + 10, "{} lines", searched() - before);
}
