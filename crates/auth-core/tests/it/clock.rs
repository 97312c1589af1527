//! A machine whose clock is wrong, is set while it runs, or belongs to a computer that slept.

use std::time::{Duration, SystemTime};

use auth_core::{Access, Client, Event, Input, Offset, Output, Policy, Server, TokenMachine};
use bytes::Bytes;
use http::{
    HeaderValue, Response,
    header::{DATE, RETRY_AFTER},
};
use secrecy::ExposeSecret as _;

use crate::rig::{Rig, START, at, form, oauth_error, snapshot, tokens};

const HOUR: u64 = 3600;

fn dated(mut response: Response<Bytes>, date: SystemTime) -> Response<Bytes> {
    let date = HeaderValue::try_from(httpdate::fmt_http_date(date)).unwrap();
    response.headers_mut().insert(DATE, date);
    response
}

/// Refreshes by a server whose clock stands at `server`.
fn refresh(rig: &mut Rig, access: &str, server: SystemTime) -> Vec<Event> {
    let _ = rig.access();
    let (exchange, _) = rig.transmit();
    let said = rig.answer(exchange, dated(tokens(access, "r", HOUR), server));
    rig.stored(said.stores[0], true);
    said.events
}

fn offsets(events: &[Event]) -> Vec<Offset> {
    let offset = |event: &Event| match event {
        Event::ClockSkew { offset } => Some(*offset),
        _ => None,
    };
    events.iter().filter_map(offset).collect()
}

#[test]
fn a_clock_an_hour_behind_is_told_of_once_and_the_token_lives_as_long_as_it_should() {
    let mut rig = Rig::new();
    let events = refresh(rig.at(1000), "a2", at(1000 + HOUR));
    let [Offset::Ahead(by)] = offsets(&events)[..] else { panic!("{events:?}") };
    assert!(by.abs_diff(Duration::from_secs(HOUR)) < Duration::from_secs(1), "{by:?}");
    assert_eq!(rig.machine.clock_skew().offset(), Offset::Ahead(by));
    let sentence = events.iter().map(ToString::to_string).collect::<String>();
    assert!(sentence.contains("this machine's clock is 36") && sentence.contains("set it"), "{sentence}");
    // By this machine's own clock: whoever reads the store next has the same.
    assert_eq!(rig.ready().expires_at(), Some(at(1000 + HOUR)));
    assert_eq!(rig.machine.snapshot().unwrap().expires_at, Some(at(1000 + HOUR)));
    let events = refresh(rig.at(1000 + HOUR), "a3", at(1000 + 2 * HOUR));
    assert_eq!(offsets(&events), [], "nothing new");
}

#[test]
fn a_date_to_come_back_at_is_measured_by_the_servers_clock() {
    let mut rig = Rig::new();
    let _ = rig.at(1000).access();
    let (exchange, _) = rig.transmit();
    let mut busy = dated(oauth_error(503, "temporarily_unavailable"), at(1000 + HOUR));
    let until = HeaderValue::try_from(httpdate::fmt_http_date(at(1030 + HOUR))).unwrap();
    busy.headers_mut().insert(RETRY_AFTER, until);
    rig.answer(exchange, busy);
    let wait = rig.failed().retry_after().unwrap();
    assert!(wait.abs_diff(Duration::from_secs(30)) < Duration::from_secs(1), "{wait:?}");
}

/// The token came while the clock was an hour ahead; an answer without tokens tells that it was set back since.
#[test]
fn a_clock_that_was_set_back_takes_the_expiry_along() {
    let mut rig = Rig::new();
    refresh(rig.at(2 * HOUR), "a2", at(HOUR));
    assert_eq!(rig.ready().expires_at(), Some(at(3 * HOUR)));
    rig.handle(Input::Rejected { generation: 1 });
    let _ = rig.at(3 * HOUR - 60).access();
    let (exchange, _) = rig.transmit();
    let busy = dated(oauth_error(503, "temporarily_unavailable"), at(HOUR + 1));
    let said =
        rig.at(HOUR + 1).handle(Input::Response { exchange, sent_at: at(HOUR), result: Ok(busy) }).drain();
    assert_eq!(offsets(&said.events), [Offset::Zero]);
    let lease = rig.ready();
    let left = lease.expires_at().unwrap().duration_since(at(2 * HOUR)).unwrap();
    assert!(left < Duration::from_secs(2), "{left:?}");
    assert_eq!(rig.machine.snapshot().unwrap().expires_at, lease.expires_at());
}

