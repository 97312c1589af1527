//! What all connections share.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;

use crate::api::Shelf;
use crate::builder::Builder;
use crate::error::Error;
use crate::fault::Faults;
use crate::hold::Gate;
use crate::journal::Journal;
use crate::limits::Meters;
use crate::mail::Mailbox;
use crate::mint::Mint;
use crate::oauth::Grants;
use crate::people::Seats;
use crate::reply::Reply;
use crate::time::{self, Clock, Dates};
use crate::wire::Traffic;
use crate::workload::Workload;

/// The API's catalogue of November 2026.
pub(crate) const DEFAULT_MODELS: [&str; 22] = [
    "claude-fable-5-2",
    "claude-mythos-5-2",
    "claude-haiku-5-5",
    "claude-sonnet-5-5",
    "claude-fable-5-1",
    "claude-opus-5-5",
    "claude-mythos-5-1",
    "claude-sonnet-5",
    "claude-fable-5",
    "claude-mythos-5",
    "claude-opus-5",
    "claude-opus-4-8",
    "claude-opus-4-7",
    "claude-mythos-preview",
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-haiku-4-5",
    "claude-haiku-4-5-20251001",
    "claude-opus-4-5",
    "claude-opus-4-5-20251101",
    "claude-sonnet-4-5",
    "claude-sonnet-4-5-20250929",
];

/// Fixed facts about this server, and behind a lock what changes.
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) base_url: Url,
    pub(crate) path_prefix: String,
    pub(crate) issuer: String,
    pub(crate) client: String,
    pub(crate) api_key: String,
    pub(crate) models: Vec<String>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) client_secret: String,
    pub(crate) seats: Seats,
    pub(crate) workload: Workload,
    /// Whether whatever a call names is there.
    pub(crate) examples: bool,
    pub(crate) gate: Gate,
    pub(crate) traffic: Arc<Traffic>,
    changing: Mutex<Changing>,
}

/// How long things last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    pub(crate) access_token: Duration,
    pub(crate) refresh_token: Duration,
    pub(crate) reuse_window: Duration,
    pub(crate) device_code: Duration,
    pub(crate) device_interval: Duration,
    /// Whether a reuse outside the window ends the family.
    pub(crate) reuse_revokes: bool,
    pub(crate) batch: Duration,
}

/// What requests change. It is locked for a few lookups at a time, never while anything is read or written.
pub(crate) struct Changing {
    pub(crate) mint: Mint,
    pub(crate) grants: Grants,
    pub(crate) limits: Meters,
    pub(crate) script: VecDeque<Reply>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) shelf: Shelf,
    pub(crate) mailbox: Mailbox,
    /// For `Date`.
    pub(crate) dates: Dates,
}

impl State {
    pub(crate) fn new(settings: Builder, address: SocketAddr, clock: Clock) -> Result<Self, Error> {
        let scheme = if settings.tls { "https" } else { "http" };
        let mut mint = Mint::new(settings.seed.unwrap_or_else(|| time::seed(address.port())));
        let Ok(base_url) = Url::parse(&format!("{scheme}://{address}{}", settings.path_prefix)) else {
            return Err(Error::Setting { name: "path_prefix", hint: "give a path that can stand in a URL" });
        };
        let issuer = settings.issuer.unwrap_or_else(|| base_url.as_str().trim_end_matches('/').to_owned());
        let api_key = settings.api_key.map_or_else(|| mint.api_key(), |key| key.0);
        let seats = Seats::new(&settings.people, &mut mint);
        let chance = u64::from_le_bytes(mint.seed().first_chunk().copied().unwrap_or_default());
        let client_secret = mint.client_secret();
        let Some(workload) = Workload::new(&issuer, &mut mint) else {
            return Err(Error::Setting { name: "seed", hint: "give another one" });
        };
        Ok(Self {
            clock,
            base_url,
            path_prefix: settings.path_prefix,
            issuer,
            client: settings.client,
            api_key,
            models: settings.models,
            lifetimes: Lifetimes {
                access_token: settings.access_token_ttl,
                refresh_token: settings.refresh_token_ttl,
                reuse_window: settings.refresh_reuse_window,
                device_code: settings.device_code_ttl,
                device_interval: settings.device_interval,
                reuse_revokes: settings.refresh_reuse_revokes,
                batch: settings.batch_time,
            },
            client_secret,
            seats,
            workload,
            examples: settings.examples,
            gate: Gate::default(),
            traffic: Arc::default(),
            changing: Mutex::new(Changing {
                mint,
                grants: Grants::default(),
                limits: Meters::new(settings.limits),
                script: settings.script.into(),
                faults: Faults::new(settings.faults, chance),
                journal: Journal::new(settings.lines),
                shelf: Shelf::default(),
                mailbox: Mailbox::default(),
                dates: Dates::default(),
            }),
        })
    }

    /// Locks what changes. A panic elsewhere leaves nothing half done, so a poisoned lock is taken as it is.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The URL of one of the server's own paths.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{path}", self.path_prefix));
        url
    }

    /// Takes the first scripted reply for a path, and for what was heard there.
    pub(crate) fn scripted(&self, path: &str, heard: impl FnOnce() -> String) -> Option<Reply> {
        let script = &mut self.lock().script;
        if !script.iter().any(|reply| reply.path == path) {
            return None;
        }
        let heard = heard();
        let is_for = |reply: &Reply| {
            reply.path == path && reply.when.as_ref().is_none_or(|wanted| heard.contains(wanted.as_str()))
        };
        let first = script.iter().position(is_for)?;
        let reply = script.get_mut(first)?;
        match reply.times {
            0 | 1 => script.remove(first),
            u32::MAX => Some(reply.clone()),
            _ => {
                reply.times -= 1;
                Some(reply.clone())
            }
        }
    }
}
