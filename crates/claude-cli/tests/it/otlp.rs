//! Metrics on their way to a collector.

use std::collections::BTreeMap;

use mock_server::{MockServer, leaks};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::metric::Data,
};
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::claudectl::{against, run};

/// Takes in what one connection brings, as a collector would.
async fn received(listener: TcpListener) -> (String, Vec<u8>) {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut read = Vec::new();
    loop {
        assert!(socket.read_buf(&mut read).await.unwrap() > 0, "{}", String::from_utf8_lossy(&read));
        let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(read[..end].to_vec()).unwrap().to_ascii_lowercase();
        let (_, length) = head.split_once("content-length: ").unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        if read.len() == end + 4 + length {
            let answer =
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            socket.write_all(answer.as_bytes()).await.unwrap();
            return (head, read[end + 4..].to_vec());
        }
    }
}

fn labels(attributes: &[KeyValue]) -> BTreeMap<&str, &str> {
    let texts = attributes.iter().filter_map(|attribute| match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some((attribute.key.as_str(), text.as_str())),
        _ => None,
    });
    texts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_measured_is_at_the_collector_when_it_ends() {
    let server = MockServer::start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let receiving = tokio::spawn(received(listener));
    let mut command = against(&server, ["messages", "create", "hello there"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue");
    assert_eq!(run(&mut command).ok(), "You said: hello there\n");

    let (head, body) = receiving.await.unwrap();
    assert!(head.starts_with("post /v1/metrics ") && head.contains("x-team: blue"), "{head}");
    assert_eq!(leaks::find(&body), None, "a secret is in the metrics");
    let sent = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
    let resource = sent.resource_metrics[0].resource.as_ref().unwrap();
    assert_eq!(labels(&resource.attributes)["service.name"], "claudectl");
    let metrics = &sent.resource_metrics[0].scope_metrics[0].metrics;
    let names: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    for name in
        ["gen_ai.client.operation.duration", "gen_ai.client.token.usage", "claude.client.time_to_headers"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    let duration = metrics.iter().find(|metric| metric.name == "gen_ai.client.operation.duration").unwrap();
    assert_eq!(duration.unit, "s");
    let Some(Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
    let [point] = &histogram.data_points[..] else { panic!("{histogram:?}") };
    assert_eq!(point.count, 1);
    let of = labels(&point.attributes);
    assert_eq!(of["gen_ai.request.model"], "claude-sonnet-5-5");
    assert_eq!((of["gen_ai.operation.name"], of["gen_ai.provider.name"]), ("chat", "anthropic"));
    assert!(!of.contains_key("error.type"), "{of:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_gone_or_misspelt_costs_nobody_the_answer() {
    let server = MockServer::start().await.unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for endpoint in [format!("http://{gone}"), "no url".to_owned()] {
        let mut command = against(&server, ["messages", "create", "hello"]);
        let run = run(command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint));
        assert_eq!((run.status, run.stdout.as_str()), (Some(0), "You said: hello\n"), "{run:?}");
        assert!(run.stderr.contains("check OTEL_EXPORTER_OTLP_ENDPOINT"), "{run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
}
