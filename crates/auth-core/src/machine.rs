//! The life of a token, as a state machine that is told everything and does nothing.

mod access;
mod clock;
mod event;
mod failure;
mod inputs;
mod lease;
mod logout;
mod outputs;
mod policy;
mod spent;
mod words;

use std::{collections::VecDeque, time::SystemTime};

use self::{access::is_within, logout::Leaving, policy::Deadline, spent::Spent};
pub use self::{
    event::Event,
    failure::{Failure, Reason},
    lease::Lease,
    policy::{Policy, Windows},
    words::{Access, ExchangeId, Input, Output, SendFailure},
};
use crate::{Client, ClockSkew, Server, Snapshot, exchange::Asked};

/// Keeps one login alive: hands out leases, refreshes when someone asks, and never loses a refresh token it was given.
///
/// The driver calls [`access`](Self::access) for whoever wants a token, [`poll`](Self::poll) until it is
/// [`Output::Idle`], does what each output says, and reports with [`handle`](Self::handle). It decides nothing. Time is
/// an argument; a clock that steps back costs at most an early try.
///
/// It begins with what a store kept ([`restore`](Self::restore)) or with what a login gave ([`Input::LoggedIn`]). It is
/// for tokens that come with a refresh token; a grant that is repeated instead, such as client credentials, needs none.
///
/// What holds, whatever the driver, the server and the clock do:
///
/// - One exchange at most is in flight; an answer with another id changes nothing.
/// - An expired lease is not handed out. Inside the refresh window the old one still is.
/// - A 401 for an old generation does not touch a newer one.
/// - A new lease is handed out only after its [`Output::Store`] was reported, so what is used is what is stored. When
///   storing fails, the tokens are served from memory and storing is tried again.
/// - A server that refuses every token, or whose tokens are over when they come, is asked ever less often.
/// - A refresh token that was answered is never sent again. One whose answer got lost is sent again
///   [`Policy::resends`] times, promptly.
/// - Nobody asks, nothing is sent: every exchange follows a call of [`access`](Self::access) or an [`Input::LogOut`].
/// - `poll` comes to [`Output::Idle`], and its `wake_at` is in the future.
/// - A failed login keeps its snapshot; nothing is blanked.
/// - After [`Input::LogOut`] no lease is handed out. What is stored is removed, whether the server could be told or not.
///
/// Every time that goes in or comes out is this machine's own. What a server says in absolute times is corrected by
/// what its `Date` headers tell of this machine's clock, if its answers come with TLS ([`ClockSkew`]). A clock that was
/// set back since the tokens came takes their expiry along.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::{Duration, SystemTime};
/// use auth_core::{Access, Client, Input, Output, Policy, Server, Snapshot, TokenMachine};
///
/// let server = Server::new("https://auth.example/token".parse()?)?;
/// let mut machine = TokenMachine::new(server, Client::public("app"), Policy::default());
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
/// machine.restore(Snapshot {
///     access_token: "old".into(),
///     refresh_token: Some("refresh".into()),
///     expires_at: Some(now),
///     scopes: None,
///     generation: 1,
///     extra: serde_json::Map::new(),
/// });
///
/// assert!(matches!(machine.access(now), Access::Pending));
/// loop {
///     match machine.poll(now) {
///         Output::Transmit { exchange, request } => {
///             assert_eq!(request.uri(), "https://auth.example/token");
///             let answer = r#"{"access_token":"new","token_type":"Bearer","expires_in":3600}"#;
///             let result = Ok(http::Response::new(answer.into()));
///             machine.handle(Input::Response { exchange, sent_at: now, result }, now);
///         }
///         Output::Store { generation, snapshot: _ } => {
///             machine.handle(Input::Stored { generation, ok: true }, now);
///         }
///         Output::Remove => machine.handle(Input::Removed { ok: true }, now),
///         Output::Event(event) => println!("{event}"),
///         Output::Idle { .. } => break,
///     }
/// }
/// assert!(matches!(machine.access(now), Access::Ready(lease) if lease.generation() == 2));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TokenMachine {
    server: Server,
    client: Client,
    policy: Policy,
    held: Option<Held>,
    /// What may be handed out: the lease of `held`, or the one before it while `held` is not stored.
    lease: Option<Lease>,
    /// Someone asked for what only an exchange can give.
    wanted: bool,
    flight: Option<Flight>,
    exchanges: u64,
    /// The highest generation so far; a logout does not begin anew.
    newest: u64,
    leaving: Option<Leaving>,
    skew: ClockSkew,
    health: Health,
    troubles: Troubles,
    /// Fresh leases refused in a row.
    rejections: u32,
    /// Leases in a row that were over when they came.
    stillborn: u32,
    storing: Storing,
    spent: Spent,
    events: VecDeque<Event>,
}

/// The newest tokens.
#[derive(Debug)]
struct Held {
    snapshot: Snapshot,
    /// When they came, if they came to this machine.
    obtained_at: Option<SystemTime>,
    rejected: bool,
}

