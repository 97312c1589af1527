//! How a permit is waited for, with a server and without.

use std::{sync::Arc, time::Duration};

use super::{
    WhenGone,
    account::Account,
    desk::{Desk, Told, Want},
    health::Outage,
    queue::First,
    race,
    server::Trouble,
};
use crate::{
    Cost, Dimension, Error, Key, Limits, Permit, RateLimiter as _, Timer as _,
    limiters::{Local, local::line::share, race::first as first_of},
    moment::{FOREVER, nanos},
};

/// How long to wait before asking again where nobody knows: for a permit to be given back.
pub(super) const SOME_TIME: Duration = Duration::from_millis(100);
const FULL_PAUSE: Duration = Duration::from_millis(20);
/// After how long whoever is in front asks again at the latest.
const LONGEST_REST: Duration = Duration::from_millis(250);

impl Desk {
    /// Waits for what the server admits. An error says that it is gone.
    pub(super) async fn with_server(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &Key,
        cost: Cost,
        deadline: u64,
    ) -> Result<Result<Permit, Error>, Trouble> {
        if let Some(_first) = account.queue.try_first()
            && let Some(permit) = self.from_block(account, cost)
        {
            return Ok(Ok(permit));
        }
        let mut first = None;
        let mut is_exact = false;
        loop {
            if first.is_none() {
                first = match self.stand(account, key, cost, deadline).await {
                    Ok(place) => Some(place),
                    Err(wait) => return Ok(would_wait(wait)),
                };
            }
            if let Some(outage) = self.health.outage() {
                return Err(outage.why.clone());
            }
            let now = self.now();
            let left = Duration::from_nanos(deadline.saturating_sub(now));
            if let Some(permit) = self.from_block(account, cost) {
                return Ok(Ok(permit));
            }
            let closed = Duration::from_nanos(account.books().closed_until.saturating_sub(now));
            let (wait, again) = if closed > Duration::ZERO {
                (Some(closed), closed)
            } else if self.is_full(account) {
                (None, FULL_PAUSE)
            } else {
                match self
                    .ask(account, self.want(account, cost, is_exact, left), self.settings.patience)
                    .await?
                {
                    Told::Charged(wait, charged) if !account.is_leased => {
                        // Its time has come when it has waited; whoever is next may ask now.
                        first.take();
                        if self.until_due(account, wait).await {
                            return Ok(charged.into_permit().ok_or(Error::unavailable("no permit")));
                        }
                        continue;
                    }
                    Told::Charged(wait, charged) => {
                        account.books().rests_until = self.now().saturating_add(nanos(wait)).min(FOREVER);
                        if self.until_due(account, wait).await {
                            charged.into_block();
                        }
                        continue;
                    }
                    // Without what would be held in advance it may be soon enough, and fit.
                    Told::Later { wait, .. } if wait > left && account.is_leased && !is_exact => {
                        is_exact = true;
                        continue;
                    }
                    Told::TooLarge { .. } if account.is_leased && !is_exact => {
                        is_exact = true;
                        continue;
                    }
                    Told::TooLarge { dimension, capacity } => {
                        return Ok(Err(too_large(cost, dimension, capacity)));
                    }
                    Told::Later { wait, again } => (Some(wait), again),
                    Told::Full => (None, FULL_PAUSE),
                }
            };
            if left == Duration::ZERO || wait.is_some_and(|wait| wait > left) {
                return Ok(would_wait(nanos(wait.unwrap_or(SOME_TIME))));
            }
            self.rest(account, again.min(left).max(Duration::from_millis(1))).await;
        }
    }

