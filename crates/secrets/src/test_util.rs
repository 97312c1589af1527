//! For tests: a mock, time that is moved by hand, and the contract every provider keeps.

mod contract;
mod literal;
mod mock;
mod time;

pub use contract::{contract, store_contract};
pub use literal::Literal;
pub use mock::{MockSecretProvider, MockSecretStore};
pub use time::ManualTimer;