#[test]
fn no_date_makes_a_token_live_longer() {
    let mut rig = Rig::new();
    refresh(rig.at(1000), "a2", at(1000));
    let _ = rig.at(1000 + HOUR - 60).access();
    let (exchange, _) = rig.transmit();
    let said = rig.answer(exchange, dated(oauth_error(503, "temporarily_unavailable"), at(0)));
    assert!(matches!(offsets(&said.events)[..], [Offset::Behind(_)]), "{said:?}");
    assert_eq!(rig.ready().expires_at(), Some(at(1000 + HOUR)));
}

#[test]
fn a_token_that_came_before_a_sleep_is_as_old_as_its_question() {
    let mut rig = Rig::new();
    let _ = rig.at(1000).access();
    let (exchange, _) = rig.transmit();
    let result = Ok(tokens("a2", "r2", HOUR));
    let said =
        rig.at(1000 + 8 * HOUR).handle(Input::Response { exchange, sent_at: at(1000), result }).drain();
    rig.stored(said.stores[0], true);
    rig.pending();
    assert_eq!(rig.machine.snapshot().unwrap().expires_at, Some(at(1000 + HOUR)));
    assert_eq!(rig.transmit().1, "r2");
}

#[test]
fn a_date_that_came_without_tls_is_not_believed() {
    let server = Server::new("http://127.0.0.1/token".parse().unwrap());
    let mut machine = TokenMachine::new(server.unwrap(), Client::public("app"), Policy::default());
    machine.restore(snapshot("a1", Some("r1"), Some(at(0))));
    let mut rig = Rig { machine, now: at(0) };
    assert_eq!(offsets(&refresh(&mut rig, "a2", at(HOUR))), []);
    assert_eq!(rig.machine.clock_skew().offset(), Offset::Zero);
    assert_eq!(rig.machine.clock_skew().uncertainty(), None);
}

#[test]
fn a_wait_for_the_lock_before_sending_does_not_blur_the_sighting() {
    let mut rig = Rig::new();
    let _ = rig.at(1000).access();
    let (exchange, _) = rig.transmit();
    rig.at(1015);
    let result = Ok(dated(tokens("a2", "r2", HOUR), at(1008)));
    let said = rig.handle(Input::Response { exchange, sent_at: at(1015), result }).drain();
    assert!(matches!(offsets(&said.events)[..], [Offset::Behind(_)]), "{said:?}");
}

/// Goal G11: what clocks do, a thousand times over, against a server whose clock is right and whose network is perfect.
struct Life {
    rig: Rig,
    /// The true time, in seconds.
    truth: u64,
    /// What this machine's clock shows beyond it.
    wrong: i64,
    grants: u32,
    /// The newest pair: its number, and when the access token is over.
    current: (u32, u64),
    date: Dates,
}

/// What the server's answers are dated with (F52).
#[derive(Debug, Clone, Copy)]
enum Dates {
    Right,
    None,
    Absurd,
    /// An hour ahead, an hour behind, a century ahead, right.
    Flapping,
}

const LIFETIME: u64 = 8 * HOUR;

impl Life {
    fn new(wrong: i64, date: Dates) -> Self {
        let rig = Rig::with(Policy::default(), snapshot("a0", Some("r0"), Some(at(0))));
        let mut life = Self { rig, truth: 10_000_000, wrong, grants: 0, current: (0, 0), date };
        life.set();
        life
    }

    fn set(&mut self) {
        self.rig.now =
            SystemTime::UNIX_EPOCH + Duration::from_secs((START + self.truth).strict_add_signed(self.wrong));
    }

    fn pass(&mut self, seconds: u64) {
        self.truth += seconds;
        self.set();
    }

