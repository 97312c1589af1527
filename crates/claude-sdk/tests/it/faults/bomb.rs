//! F16 and G41: bodies that are small on the wire and large in memory.

use std::process::Command;

use claude_sdk::transport::{self, ErrorKind};

use super::{Trial, assert_kind, transport_error};

/// By how much the largest may make this process grow, in KiB.
const GROWTH: u64 = 32 * 1024;

/// Meets each bomb, in place of a success and of an error; as a child of the next test it is alone in its process.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn a_bomb_is_an_error_in_place_of_any_answer() {
    let trial = Trial::unheard().await;
    for coding in ["gzip", "br", "zstd"] {
        for (status, attempts) in [(200, 1), (400, 1), (500, 3)] {
            let what = format!("bomb {coding} 128 {status}");
            let fault = || what.parse::<mock_server::Fault>().unwrap().always();
            reset_peak();
            let before = peak();
            let errors = [
                trial.create(&what, fault()).await.unwrap_err(),
                trial.stream(&what, fault()).await.unwrap_err(),
            ];
            println!("{what}: grew by {} KiB", peak().saturating_sub(before));
            let [whole, stream] = errors;
            assert_eq!(whole.attempts(), attempts, "{what}: {whole:?}");
            let kind = transport_error(&whole).map(transport::Error::kind);
            assert!(matches!(kind, Some(ErrorKind::BodyTooLarge { .. })), "{what}: {whole:?}");
            if status == 200 {
                // It is no event stream, whatever it would be when it is decoded.
                assert!(transport_error(&stream).is_none(), "{what}: {stream:?}");
            } else {
                assert_kind(&what, &stream, &[kind.unwrap()]);
            }
        }
    }
    trial.end().await;
}

#[test]
fn a_bomb_takes_no_more_than_32_mib() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "faults::bomb::a_bomb_is_an_error_in_place_of_any_answer"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let grown: Vec<u64> = text
        .lines()
        .filter_map(|line| line.split_once("grew by ")?.1.strip_suffix(" KiB")?.parse().ok())
        .collect();
    assert!(output.status.success() && grown.len() == 9, "{text}");
    assert!(grown.iter().all(|kib| *kib <= GROWTH), "{text}");
}

/// The most memory this process had since [`reset_peak`], in KiB (proc(5), `VmHWM`).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}
