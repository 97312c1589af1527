//! One process's side: the keys it uses, what it asks of the server, and what it owes.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    WhenGone,
    account::{Account, add},
    health::Health,
    question::{MOST, Question, Verdict},
    race::{Finished, within},
    server::{Store, Trouble},
};
use crate::{
    Cost, Dimension, Key, Limits, Permit, Rate, Timer,
    limiters::{Local, local::book::unknown},
    moment::nanos,
    permit::Ledger,
};

const MAX_KEYS: usize = 1024;
const AN_HOUR: u64 = 3_600_000_000_000; // ns

/// How far ahead others may be admitted for somebody to get in line after them.
const HORIZON: Duration = Duration::from_millis(100);

/// How long the permits of a process that is not heard of are kept for it.
const LEASE: Duration = Duration::from_secs(20);

/// Everything one limiter has.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) settings: Settings,
    pub(super) store: Box<dyn Store>,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) health: Health,
    pub(super) news: Notify,
    pub(super) has_keeper: AtomicBool,
    accounts: Mutex<HashMap<Arc<str>, Arc<Account>>>,
    next_number: AtomicU64,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) limits: Limits,
    pub(super) special: HashMap<Arc<str>, Limits>,
    pub(super) processes: u32,
    pub(super) is_leased: bool,
    pub(super) when_gone: WhenGone,
    /// How long a permit may be out.
    pub(super) lease: Duration,
    /// How long one question to the server may take.
    pub(super) patience: Duration,
}

/// An answer, with what was charged in the hands of whoever asked.
#[derive(Debug)]
pub(super) enum Told {
    Charged(Duration, Charged),
    Later { wait: Duration, again: Duration },
    Full,
    TooLarge { dimension: Dimension, capacity: u64 },
}

/// What the server has charged; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Charged {
    desk: Arc<Desk>,
    account: Arc<Account>,
    amounts: [i64; 3],
    permit: Option<Permit>,
    admission: i64,
}

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    Nothing,
    /// A permit.
    Permit(Cost, Duration),
    /// A block to give permits from.
    Block([u64; 3], Duration),
}

impl Desk {
    pub(super) fn new(settings: Settings, store: Box<dyn Store>, timer: Arc<dyn Timer>) -> Self {
        Self {
            settings,
            store,
            timer,
            health: Health::new(),
            news: Notify::new(),
            has_keeper: AtomicBool::new(false),
            accounts: Mutex::default(),
            next_number: AtomicU64::new(1),
        }
    }

    pub(super) fn now(&self) -> u64 {
        nanos(self.timer.now())
    }

