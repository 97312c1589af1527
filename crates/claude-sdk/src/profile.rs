//! Profiles: who one may be, kept in files that the official SDKs read and write too.
//!
//! A profile is `configs/<name>.json`, or one of several in `profiles.json`, which hold no secret, and `credentials/<name>.json`, which is a
//! [`TokenStore`](crate::token_store::TokenStore). Both lie below one folder, beside the file `active_config`, which holds
//! the name of the profile that is used when nobody names one. What is there and not known here is kept, value for value.
//!
//! ```
//! use claude_sdk::profile::{Member, Profile, ProfileName, Profiles};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let profiles = Profiles::at(folder.path()); // or Profiles::of(&Env::process())?
//! let name = ProfileName::new("work")?;
//!
//! let mut profile = Profile::user_oauth();
//! profile.set(Member::ClientId, Some("your-client-id"))?;
//! profiles.save(&name, &profile)?;
//! profiles.activate(&name)?;
//!
//! let profile = profiles.load(&name)?;
//! assert_eq!(profile.server()?.token_endpoint().as_str(), "https://api.anthropic.com/v1/oauth/token");
//! assert_eq!(profiles.active()?, Some(name));
//! # Ok(())
//! # }
//! ```
//!
//! Where the official SDKs differ, the stricter rule holds (`docs/decisions/0008-profiles.md`).

mod collection;
mod disk;
mod document;
mod folder;
mod member;
mod name;
mod session;
mod unknown;
mod variables;

pub use document::{Kind, Profile};
pub use folder::Profiles;
pub use member::Member;
pub use name::ProfileName;
pub use session::ProfileCredentials;
pub use unknown::UnknownMember;

pub(crate) use session::check_deployment;
