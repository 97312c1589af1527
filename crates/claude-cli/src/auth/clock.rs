//! How far this machine's clock is off, by the `Date` of an answer of the API.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use claude_sdk::{
    auth_core::{ClockSkew, Offset},
    transport::{Clock, HttpBackend, SystemClock},
};
use url::Url;

use super::{session::backend, who::about};

/// How long the answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// By how many seconds the clock of the API at `base_url` is ahead of this machine's. No credential is sent.
pub(super) async fn offset(base_url: &Url) -> anyhow::Result<i64> {
    let backend = backend(base_url)?;
    let mut skew = ClockSkew::default();
    // What is off by more than a day is believed when it is seen twice.
    for _ in 0..2 {
        let sent_at = SystemClock.now();
        let answer = tokio::select! {
            answer = backend.send(http::Request::get(base_url.as_str()).body(Bytes::new())?) => answer,
            () = SystemClock.sleep(PATIENCE) => bail!("the API did not tell the time within {} s", PATIENCE.as_secs()),
        };
        let answer = answer.context("the API could not be asked for the time")?;
        skew.observe(answer.headers(), sent_at, SystemClock.now());
        if skew.uncertainty().is_some() {
            break;
        }
    }
    if skew.uncertainty().is_none() {
        bail!("the answer of the API has no `Date` that could be read; ask another way for the time");
    }
    let seconds = |by: Duration| i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
    Ok(match skew.offset() {
        Offset::Zero => 0,
        Offset::Ahead(by) => seconds(by),
        Offset::Behind(by) => -seconds(by),
    })
}

/// The offset for a person.
pub(super) fn told(offset: i64) -> String {
    let by = about(offset.unsigned_abs());
    match offset {
        0 => "agrees with the API's".to_owned(),
        1.. => format!("{by} behind the API's; set it to the right time"),
        _ => format!("{by} ahead of the API's; set it to the right time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_clock_is_off_and_by_how_much_is_told() {
        assert_eq!(told(0), "agrees with the API's");
        assert_eq!(told(3720), "1 h 2 min behind the API's; set it to the right time");
        assert_eq!(told(-90), "1 min 30 s ahead of the API's; set it to the right time");
    }
}