    /// One call to the API: a refusal is answered by one more try, as a driver does. Panics where the caller gets nothing.
    fn call(&mut self) {
        for _ in 0..2 {
            let lease = loop {
                let access = self.rig.access();
                self.work();
                match access {
                    Access::Ready(lease) => break lease,
                    Access::Pending => {}
                    other => panic!("a call failed: {other:?}"),
                }
            };
            let (number, over) = self.current;
            if self.truth < over && lease.access_token().expose_secret() == format!("a{number}") {
                return;
            }
            self.rig.handle(Input::Rejected { generation: lease.generation() });
        }
        panic!("refused twice");
    }

    fn work(&mut self) {
        loop {
            match self.rig.machine.poll(self.rig.now) {
                Output::Transmit { exchange, request } => {
                    let (number, _) = self.current;
                    assert_eq!(form(&request)["refresh_token"], format!("r{number}"));
                    self.grants += 1;
                    let sent_at = self.rig.now;
                    self.pass(1);
                    self.current = (number + 1, self.truth + LIFETIME);
                    let next = number + 1;
                    let answer = tokens(&format!("a{next}"), &format!("r{next}"), LIFETIME);
                    let result = Ok(self.dated(answer));
                    self.rig.handle(Input::Response { exchange, sent_at, result });
                }
                Output::Store { generation, .. } => {
                    self.rig.handle(Input::Stored { generation, ok: true });
                }
                Output::Remove => panic!("nobody logs out"),
                Output::Event(_) => {}
                Output::Idle { .. } => return,
            }
        }
    }

    fn dated(&self, answer: Response<Bytes>) -> Response<Bytes> {
        let century = 100 * 365 * 24 * HOUR;
        let date = match (self.date, self.grants % 4) {
            (Dates::None, _) => return answer,
            (Dates::Absurd, _) | (Dates::Flapping, 2) => self.truth + century,
            (Dates::Flapping, 0) => self.truth + HOUR,
            (Dates::Flapping, 1) => self.truth - HOUR,
            (Dates::Right | Dates::Flapping, _) => self.truth,
        };
        dated(answer, at(date))
    }

    /// Calls once a minute, for hours.
    fn live(&mut self, hours: u64) {
        for _ in 0..hours * 60 {
            self.pass(60);
            self.call();
        }
    }
}

/// Lives through a day or two with two faults; without them only the time passes that a sleep takes.
fn grants(seed: u32, faults: bool) -> u32 {
    const DAY: i64 = 86_400;

    let wrong = [0, 300, -300, 3600, -3600, DAY, -DAY, -3 * DAY][seed as usize % 8];
    let dates = [Dates::Right, Dates::None, Dates::Absurd, Dates::Flapping][seed as usize / 8 % 4];
    let mut life = if faults { Life::new(wrong, dates) } else { Life::new(0, Dates::Right) };
    life.call();
    // Somewhere in the life of the token, two steps to somewhere else; the last token may be of any age by then.
    for step in 0..2_u32 {
        let minutes = u64::from(seed.wrapping_mul(2_654_435_761).wrapping_add(step * 977) % 300);
        life.pass(minutes * 60);
        life.call();
        let fault =
            [300, -300, DAY, -DAY, 3600, -3600, i64::MIN, 0][(seed as usize / 32 + 3 * step as usize) % 8];
        match fault {
            // Asleep for eight hours.
            0 => life.pass(8 * HOUR),
            _ if !faults => {}
            // The battery is empty: it is 1970.
            i64::MIN => life.wrong = -(START + life.truth).cast_signed(),
            by => life.wrong = (life.wrong + by).max(-4 * DAY),
        }
        life.set();
        life.call();
    }
    life.live(9);
    life.grants
}

#[test]
fn no_clock_fault_fails_a_call_or_costs_more_than_one_extra_grant() {
    let mut extra = 0;
    for seed in 0..1000 {
        let (faulty, needed) = (grants(seed, true), grants(seed, false));
        assert!(faulty <= needed + 2, "seed {seed}: {faulty} grants, {needed} without the two faults");
        extra += faulty.saturating_sub(needed);
    }
    assert!(extra > 100, "faults that cost nothing are none: {extra}");
}
