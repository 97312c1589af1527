//! The two layers only this crate can have, because they know both HTTP and who or how much: [`Authorize`] puts a
//! credential on each attempt, [`Throttle`] asks the rate limiter first and tells it what the service answered.

mod authorize;
mod equip;
mod measure;
mod throttle;

pub use authorize::Authorize;
pub use throttle::Throttle;

pub(crate) use authorize::Sent;
pub(crate) use equip::Equip;
pub(crate) use measure::Overheard;
pub(crate) use throttle::{Charge, HeldPermit};
