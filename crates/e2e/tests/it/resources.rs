//! Every resource of the mock server, called by the official Python SDK with its strict response validation on.

use std::time::Duration;

use mock_server::MockServer;
use serde_json::json;

use crate::{script, tools};

#[tokio::test]
async fn the_python_sdk_finds_every_resource_as_it_expects_it() {
    let server = MockServer::builder().batch_time(Duration::ZERO).start().await.unwrap();
    let made = server.put_file("plot.csv", "text/csv", "1,2\n");
    let mut command = tools().python(script("resources.py")).unwrap();
    command.arg(server.base_url().as_str().trim_end_matches('/')).arg(server.api_key()).arg(made);
    let report = e2e::report(command.into()).await.unwrap();
    assert_eq!(report["wrong"], json!([]), "{report:#}");
    let calls = report["calls"].as_u64().unwrap();
    assert!(calls >= 130, "only {calls} calls were made");
}
