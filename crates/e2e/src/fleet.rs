//! Real processes that share one session: what the server, the file and the lock go through.
//!
//! The tests run a few trials of each kind, `cargo xtask soak` all of them; both through the functions here, which give
//! figures and leave the judgement to their caller. Real processes need real time: this is where tests wait for it.

mod crowd;
mod kill;
mod member;
mod mixed;
mod stopped;
mod together;
mod world;

pub use crowd::crowd;
pub use kill::{Blow, Killing, kill_trials, windows};
pub use member::{Member, Report};
pub use mixed::{Mixed, Official, Order, both_ways, mixed};
pub use stopped::stopped_holder;
pub use together::{Together, storm, together};
pub use world::{Grants, PROFILE, Pair, World};
