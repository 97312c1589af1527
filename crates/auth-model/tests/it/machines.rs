//! Real token machines as small values that a model checker can copy, compare and hash.
//!
//! A [`TokenMachine`] cannot be cloned, on purpose. So each state a machine can be in gets a number, and with the number
//! goes one life (a list of calls) that leads to it. A call is made by living that life again and then making it; as the
//! machine reads neither clock nor chance, the same life always leads to the same state. Each call in each state is made
//! once; after that it is looked up.
//!
//! Two lives lead to the same state when the machine's `Debug` text is the same and the same tokens were held in the
//! same order. The text is derived and shows every field; all it hides is tokens. Those are the tokens held now and
//! before: the lease is one of them, and its generation, which is shown, says which; a flight names the generation that
//! it spends; and the spent ones are those held before and, if the text says `Dead`, the one held now.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use auth_core::{
    Access, Client, ExchangeId, Input, Output, Policy, SendFailure, Server, Snapshot, TokenMachine, Wire,
};
use secrecy::{ExposeSecret as _, SecretString};

/// How long a token lives, in seconds: far more than everything else takes.
const LIFETIME: u64 = 100_000;

/// The number of a state of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MachineId(u32);

/// A process's time: how many lifetimes of a token have passed, and how long it has waited since, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Now {
    pub(crate) era: u8,
    pub(crate) waited: u8,
}

/// The tokens of a snapshot, by the number the server gave them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tokens {
    pub(crate) access: u8,
    pub(crate) refresh: u8,
    pub(crate) generation: u8,
    /// In seconds.
    pub(crate) expires_at: u32,
}

/// What the server answers to an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    /// The pair of this number.
    Pair(u8),
    InvalidGrant,
}

/// A call of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Access,
    /// The lease is refused, if there is one.
    Refused,
    Adopt(Tokens),
    Answered(Answer),
    Failed(SendCut),
    Stored {
        generation: u8,
        ok: bool,
    },
    /// Poll, past all events.
    Poll,
}

/// [`SendFailure`], as a value to hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SendCut {
    NotSent,
    MaybeSent,
}

/// What a poll came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    /// Send the refresh token of this number.
    Send(u8),
    Store(Tokens),
    /// Nothing to do for this many seconds, if the machine wants to be woken at all.
    Idle(Option<u8>),
}

/// What whoever asks would be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Told {
    /// The lease with the access token of this number.
    Ready {
        access: u8,
        is_valid: bool,
    },
    Pending,
    Failed,
    LoginRequired {
        maybe_consumed: bool,
    },
}

/// How long a pair lives, compared to the one before it: the newer one of two need not be the one that lives
/// longer, if somebody renewed early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetimes {
    Longer,
    Shorter,
}

/// All states that machines were seen in.
#[derive(Debug)]
pub(crate) struct Machines {
    pub(crate) lifetimes: Lifetimes,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    lives: Vec<Life>,
    ids: HashMap<Key, MachineId>,
    calls: HashMap<(MachineId, Call, Now), (MachineId, Said)>,
    told: HashMap<(MachineId, Now), Told>,
    wants: HashMap<MachineId, bool>,
    is_stored: HashMap<MachineId, bool>,
}

#[derive(Debug, Clone)]
struct Life {
    restored: Tokens,
    calls: Vec<(Call, Now)>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    text: String,
    held: Vec<Tokens>,
}

impl Machines {
    pub(crate) fn new(lifetimes: Lifetimes) -> Self {
        Self { lifetimes, seen: Mutex::default() }
    }

    /// A machine that was just restored from these tokens.
    pub(crate) fn restored(&self, tokens: Tokens) -> MachineId {
        let life = Life { restored: tokens, calls: Vec::new() };
        let alive = self.again(&life);
        self.seen().id(life, &alive)
    }

    /// Makes a call; says what the machine said, which is nothing unless it was polled.
    pub(crate) fn call(&self, id: MachineId, call: Call, now: Now) -> (MachineId, Said) {
        let mut seen = self.seen();
        if let Some(known) = seen.calls.get(&(id, call, now)) {
            return *known;
        }
        let mut life = seen.life(id);
        let mut alive = self.again(&life);
        let said = alive.call(call, now);
        life.calls.push((call, now));
        let result = (seen.id(life, &alive), said);
        seen.calls.insert((id, call, now), result);
        result
    }

