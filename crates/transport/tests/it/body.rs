use transport::{Body, Error, ErrorKind, Reach};

use crate::{pieces, pieces_then_silence};

fn truncated() -> Error {
    Error::bare(ErrorKind::Truncated, Reach::Answered)
}

#[tokio::test]
async fn the_pieces_come_as_they_are_and_then_the_end() {
    let mut body = pieces([Ok("one"), Ok("two")]);
    assert_eq!(body.chunk().await.unwrap().unwrap(), "one");
    assert_eq!(body.chunk().await.unwrap().unwrap(), "two");
    assert!(body.chunk().await.is_none());
    assert!(body.chunk().await.is_none());
}

#[tokio::test]
async fn nothing_comes_after_an_error() {
    let mut body = pieces([Err(truncated()), Ok("late")]);
    assert_eq!(body.chunk().await.unwrap().unwrap_err().kind(), ErrorKind::Truncated);
    assert!(body.chunk().await.is_none());
}

#[tokio::test]
async fn collecting_stops_at_the_first_byte_over_the_limit() {
    assert_eq!(pieces([Ok("four"), Ok("more")]).collect(8).await.unwrap(), "fourmore");
    assert_eq!(Body::from("exactly").collect(7).await.unwrap(), "exactly");
    assert_eq!(Body::empty().collect(0).await.unwrap(), "");
    // The silence after the second piece would hang if the limit held only at the end.
    let error = pieces_then_silence(["four", "more"]).collect(7).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BodyTooLarge { limit: 7 });
    assert_eq!(Body::from("eight...").collect(7).await.unwrap_err().reach(), Reach::Answered);
}

#[tokio::test]
async fn empty_pieces_are_no_end() {
    assert_eq!(pieces([Ok(""), Ok("a"), Ok(""), Ok("b")]).collect(2).await.unwrap(), "ab");
}

#[tokio::test]
async fn half_a_body_is_an_error_not_a_short_body() {
    let error = pieces([Ok("half"), Err(truncated())]).collect(100).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
}
