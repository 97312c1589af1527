//! Secrets from the environment, from files, or from a backend of your own, behind one trait.
//!
//! The seam is [`SecretProvider`]: a name goes in, and out comes a [`Secret`], or nothing (ask the next one), or
//! an [`Error`] (it is here, but something is wrong with it: stop). [`providers::Chain`] asks several in order.
//! [`SecretStore`] is a provider that can be written too, some of them by one holder at a time ([`Lease`]).
//!
//! # What it is not
//!
//! It does not know what the secrets are for, and it logs nothing. A
//! secret cannot be printed, compared, serialised or cloned by accident; [`Secret::expose`] is the one way to it.
//!
//! # Example
//!
//! ```
//! # #[cfg(all(feature = "env", feature = "file"))]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), secrets::Error> {
//! use secrets::{SecretName, SecretProvider, providers::{Chain, Env, File}};
//!
//! let chain = Chain::new().with(Env::process()).with(File::in_dir("/run/secrets"));
//! match chain.get(SecretName::new("EXAMPLE_API_KEY")?).await? {
//!     Some(key) => println!("a key of {} bytes", key.expose().len()),
//!     None => println!("set EXAMPLE_API_KEY or write it to /run/secrets/EXAMPLE_API_KEY"),
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "env", feature = "file")))]
//! # fn main() {}
//! ```
//!
//! # Your own backend
//!
//! ```
//! use secrets::{Error, ErrorKind, Secret, SecretName, SecretProvider};
//!
//! /// Keeps one secret, in a drawer that may be locked.
//! #[derive(Debug)]
//! struct Drawer { locked: bool }
//!
//! #[async_trait::async_trait]
//! impl SecretProvider for Drawer {
//!     async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
//!         if self.locked {
//!             return Err(Error::new(ErrorKind::Unavailable, "the drawer"));
//!         }
//!         Ok((name.as_str() == "spare-key").then(|| Secret::from("under the mat".to_owned())))
//!     }
//! }
//! ```
//!
//! # Where a secret is, written down
//!
//! A [`Reference`] such as `env:CLAUDE_KEY` or `vault:secret/data/claude#key` stands in a configuration file in the
//! secret's place; a [`Resolver`] fetches what it leads to.
//!
//! # Features
//!
//! - `cached`: `providers::Cached`, which keeps secrets until their time is over.
//! - `command`: `providers::Command`, for what a password manager prints, and `kill_family`, which ends such a program.
//! - `env` (on by default): `providers::Env`, and the only code of the workspace that reads the environment.
//! - `file` (on by default): `providers::File`, and `read_private` for files of another form, with what
//!   it checks as `check_private` and `check_folder`.
//! - `keyring`: `providers::Keyring`, for the keyring of the desktop.
//! - `redis`: `providers::Redis`, for programs on many machines.
//! - `scrubber`: `Scrubber`, the register of live secrets that takes them out of errors and logs.
//! - `scrubber-layer`: `Scrubber::layer`, which takes them out of what a layer of a `tracing` subscriber sees.
//! - `vault`: `providers::Vault`, for HashiCorp's Vault and for OpenBao.
//! - `test-util`: `test_util`, with a mock and the contract every provider keeps. The plain fake is
//!   [`providers::Memory`], which needs no feature.

#[cfg(feature = "env")]
mod child_environment;
#[cfg(feature = "command")]
mod child_family;
#[cfg(feature = "env")]
mod env;
mod error;
mod name;
#[cfg(feature = "file")]
mod private_file;
mod provider;
pub mod providers;
mod reference;
mod resolver;
#[cfg(feature = "scrubber")]
mod scrubber;
mod secret;
mod store;
#[cfg(feature = "test-util")]
pub mod test_util;
#[cfg(any(feature = "command", feature = "env", feature = "file", feature = "keyring", feature = "vault"))]
mod text;
mod timer;
mod words;

#[cfg(feature = "env")]
pub use child_environment::ChildEnvironment;
#[cfg(feature = "command")]
pub use child_family::kill_family;
#[cfg(feature = "env")]
pub use env::{Lookup, process_lookup, process_names};
pub use error::{Error, ErrorKind};
pub use name::SecretName;
#[cfg(feature = "file")]
pub use private_file::{check_folder, check_private, read_private, read_unshared, shown_path};
pub use provider::SecretProvider;
pub use reference::Reference;
pub use resolver::{Referred, Resolver};
#[cfg(feature = "scrubber-layer")]
pub use scrubber::Scrubbed;
#[cfg(feature = "scrubber")]
pub use scrubber::{Scrubber, Scrubbing};
pub use secret::Secret;
pub use store::{Lease, Leased, SecretStore};
#[cfg(any(feature = "cached", feature = "command", feature = "keyring", feature = "vault"))]
pub use timer::SystemTimer;
pub use timer::Timer;
