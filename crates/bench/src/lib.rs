//! Side-by-side benchmarks: how our client does beside what it could at best do, and beside other clients.
//!
//! It is no measure of the service or of a network: the server is bare hyper on loopback, in a process of its own. What
//! counts is the time that processors spend for a client, in the kernel too, since requests per second say more about a
//! small machine's scheduler than about a client.
//!
//! `cargo xtask bench` builds what is needed and runs the program `bench`. [`benchmarks::ALL`] is the table of benchmarks,
//! one file each; `goals.json` says what has to hold; `docs/benchmarks.md` is written from what was found.
//!
//! ```no_run
//! use bench::{benchmarks, stand::Stand};
//!
//! # fn main() -> anyhow::Result<()> {
//! let stand = Stand::beside_this_program()?;
//! for benchmark in benchmarks::ALL {
//!     let figures = (benchmark.run)(&stand)?;
//!     println!("{}: {} figures", benchmark.name, figures.len());
//! }
//! # Ok(())
//! # }
//! ```

pub mod benchmarks;
pub mod chart;
pub mod conditions;
pub mod contenders;
pub mod figure;
pub mod goals;
pub mod page;
pub mod script;
pub mod server;
pub mod stand;