    pub(super) fn next_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// The account of a key; `None` while there is no room for one more.
    pub(super) fn account(&self, key: &Key) -> Option<Arc<Account>> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(key.as_str()) {
            return Some(Arc::clone(account));
        }
        let now = self.now();
        if accounts.len() >= MAX_KEYS && !make_room(&mut accounts, now) {
            return None;
        }
        let (name, _) = key.parts();
        let limits = countable(self.settings.special.get(name).unwrap_or(&self.settings.limits));
        let processes = self.settings.processes;
        let is_leased = self.settings.is_leased && limits.concurrency.is_none_or(|most| most >= processes);
        let account = Account::new(Arc::clone(name), limits, is_leased, self.health.away(now));
        let account = Arc::new(account);
        accounts.insert(Arc::clone(name), Arc::clone(&account));
        Some(account)
    }

    fn known(&self, key: &str) -> Option<Arc<Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(super) fn accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Asks the server. What it charges is never lost: whoever drops this future gets it back into the limit.
    pub(super) fn ask(
        self: &Arc<Self>,
        account: &Arc<Account>,
        want: Want,
        patience: Duration,
    ) -> impl Future<Output = Result<Told, Trouble>> + Send + 'static {
        let (desk, account) = (Arc::clone(self), Arc::clone(account));
        Finished::new(async move {
            let wire = Arc::clone(&account.wire);
            let _mine = wire.lock_owned().await;
            let now = desk.now();
            let away = desk.health.away(now);
            let question = desk.question(&account, now, away, want);
            let answer = within(&*desk.timer, patience, desk.store.ask(&account.key, &question)).await;
            let answer = answer.unwrap_or_else(|| Err(Trouble::Server("no answer in time".into())));
            let answer = answer.inspect_err(|why| {
                if matches!(why, Trouble::Server(_)) {
                    desk.health.fail(now, why, &account.key, || desk.share());
                    desk.news.notify_one();
                }
            })?;
            account.books().answered(now, &question, answer.client, away);
            if question.undo > 0 {
                account.changed.notify_waiters();
            }
            let now = desk.now();
            Ok(match answer.verdict {
                Verdict::Admitted(wait) => {
                    Told::Charged(wait, Charged::new(&desk, &account, now, want, answer.number))
                }
                Verdict::Later { wait, again } => Told::Later { wait, again },
                Verdict::Full => Told::Full,
                Verdict::TooLarge { dimension, capacity } => Told::TooLarge { dimension, capacity },
            })
        })
    }

    fn question(&self, account: &Account, now: u64, away: u64, want: Want) -> Question {
        let limits = if account.is_leased { without_seats(account.limits) } else { account.limits };
        let mut books = account.books();
        let late = books.close_late(now);
        books.correct(late);
        let mut question = books.question(now, limits, LEASE, away);
        question.horizon = HORIZON;
        // It may come in by so much later than the last one, beyond how much later it is sent.
        question.idle = question.idle.map(|idle| idle.saturating_add(self.settings.patience));
        question.wanted = match want {
            Want::Nothing => None,
            Want::Permit(cost, patience) => Some((cost.amounts(), patience)),
            Want::Block(amounts, patience) => Some((amounts, patience)),
        };
        question
    }

    /// How much of each limit a process holds in advance: all of them together a fiftieth of the burst.
    pub(super) fn lot(&self, limits: &Limits) -> [u64; 3] {
        let held = 50 * u64::from(self.settings.processes);
        limits.rates().map(|rate| rate.map_or(0, |rate| rate.burst() / held))
    }

    /// How many permits of a key may be out in this process, where the server does not count them.
    pub(super) fn seats(&self, account: &Account) -> Option<usize> {
        let most = account.limits.concurrency.filter(|_| account.is_leased)?;
        Some((most / self.settings.processes) as usize)
    }

    /// A limiter of this process's share of all limits.
    fn share(&self) -> Local {
        let Settings { limits, special, processes, lease, .. } = &self.settings;
        let part = |limits: &Limits| Limits {
            requests: limits.requests.map(|rate| divide(rate, *processes)),
            input_tokens: limits.input_tokens.map(|rate| divide(rate, *processes)),
            output_tokens: limits.output_tokens.map(|rate| divide(rate, *processes)),
            concurrency: limits.concurrency.map(|most| (most / processes).max(1)),
        };
        let mut share = Local::limited_to(part(limits)).lease(*lease);
        for (key, limits) in special {
            share = share.limits_of(&**key, part(limits));
        }
        for account in self.accounts() {
            let limits = account.books().lowered(&account.limits);
            share = share.limits_of(&*account.key, part(&limits));
        }
        share.build(Arc::clone(&self.timer))
    }

    /// Puts what a permit did not cost where it can be spent again, or charges what it cost beyond.
    fn give_back(&self, account: &Account, correction: [i64; 3]) {
        let mut books = account.books();
        if account.is_leased {
            // What is more than a block goes back, and so does what is less than none.
            add(&mut books.block, correction);
            let mut rest = [0; 3];
            let lots = self.lot(&books.lowered(&account.limits));
            for ((block, lot), rest) in books.block.iter_mut().zip(lots).zip(&mut rest) {
                let kept = (*block).clamp(0, lot.cast_signed());
                *rest = *block - kept;
                *block = kept;
            }
            books.correct(rest);
        } else {
            books.correct(correction);
        }
        let has_news = books.has_news(0);
        drop(books);
        if has_news {
            self.news.notify_one();
        }
    }
}

