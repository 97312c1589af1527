//! Fakes, mocks and the contract of [`HttpBackend`](crate::HttpBackend), for tests.
//!
//! The held clock is [`SimClock`](crate::SimClock).

pub mod contract;
mod mocks;
mod scripted;

pub use mocks::{MockClock, MockHttpBackend, MockRetryPolicy};
pub use scripted::ScriptedBackend;
