//! The routes of the API, one handle per resource.

mod batches;
mod call;
mod files;
mod list;
mod messages;
mod models;
mod multipart;
mod organization;
mod raw;
mod route;
mod skills;
mod source;
mod user_profiles;

pub use batches::{BatchJob, BatchResults, Batches, JobError, JobProgress, JobResults};
pub use files::{Download, FileUpload, Files};
pub use list::{Items, List, Pages, Paging};
pub use messages::{MessageStream, Messages, TeeStream, TextStream};
pub use models::Models;
pub use organization::Organization;
#[cfg(feature = "blocking")]
pub(crate) use raw::FormPart;
pub use raw::{Raw, RawRequest};
pub use skills::{SkillFiles, Skills};
pub use user_profiles::UserProfiles;
