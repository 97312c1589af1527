//! Logins on another device (RFC 8628): two codes, one for the program and one for the person.

use std::collections::HashMap;
use std::time::Duration;

use super::{Denied, Grants, Issued, Login, MEMORY, Permission, same};
use crate::mint::Mint;
use crate::state::Lifetimes;

/// What each poll that comes too early adds to the interval (RFC 8628, section 3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// The two codes of one login.
pub(crate) struct DeviceCodes {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
}

/// What the page asks the person.
pub(crate) struct DeviceQuestion {
    pub(crate) user_code: String,
    pub(crate) scope: Vec<String>,
    pub(crate) csrf: String,
    pub(crate) login: Login,
}

/// The logins there are, by device code.
#[derive(Default)]
pub(super) struct Devices(HashMap<String, Device>);

struct Device {
    user_code: String,
    scope: Vec<String>,
    csrf: String,
    login: Login,
    until: Duration,
    interval: Duration,
    /// The last poll, or the answer that gave the codes.
    asked_at: Duration,
    decision: Decision,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Pending,
    Allowed,
    Denied,
    Spent,
}

impl Devices {
    pub(super) fn forget(&mut self, now: Duration) {
        self.0.retain(|_, device| now < device.until.saturating_add(MEMORY));
    }

    /// The login that a person may still decide about.
    fn undecided(&mut self, now: Duration, user_code: &str) -> Option<&mut Device> {
        let typed = normalised(user_code);
        let mut devices = self.0.values_mut();
        let device = devices.find(|device| same(&normalised(&device.user_code), &typed))?;
        (now < device.until && device.decision == Decision::Pending).then_some(device)
    }
}

impl Grants {
    /// Begins a login on another device.
    pub(crate) fn begin_device(
        &mut self,
        now: Duration,
        mint: &mut Mint,
        life: Lifetimes,
        scope: Vec<String>,
        login: Login,
    ) -> DeviceCodes {
        self.forget(now);
        let codes = DeviceCodes { device_code: mint.device_code(), user_code: mint.user_code() };
        let device = Device {
            user_code: codes.user_code.clone(),
            scope,
            csrf: mint.name("", 43),
            login,
            until: now.saturating_add(life.device_code),
            interval: life.device_interval,
            asked_at: now,
            decision: Decision::Pending,
        };
        self.devices.0.insert(codes.device_code.clone(), device);
        codes
    }

    /// What is asked of the person who enters a code; `None` if there is nothing to decide.
    pub(crate) fn device_question(&mut self, now: Duration, user_code: &str) -> Option<DeviceQuestion> {
        let device = self.devices.undecided(now, user_code)?;
        Some(DeviceQuestion {
            user_code: device.user_code.clone(),
            scope: device.scope.clone(),
            csrf: device.csrf.clone(),
            login: device.login.clone(),
        })
    }

    /// How far somebody is who logs in to decide about a code.
    pub(crate) fn device_login(&mut self, now: Duration, user_code: &str, csrf: &str) -> Option<&mut Login> {
        let device = self.devices.undecided(now, user_code).filter(|device| same(&device.csrf, csrf))?;
        Some(&mut device.login)
    }

    /// Takes the person's decision, after the login; `false` if there was nothing to decide.
    pub(crate) fn decide_device(
        &mut self,
        now: Duration,
        user_code: &str,
        csrf: &str,
        allowed: bool,
    ) -> bool {
        let device = self.devices.undecided(now, user_code).filter(|device| same(&device.csrf, csrf));
        let Some(device) = device.filter(|device| device.login.seat.is_some()) else { return false };
        device.decision = if allowed { Decision::Allowed } else { Decision::Denied };
        true
    }

    /// Answers a poll (RFC 8628, section 3.5).
    pub(crate) fn poll_device(
        &mut self,
        now: Duration,
        mint: &mut Mint,
        life: Lifetimes,
        device_code: &str,
    ) -> Result<Issued, Denied> {
        let denied = |error, description, note| Err(Denied { error, description, note });
        let Some(device) = self.devices.0.get_mut(device_code) else {
            return Err(Denied::grant("the device code is unknown", None));
        };
        if now >= device.until {
            return denied("expired_token", "the device code has expired", Some("device code expired"));
        }
        let early = now.saturating_sub(device.asked_at) < device.interval;
        device.asked_at = now;
        match device.decision {
            Decision::Spent => {
                Err(Denied::grant("the device code was used before", Some("device code replayed")))
            }
            Decision::Denied => denied("access_denied", "the person said no", Some("device login denied")),
            _ if early => {
                device.interval = device.interval.saturating_add(SLOW_DOWN);
                denied("slow_down", "poll less often from now on", Some("polled too early"))
            }
            Decision::Pending => denied("authorization_pending", "the person has not decided yet", None),
            Decision::Allowed => {
                device.decision = Decision::Spent;
                let scope = device.scope.clone();
                let seat = device.login.seat.unwrap_or_default();
                let family = self.new_family(Permission { scope: scope.clone(), seat });
                Ok(self.issue(now, mint, life, family, scope, "device code exchanged"))
            }
        }
    }
}

/// A code as it is compared: people leave out hyphens and write small letters.
fn normalised(user_code: &str) -> String {
    user_code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}
