//! What a permit from Redis costs: `cargo bench -p ratelimit --features redis,test-util --bench redis`.
//!
//! Goals: a direct permit is one round trip, within 1.2 times what a bare EVALSHA of the same script takes; with blocks
//! it is a microsecond. The server is one of our own on this machine, so a round trip is as short as it can be.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use std::{
    net::TcpListener,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use ratelimit::{
    Cost, Key, Limits, Rate, RateLimiter as _, Timer as _, TokioTimer, limiters::Redis,
    test_util::twin::SCRIPT,
};
use redis::{Script, aio::ConnectionManager};

const TURNS: usize = 20_000;
const COST: Cost = Cost::requests(1).with_input_tokens(1_200).with_output_tokens(400);
/// One third of each, so that nothing is refused.
const ARGUMENTS: [i64; 31] = {
    let mut arguments = [0; 31];
    (arguments[6], arguments[7], arguments[9], arguments[11]) = (-1, 100_000, 1, -1);
    let mut place = 13;
    while place < 31 {
        (arguments[place], arguments[place + 1], arguments[place + 2]) = (100_000_000, 100_000_000, 1);
        (arguments[place + 4], arguments[place + 5]) = (-1, -1);
        place += 6;
    }
    arguments
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::start(port);
    let url = format!("redis://127.0.0.1:{port}");
    let mut connection = connect(&url).await;
    let (one, whole) = (Script::new("return 1"), Script::new(SCRIPT));
    let most = Rate::per_minute(100_000_000);
    let limits = Limits::default().with_requests(most).with_input_tokens(most).with_output_tokens(most);
    let direct =
        Redis::at(&url, limits, 8).patience(Duration::from_secs(1)).build(TokioTimer::new()).unwrap();
    let leased = Redis::at(&url, limits, 8).leased().build(TokioTimer::new()).unwrap();

    // In turn, so that all see the same machine.
    let mut times = [(); 3].map(|()| Vec::with_capacity(TURNS));
    for _ in 0..TURNS {
        let timer = TokioTimer::new();
        let _: i64 = one.invoke_async(&mut connection).await.unwrap();
        times[0].push(timer.now());
        let mut call = whole.key("{bare}");
        call.key("{bare}:holders");
        for argument in ARGUMENTS {
            call.arg(argument);
        }
        let timer = TokioTimer::new();
        let _: [i64; 5] = call.invoke_async(&mut connection).await.unwrap();
        times[1].push(timer.now());
        let timer = TokioTimer::new();
        let permit = direct.acquire(Key::from("direct"), COST, Duration::ZERO).await.unwrap();
        times[2].push(timer.now());
        permit.settle(COST);
    }
    let [one, whole, direct] = times.map(|mut times| {
        times.sort_unstable();
        times[TURNS / 2]
    });
    println!("EVALSHA of `return 1`        {one:?} (median of {TURNS}, in turn)");
    println!("EVALSHA of the script        {whole:?}");
    let of_bare = direct.as_secs_f64() / whole.as_secs_f64();
    println!("a direct permit              {direct:?}, {of_bare:.2} of the script (goal 1.2)");

    let small = Cost::requests(1).with_input_tokens(12).with_output_tokens(4);
    let timer = TokioTimer::new();
    for _ in 0..1_000_000 {
        leased.acquire(Key::from("leased"), small, Duration::from_secs(1)).await.unwrap().settle(small);
    }
    println!("a permit out of a block      {:?} (goal 1 µs), settled", timer.now() / 1_000_000);
    drop(server);
}

async fn connect(url: &str) -> ConnectionManager {
    loop {
        if let Ok(connection) = ConnectionManager::new(redis::Client::open(url).unwrap()).await {
            return connection;
        }
    }
}

/// Killed when this is dropped.
struct Server(Child);

impl Server {
    fn start(port: u16) -> Self {
        // Debian's package without the service has the server under this name; it goes by the one it is called by.
        let mut command = Command::new("redis-check-rdb");
        command.arg0("redis-server").args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()]);
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