    /// Stands in line until the first place is free; the error is how long that takes, where it takes too long.
    async fn stand<'a>(
        &self,
        account: &'a Account,
        key: &Key,
        cost: Cost,
        deadline: u64,
    ) -> Result<First<'a>, u64> {
        let rests = |now: u64| account.books().rests_until.saturating_sub(now);
        let now = self.now();
        // Whoever does not want to wait asks all the same, where nobody rests.
        if rests(now) > 0 && now.saturating_add(rests(now)) > deadline {
            return Err(rests(now));
        }
        let patience = Duration::from_nanos(deadline.saturating_sub(now)).max(self.settings.patience);
        let turn = account.queue.first(key, cost, share(account.limits.rates(), cost));
        let first = race::within(&*self.timer, patience, turn).await;
        first.ok_or_else(|| rests(self.now()).max(nanos(SOME_TIME)))
    }

    /// Waits until what was charged may be spent: `false` if the service wants to be left alone then, and the charge has
    /// to go back.
    async fn until_due(&self, account: &Account, wait: Duration) -> bool {
        let due = self.now().saturating_add(nanos(wait));
        loop {
            let now = self.now();
            if account.books().closed_until > due.max(now) {
                return false;
            }
            if now >= due {
                return true;
            }
            let left = self.timer.sleep(Duration::from_nanos(due - now));
            first_of(left, account.changed.notified()).await;
        }
    }

    /// What to ask for: a permit, or as much as is missing for one in advance of others.
    fn want(&self, account: &Account, cost: Cost, is_exact: bool, left: Duration) -> Want {
        if !account.is_leased {
            return Want::Permit(cost, left);
        }
        let (block, limits) = {
            let books = account.books();
            (books.block, books.lowered(&account.limits))
        };
        let mut amounts = [0; 3];
        let lots = self.lot(&limits).into_iter().zip(limits.rates());
        for (((amount, cost), block), (lot, rate)) in
            amounts.iter_mut().zip(cost.amounts()).zip(block).zip(lots)
        {
            let Some(rate) = rate else { continue };
            let ahead = if is_exact { 0 } else { lot };
            // As long as there is enough, the next block is not needed.
            let missing = cost.saturating_sub(block.unsigned_abs());
            *amount = if missing > 0 { missing.saturating_add(ahead).min(rate.burst()) } else { 0 };
        }
        Want::Block(amounts, left)
    }

    /// Gives a permit out of what is here already.
    fn from_block(self: &Arc<Self>, account: &Account, cost: Cost) -> Option<Permit> {
        if !account.is_leased || self.is_full(account) {
            return None;
        }
        let now = self.now();
        let mut books = account.books();
        let rates = account.limits.rates();
        let mut left = books.block;
        for ((left, rate), amount) in left.iter_mut().zip(rates).zip(cost.amounts()) {
            if rate.is_some() {
                *left = left.checked_sub_unsigned(amount).filter(|left| *left >= 0)?;
            }
        }
        if books.closed_until > now {
            return None;
        }
        (books.block, books.used_at) = (left, now);
        drop(books);
        Some(self.permit(account, now, cost))
    }

    fn is_full(&self, account: &Account) -> bool {
        self.seats(account).is_some_and(|most| {
            let mut books = account.books();
            let late = books.close_late(self.now());
            books.correct(late);
            books.book.len() >= most
        })
    }

    /// Rests in front of the line, and lets those behind know for how long. It ends sooner where somebody who was admitted
    /// may have gone away, in this process or in another one.
    async fn rest(&self, account: &Account, wait: Duration) {
        account.books().rests_until = self.now().saturating_add(nanos(wait)).min(FOREVER);
        first_of(self.timer.sleep(wait.min(LONGEST_REST)), account.changed.notified()).await;
        account.books().rests_until = self.now();
    }

    /// Goes on by the rule for when the server is gone; `None` as soon as it is back.
    pub(super) async fn without_server(
        &self,
        outage: &Outage,
        account: &Account,
        key: &Key,
        cost: Cost,
        left: Duration,
    ) -> Option<Result<Permit, Error>> {
        match self.settings.when_gone {
            WhenGone::Open => return Some(Ok(Permit::free())),
            WhenGone::Closed => return Some(Err(Error::unavailable(outage.why.clone()))),
            WhenGone::Share => {}
        }
        if account.limits.concurrency.is_some_and(|most| most < self.settings.processes) {
            // There is less than one for each process.
            return Some(Err(Error::unavailable(outage.why.clone())));
        }
        let is_first = std::mem::replace(&mut account.books().emptied_in, outage.number) != outage.number;
        if is_first {
            let limits = account.books().lowered(&account.limits);
            empty(&outage.share, &limits, self.settings.processes, key);
        }
        let permit = async { Some(outage.share.acquire(key.clone(), cost, left).await) };
        let back = async {
            self.health.end_of(outage).await;
            None
        };
        Some(match first_of(permit, back).await? {
            Err(Error::TooLarge { .. }) => Err(Error::unavailable(outage.why.clone())),
            outcome => outcome,
        })
    }
}

/// A share begins with nothing: what the limits allow at once may just have been spent.
fn empty(share: &Local, limits: &Limits, processes: u32, key: &Key) {
    let [requests, input, output] =
        limits.rates().map(|rate| rate.map_or(0, |rate| rate.burst() / u64::from(processes)));
    let all = Cost::requests(requests.try_into().unwrap_or(u32::MAX));
    let _ = share.try_acquire(key, all.with_input_tokens(input).with_output_tokens(output));
}

fn too_large(cost: Cost, dimension: Dimension, capacity: u64) -> Error {
    let amounts = Dimension::ALL.into_iter().zip(cost.amounts());
    let asked = amounts.filter(|(of, _)| *of == dimension).map(|(_, amount)| amount).sum();
    Error::TooLarge { dimension, asked, capacity }
}

fn would_wait(wait: u64) -> Result<Permit, Error> {
    let wait = Duration::from_nanos(wait.max(1));
    Err(Error::WouldWait { wait, max_wait: Duration::ZERO })
}
