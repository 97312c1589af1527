//! For tests: a mock, and the contract every provider keeps.

mod contract;
mod mock;

pub use contract::{contract, store_contract};
pub use mock::{MockSecretProvider, MockSecretStore};
