//! A model of processes that share one login, in which every order of events is tried.
//!
//! The library is empty: the model is `tests/it`, an ordinary test that runs with the others. It is a crate of its own
//! because its model checker, [stateright](https://docs.rs/stateright), brings a web server along that `auth-core` must
//! not see, not even in its tests.
//!
//! # Example
//!
//! ```sh
//! cargo nextest run -p auth-model
//! ```
//!
//! # Features
//!
//! None, and there is nothing to plug in.