    /// What the machine would say if it were asked now.
    pub(crate) fn told(&self, id: MachineId, now: Now) -> Told {
        let mut seen = self.seen();
        let known = seen.told.get(&(id, now)).copied();
        known.unwrap_or_else(|| {
            let told = told(&self.again(&seen.life(id)).machine.access(time(now)), now);
            seen.told.insert((id, now), told);
            told
        })
    }

    /// Whether the exchange that was sent last is still wanted.
    pub(crate) fn wants(&self, id: MachineId) -> bool {
        let mut seen = self.seen();
        let known = seen.wants.get(&id).copied();
        known.unwrap_or_else(|| {
            let alive = self.again(&seen.life(id));
            let wants = alive.exchange.is_some_and(|exchange| alive.machine.wants(exchange));
            seen.wants.insert(id, wants);
            wants
        })
    }

    /// Whether the newest tokens were stored.
    pub(crate) fn is_stored(&self, id: MachineId) -> bool {
        let mut seen = self.seen();
        let known = seen.is_stored.get(&id).copied();
        known.unwrap_or_else(|| {
            let is_stored = self.again(&seen.life(id)).machine.is_stored();
            seen.is_stored.insert(id, is_stored);
            is_stored
        })
    }

    /// How many states there are.
    pub(crate) fn count(&self) -> usize {
        self.seen().lives.len()
    }

