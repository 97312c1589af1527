//! Exchanges recorded once and played back offline.

mod cassette;
mod player;
mod recorder;
mod scrub;
mod sent;

pub use self::{
    cassette::CassetteError,
    player::{Mismatch, Player},
    recorder::Recorder,
};
