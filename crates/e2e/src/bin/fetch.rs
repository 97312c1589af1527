//! `fetch URL`: one GET through the reqwest backend, with whatever the environment says about proxies.
//!
//! A program of its own, because a test must not change its own environment.
#![allow(clippy::print_stdout, reason = "its output is what the test reads")]

use anyhow::{Context as _, Result};
use bytes::Bytes;
use mock_server::leaks;
use serde_json::{Value, json};
use transport::HttpBackend as _;
use transport::backends::Reqwest;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    leaks::listen();
    let url = std::env::args().nth(1).context("usage: fetch URL")?;
    println!("{}", fetch(&url).await?);
    Ok(())
}

async fn fetch(url: &str) -> Result<Value> {
    let backend = Reqwest::builder().build()?;
    let request = http::Request::get(url).body(Bytes::new())?;
    match backend.send(request).await {
        Ok(response) => Ok(json!({"status": response.status().as_u16()})),
        Err(error) => {
            let (kind, reach) = (format!("{:?}", error.kind()), format!("{:?}", error.reach()));
            // Everything a reader could see of it: the debug form, and the whole chain of causes.
            let texts = format!("{error:?}");
            let texts = format!("{texts} {:#}", anyhow::Error::from(error));
            Ok(json!({"kind": kind, "reach": reach, "texts": texts}))
        }
    }
}
