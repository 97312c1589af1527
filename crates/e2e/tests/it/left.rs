//! Calls that are begun and dropped (G44), of which `cargo xtask soak leave` makes a hundred thousand.

use std::path::Path;

use e2e::Left;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_dropped_leave_no_descriptor_and_no_memory() {
    for backend in ["reqwest", "hyper"] {
        let left = Left::by(Path::new(env!("CARGO_BIN_EXE_leave")), backend, 3_000).await.unwrap();
        assert!(left.files <= 0 && left.kib <= 2 * 1024, "{backend}: {left:?}");
    }
}