#[derive(Debug)]
struct Flight {
    exchange: ExchangeId,
    asked: Asked,
    /// The generation it is to replace; if that is no longer the newest, its answer is of no use.
    generation: u64,
}

#[derive(Debug)]
enum Health {
    Well,
    BackingOff(Failure, Deadline),
    Misconfigured(Failure),
    Dead(Reason),
}

/// What went wrong since the last success.
#[derive(Debug, Default)]
struct Troubles {
    failures: u32,
    unanswered: u32,
    doubtful: bool,
}

#[derive(Debug, Default)]
struct Storing {
    /// The newest snapshot has to be stored.
    due: bool,
    /// The newest snapshot was never reported: its lease is not visible.
    unpublished: bool,
    waiting: Option<u64>,
    /// What is stored is being removed.
    removing: bool,
    retry: Option<Deadline>,
    failures: u32,
}

impl TokenMachine {
    /// Creates a machine that has no tokens.
    #[must_use]
    pub fn new(server: Server, client: Client, policy: Policy) -> Self {
        Self {
            server,
            client,
            policy,
            held: None,
            lease: None,
            wanted: false,
            flight: None,
            exchanges: 0,
            newest: 0,
            leaving: None,
            skew: ClockSkew::default(),
            health: Health::Well,
            troubles: Troubles::default(),
            rejections: 0,
            stillborn: 0,
            storing: Storing::default(),
            spent: Spent::default(),
            events: VecDeque::new(),
        }
    }

    /// Begins with what was stored; its lease may be handed out at once.
    pub fn restore(&mut self, snapshot: Snapshot) {
        self.hold(snapshot, None);
        self.storing.unpublished = false;
        self.storing.due = self.storing.waiting.is_some();
        self.publish();
        if self.leaving.is_some() {
            // These are the tokens to give back now.
            self.leave();
        }
    }

    /// Returns the newest tokens, stored or not.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.held.as_ref().map(|held| &held.snapshot)
    }

    /// Tells whether the newest tokens are where [`Output::Store`] puts them, as far as was reported.
    ///
    /// Until then a driver keeps the lock it shares with other processes: what the store still holds may be used up.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        !self.storing.due
    }

    /// Tells whether this exchange is in flight and still needed.
    ///
    /// A driver that takes a lock between [`Output::Transmit`] and sending reads the store under the lock, hands over
    /// [`Input::Adopt`], and asks here: if another process has done the work, it sends nothing and reports
    /// [`SendFailure::NotSent`].
    #[must_use]
    pub fn wants(&self, exchange: ExchangeId) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.exchange == exchange && !self.is_superseded(flight))
    }

    /// Returns the tokens whose refresh token this exchange spends: `None` if it gives tokens back, or is over, or is no
    /// longer needed.
    ///
    /// A driver can make sure that it will be able to store the answer, and note what it is about to do, before it sends.
    #[must_use]
    pub fn spends(&self, exchange: ExchangeId) -> Option<&Snapshot> {
        let flight = self.flight.as_ref().filter(|flight| !flight.asked.is_revocation())?;
        self.snapshot().filter(|_| flight.exchange == exchange && !self.is_superseded(flight))
    }

    /// Tells whether the newest refresh token may have been used up by an exchange without an answer.
    #[must_use]
    pub fn maybe_spent(&self) -> bool {
        self.troubles.doubtful
    }

    /// Returns what is known of this machine's clock.
    #[must_use]
    pub fn clock_skew(&self) -> &ClockSkew {
        &self.skew
    }

    /// Answers whoever wants a token, and remembers that someone did.
    pub fn access(&mut self, now: SystemTime) -> Access {
        let Some(lease) = self.lease.clone().filter(|lease| lease.is_valid_at(now)) else {
            return self.access_without_lease(now);
        };
        let windows = self.windows();
        if !is_within(&lease, windows.advisory, now) {
            return Access::Ready(lease);
        }
        self.wanted |= self.can_refresh() && self.needs_refresh(now);
        if is_within(&lease, windows.mandatory, now) && self.answer_is_near(now) {
            return Access::Pending;
        }
        Access::Ready(lease)
    }

    /// Takes in what happened outside.
    pub fn handle(&mut self, input: Input, now: SystemTime) {
        match input {
            Input::Response { exchange, sent_at, result } => self.answered(exchange, sent_at, result, now),
            Input::Rejected { generation } => self.rejected(generation, now),
            Input::Stored { generation, ok } => self.stored(generation, ok, now),
            Input::Adopt(snapshot) => self.adopt(snapshot, now),
            Input::MaybeSpent { generation } => self.doubt(generation),
            Input::LoggedIn(tokens) => self.logged_in(tokens, now),
            Input::LogOut => self.log_out(),
            Input::Removed { ok } => self.removed(ok, now),
        }
    }

    /// Says what to do next; call it until it is [`Output::Idle`].
    pub fn poll(&mut self, now: SystemTime) -> Output {
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        let next = match self.leaving {
            Some(_) => self.go(now),
            None => self.store(now).or_else(|| self.transmit(now)),
        };
        next.unwrap_or_else(|| self.idle(now))
    }
}