impl Ledger for Desk {
    fn assume(&self, key: &Key, number: u64, before: Cost, cost: Cost) {
        let Some(account) = self.known(key.as_str()) else { return };
        let correction = account.books().assume(number, before, cost);
        if correction != [0; 3] {
            self.give_back(&account, correction);
        }
    }

    fn settle(&self, key: &Key, number: u64, assumed: Cost, actual: Option<Cost>) {
        let Some(account) = self.known(key.as_str()) else { return };
        let correction = account.books().settle(number, assumed, actual);
        self.give_back(&account, correction);
    }
}

impl Charged {
    fn new(desk: &Arc<Desk>, account: &Arc<Account>, now: u64, want: Want, admission: i64) -> Self {
        let (mut amounts, mut permit) = ([0; 3], None);
        match want {
            Want::Nothing => {}
            Want::Permit(cost, _) => permit = Some(desk.permit(account, now, cost)),
            Want::Block(block, _) => amounts = block.map(u64::cast_signed),
        }
        Self { desk: Arc::clone(desk), account: Arc::clone(account), amounts, permit, admission }
    }

    pub(super) fn into_permit(mut self) -> Option<Permit> {
        self.permit.take()
    }

    /// Puts the block where permits are given from.
    pub(super) fn into_block(mut self) {
        add(&mut self.account.books().block, std::mem::take(&mut self.amounts));
    }
}

impl Desk {
    /// Opens the account of a permit.
    pub(super) fn permit(self: &Arc<Self>, account: &Account, now: u64, cost: Cost) -> Permit {
        let number = self.next_number();
        account.books().open(now, number, cost, now.saturating_add(nanos(self.settings.lease)));
        Permit::of(Arc::<Self>::clone(self), Key::from(Arc::clone(&account.key)), number, unknown(cost))
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        if self.permit.is_some() || self.amounts != [0; 3] {
            self.account.books().undo(self.admission);
        }
        if let Some(permit) = self.permit.take() {
            permit.settle(Cost::default());
        }
        if self.amounts != [0; 3] {
            self.account.books().correct(self.amounts);
            self.desk.news.notify_one();
        }
    }
}

/// Makes room for one more key: out goes what has been idle for an hour, or else the idle one that was used longest ago.
fn make_room(accounts: &mut HashMap<Arc<str>, Arc<Account>>, now: u64) -> bool {
    let is_idle = |account: &Arc<Account>| Arc::strong_count(account) == 1 && account.books().is_idle(now);
    accounts.retain(|_, account| !is_idle(account) || account.books().used_at.saturating_add(AN_HOUR) > now);
    if accounts.len() < MAX_KEYS {
        return true;
    }
    let idle = accounts.values().filter(|account| is_idle(account));
    let oldest = idle.min_by_key(|account| account.books().used_at).map(|account| Arc::clone(&account.key));
    oldest.is_some_and(|key| accounts.remove(&key).is_some())
}

/// Limits as the server can count them.
fn countable(limits: &Limits) -> Limits {
    let most = |rate: Option<Rate>| rate.map(|rate| rate.and(Rate::per_minute(MOST)));
    Limits {
        requests: most(limits.requests),
        input_tokens: most(limits.input_tokens),
        output_tokens: most(limits.output_tokens),
        concurrency: limits.seats(),
    }
}

const fn without_seats(limits: Limits) -> Limits {
    Limits { concurrency: None, ..limits }
}

/// A share, rounded down.
fn divide(rate: Rate, by: u32) -> Rate {
    Rate::per_minute(rate.amount() / u64::from(by)).with_burst(rate.burst() / u64::from(by))
}