    fn again(&self, life: &Life) -> Alive {
        Alive::again(life, self.lifetimes)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

impl Seen {
    fn life(&self, id: MachineId) -> Life {
        self.lives[id.0 as usize].clone()
    }

    fn id(&mut self, life: Life, alive: &Alive) -> MachineId {
        let key = Key { text: format!("{:?}", alive.machine), held: alive.held.clone() };
        *self.ids.entry(key).or_insert_with(|| {
            self.lives.push(life);
            MachineId(u32::try_from(self.lives.len() - 1).unwrap())
        })
    }
}

/// A machine that lives a life.
struct Alive {
    machine: TokenMachine,
    lifetimes: Lifetimes,
    /// The newest one.
    exchange: Option<ExchangeId>,
    /// All tokens that were ever held, in order.
    held: Vec<Tokens>,
}

impl Alive {
    fn again(life: &Life, lifetimes: Lifetimes) -> Self {
        let server = Server::new("https://auth.example/token".parse().unwrap());
        let server = server.unwrap().with_wire(Wire::rfc());
        let mut machine = TokenMachine::new(server, Client::public("app"), Policy::default());
        machine.restore(snapshot(life.restored));
        let mut alive = Self { machine, lifetimes, exchange: None, held: vec![life.restored] };
        for (call, now) in &life.calls {
            alive.call(*call, *now);
        }
        alive
    }

    fn call(&mut self, call: Call, now: Now) -> Said {
        let said = self.make(call, now);
        let held = tokens(self.machine.snapshot().unwrap());
        if self.held.last() != Some(&held) {
            self.held.push(held);
        }
        said
    }

    fn make(&mut self, call: Call, now: Now) -> Said {
        let input = match call {
            Call::Access => {
                let _ = self.machine.access(time(now));
                return Said::Idle(None);
            }
            Call::Refused => match self.machine.access(time(now)) {
                Access::Ready(lease) => Input::Rejected { generation: lease.generation() },
                _ => return Said::Idle(None),
            },
            Call::Poll => return self.poll(now),
            Call::Adopt(tokens) => Input::Adopt(snapshot(tokens)),
            Call::Answered(answer) => self.response(Ok(response(answer, self.lifetimes)), now),
            Call::Failed(SendCut::NotSent) => self.response(Err(SendFailure::NotSent), now),
            Call::Failed(SendCut::MaybeSent) => self.response(Err(SendFailure::MaybeSent), now),
            Call::Stored { generation, ok } => Input::Stored { generation: generation.into(), ok },
        };
        self.machine.handle(input, time(now));
        Said::Idle(None)
    }

    fn response(&self, result: Result<http::Response<bytes::Bytes>, SendFailure>, now: Now) -> Input {
        Input::Response { exchange: self.exchange.unwrap(), sent_at: time(now), result }
    }

    fn poll(&mut self, now: Now) -> Said {
        loop {
            match self.machine.poll(time(now)) {
                Output::Event(_) => {}
                Output::Transmit { exchange, request } => {
                    self.exchange = Some(exchange);
                    return Said::Send(number(std::str::from_utf8(request.body()).unwrap(), "=refresh-"));
                }
                Output::Store { snapshot, .. } => return Said::Store(tokens(&snapshot)),
                Output::Remove => panic!("nobody logs out"),
                Output::Idle { wake_at } => {
                    let wait = wake_at.map(|wake_at| wake_at.duration_since(time(now)).unwrap());
                    return Said::Idle(wait.map(|wait| u8::try_from(wait.as_secs()).unwrap()));
                }
            }
        }
    }
}

/// The pair that everything begins with.
pub(crate) fn first() -> Tokens {
    let expires_at = u32::try_from(lifetime(0, Lifetimes::Longer)).unwrap();
    Tokens { access: 0, refresh: 0, generation: 0, expires_at }
}

/// In seconds: over before the next era begins, however late in this one the pair was issued.
fn lifetime(pair: u8, lifetimes: Lifetimes) -> u64 {
    // More than anybody waits between two renewals.
    let step = 100 * u64::from(pair);
    match lifetimes {
        Lifetimes::Longer => LIFETIME - 1000 + step,
        Lifetimes::Shorter => LIFETIME - 1000 - step,
    }
}

fn seconds(now: Now) -> u64 {
    u64::from(now.era) * LIFETIME + u64::from(now.waited)
}

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn time(now: Now) -> SystemTime {
    start() + Duration::from_secs(seconds(now))
}

fn snapshot(tokens: Tokens) -> Snapshot {
    Snapshot {
        access_token: format!("access-{}", tokens.access).into(),
        refresh_token: Some(format!("refresh-{}", tokens.refresh).into()),
        expires_at: Some(start() + Duration::from_secs(tokens.expires_at.into())),
        scopes: None,
        generation: tokens.generation.into(),
        extra: serde_json::Map::new(),
    }
}

fn tokens(snapshot: &Snapshot) -> Tokens {
    let expires_at = snapshot.expires_at.unwrap().duration_since(start()).unwrap();
    Tokens {
        access: secret_number(&snapshot.access_token, "access-"),
        refresh: secret_number(snapshot.refresh_token.as_ref().unwrap(), "refresh-"),
        generation: u8::try_from(snapshot.generation).unwrap(),
        expires_at: u32::try_from(expires_at.as_secs()).unwrap(),
    }
}

fn response(answer: Answer, lifetimes: Lifetimes) -> http::Response<bytes::Bytes> {
    let (status, body) = match answer {
        Answer::InvalidGrant => (400, serde_json::json!({ "error": "invalid_grant" })),
        Answer::Pair(pair) => {
            let access = format!("access-{pair}");
            let refresh = format!("refresh-{pair}");
            let body = serde_json::json!({
                "access_token": access, "refresh_token": refresh, "expires_in": lifetime(pair, lifetimes),
                "token_type": "Bearer",
            });
            (200, body)
        }
    };
    http::Response::builder().status(status).body(body.to_string().into()).unwrap()
}

fn told(access: &Access, now: Now) -> Told {
    match access {
        Access::Ready(lease) => Told::Ready {
            access: secret_number(lease.access_token(), "access-"),
            is_valid: lease.is_valid_at(time(now)),
        },
        Access::Pending => Told::Pending,
        Access::Failed(_) => Told::Failed,
        Access::LoginRequired(reason) => Told::LoginRequired { maybe_consumed: reason.maybe_consumed() },
    }
}

fn secret_number(secret: &SecretString, prefix: &str) -> u8 {
    number(secret.expose_secret(), prefix)
}

/// The number behind the prefix.
fn number(text: &str, prefix: &str) -> u8 {
    let (_, rest) = text.split_once(prefix).unwrap();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}
