//! What `Date` tells about this machine's clock (F51, F52, G11).

use std::time::{Duration, SystemTime};

use auth_core::{ClockSkew, Offset, SkewChange};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AGE, DATE},
};
use proptest::prelude::*;

use crate::rig::at;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A time of this machine, in milliseconds.
fn ms(millis: i64) -> SystemTime {
    shifted(at(0), millis)
}

fn shifted(time: SystemTime, millis: i64) -> SystemTime {
    let by = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 { time - by } else { time + by }
}

fn headers(fields: &[(HeaderName, &str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn dated(server: SystemTime) -> HeaderMap {
    headers(&[(DATE, &httpdate::fmt_http_date(server))])
}

fn ahead(millis: u64) -> Offset {
    Offset::Ahead(Duration::from_millis(millis))
}

fn behind(millis: u64) -> Offset {
    Offset::Behind(Duration::from_millis(millis))
}

/// An answer that took no time; in whole seconds, what it allows lies half a second around `offset` and half a second.
fn sighted(skew: &mut ClockSkew, now: i64, offset: i64) -> Option<Offset> {
    let answer = dated(ms(now + offset));
    skew.observe(&answer, ms(now), ms(now)).map(|change| change.offset)
}

#[test]
fn nothing_is_corrected_before_the_first_answer() {
    let skew = ClockSkew::default();
    assert_eq!(skew.offset(), Offset::Zero);
    assert_eq!(skew.uncertainty(), None);
    assert_eq!(skew.correct(ms(7)), ms(7));
}

#[test]
fn a_clock_an_hour_slow_is_corrected_by_the_first_answer() {
    let mut skew = ClockSkew::default();
    let change = skew.observe(&dated(ms(HOUR)), ms(0), ms(400)).unwrap();
    // The server wrote between 0 and 0.4 s, and its clock showed between 3600 and 3601 s.
    assert_eq!(change.offset, ahead(3_600_300));
    assert_eq!(skew.offset(), change.offset);
    assert_eq!(skew.uncertainty(), Some(Duration::from_millis(700)));
    assert_eq!(skew.correct(ms(0)), ms(3_600_300));
}

#[test]
fn a_clock_an_hour_fast_is_corrected_the_other_way() {
    let mut skew = ClockSkew::default();
    let change = skew.observe(&dated(ms(-HOUR)), ms(0), ms(400)).unwrap();
    assert_eq!(change.offset, behind(3_599_700));
    assert_eq!(skew.uncertainty(), Some(Duration::from_millis(700)));
    assert_eq!(skew.correct(ms(0)), ms(-3_599_700));
}

#[test]
fn less_than_two_seconds_is_not_corrected_and_not_hidden() {
    for (offset, expected) in
        [(1000, Offset::Zero), (2000, ahead(2500)), (-2000, Offset::Zero), (-3000, behind(2500))]
    {
        let mut skew = ClockSkew::default();
        sighted(&mut skew, 0, offset);
        assert_eq!(skew.offset(), expected, "{offset}");
        let far = if expected == Offset::Zero { 2000 } else { 500 };
        assert_eq!(skew.uncertainty(), Some(Duration::from_millis(far)), "{offset}");
    }
}

#[test]
fn two_seconds_exactly_are_corrected() {
    let nano = Duration::from_nanos(1);
    for (date, now, expected) in [
        (2000, ms(500), ahead(2000)),
        (2000, ms(500) + nano, Offset::Zero),
        (-2000, ms(500), behind(2000)),
        (-2000, ms(500) - nano, Offset::Zero),
    ] {
        let mut skew = ClockSkew::default();
        skew.observe(&dated(ms(date)), now, now);
        assert_eq!(skew.offset(), expected, "{date}");
    }
}

#[test]
fn a_correction_is_told_once() {
    let mut skew = ClockSkew::default();
    assert!(sighted(&mut skew, 0, HOUR).is_some());
    for now in 1..50 {
        assert_eq!(sighted(&mut skew, now * 1000, HOUR), None);
    }
}

#[test]
fn a_slow_answer_says_little_and_moves_nothing_that_it_allows() {
    let mut skew = ClockSkew::default();
    // Written at once and under way for a minute, or written after a minute: the clocks agree.
    assert_eq!(skew.observe(&dated(ms(0)), ms(0), ms(60_000)), None);
    assert_eq!(skew.uncertainty(), Some(Duration::from_secs(60)));
    assert_eq!(skew.observe(&dated(ms(160_000)), ms(100_000), ms(160_000)), None);
    // Together they leave one second.
    assert_eq!(skew.offset(), Offset::Zero);
    assert_eq!(skew.uncertainty(), Some(Duration::from_secs(1)));
}

#[test]
fn the_start_of_the_second_is_in_it_and_its_end_is_not() {
    let mut skew = ClockSkew::default();
    // From 0 on.
    assert_eq!(skew.observe(&dated(ms(60_000)), ms(0), ms(60_000)), None);
    // Up to and without 0.
    let change = skew.observe(&dated(ms(0)), ms(1000), ms(61_000)).unwrap();
    assert_eq!(change.offset, behind(30_500));
}

#[test]
fn a_contradiction_too_small_to_be_corrected_is_still_told_by_the_uncertainty() {
    let mut skew = ClockSkew::default();
    assert_eq!(sighted(&mut skew, 0, -10_000), Some(behind(9500)));
    assert_eq!(sighted(&mut skew, 0, -9000), None);
    assert_eq!(skew.offset(), behind(9500));
    assert_eq!(skew.uncertainty(), Some(Duration::from_millis(1500)));
}

#[test]
fn a_clock_that_was_put_right_is_not_corrected_any_more() {
    let mut skew = ClockSkew::default();
    assert!(sighted(&mut skew, 0, HOUR).is_some());
    assert_eq!(sighted(&mut skew, 0, 0), Some(Offset::Zero));
    assert_eq!(skew.correct(ms(5)), ms(5));
}

#[test]
fn a_correction_that_is_nearly_right_is_left_alone() {
    let mut skew = ClockSkew::default();
    assert_eq!(sighted(&mut skew, 0, 10_000), Some(ahead(10_500)));
    assert_eq!(sighted(&mut skew, 0, 11_000), None);
    assert_eq!(sighted(&mut skew, 0, 9000), None);
    assert_eq!(skew.uncertainty(), Some(Duration::from_millis(1500)));
    assert_eq!(sighted(&mut skew, 0, 12_000), Some(ahead(12_500)));
}

#[test]
fn an_offset_around_two_seconds_does_not_flap() {
    let mut skew = ClockSkew::default();
    assert_eq!(sighted(&mut skew, 0, 2000), Some(ahead(2500)));
    for now in 1..20 {
        assert_eq!(sighted(&mut skew, now * 1000, 1000 + now % 2 * 1000), None);
    }
}

#[test]
fn a_date_more_than_a_day_off_is_believed_when_it_is_seen_again() {
    for (offset, expected) in [
        (2 * DAY, ahead(2 * 86_400_000 + 500)),
        (-2 * DAY, behind(2 * 86_400_000 - 500)),
        (DAY, ahead(86_400_500)),
    ] {
        let mut skew = ClockSkew::default();
        assert_eq!(sighted(&mut skew, 0, offset), None);
        assert_eq!((skew.offset(), skew.uncertainty()), (Offset::Zero, None));
        assert_eq!(sighted(&mut skew, 60_000, offset), Some(expected));
        assert_eq!(skew.uncertainty(), Some(Duration::from_millis(500)));
    }
}

#[test]
fn a_day_exactly_is_believed_at_once_and_a_nanosecond_more_is_not() {
    let (half, nano) = (ms(500), Duration::from_nanos(1));
    for (date, now, expected) in [
        (DAY, half, Some(ahead(86_400_000))),
        (DAY, half - nano, None),
        (-DAY, half, Some(behind(86_400_000))),
        (-DAY, half + nano, None),
    ] {
        let mut skew = ClockSkew::default();
        let change = skew.observe(&dated(ms(date)), now, now);
        assert_eq!(change.map(|change| change.offset), expected, "{date}");
    }
}

#[test]
fn a_second_absurd_sighting_narrows_the_first_and_does_not_vouch_for_a_third() {
    let mut skew = ClockSkew::default();
    assert_eq!(skew.observe(&dated(ms(9 * DAY)), ms(0), ms(0)), None);
    assert!(skew.observe(&dated(ms(9 * DAY)), ms(-500), ms(-500)).is_some());
    assert_eq!(skew.uncertainty(), Some(Duration::from_millis(250)));
    // It agrees with the second one alone, and not with what the two left.
    assert_eq!(skew.observe(&dated(ms(9 * DAY)), ms(-1200), ms(-1200)), None);
    assert_eq!(skew.uncertainty(), Some(Duration::from_millis(250)));
}

#[test]
fn a_clock_that_starts_in_1970_is_corrected_by_the_second_answer() {
    let mut skew = ClockSkew::default();
    let boot = SystemTime::UNIX_EPOCH;
    assert_eq!(skew.observe(&dated(at(0)), boot, boot), None);
    let later = boot + Duration::from_secs(3);
    assert!(skew.observe(&dated(at(3)), later, later).is_some());
    assert_eq!(skew.correct(later), at(3) + Duration::from_millis(500));
}

#[test]
fn absurd_dates_that_disagree_are_never_believed() {
    let mut skew = ClockSkew::default();
    sighted(&mut skew, 0, HOUR);
    for day in 2..50 {
        assert_eq!(sighted(&mut skew, day, day * DAY), None);
        assert_eq!(sighted(&mut skew, day, -day * DAY), None);
    }
    assert_eq!(skew.offset(), ahead(3_600_500));
}

#[test]
fn an_absurd_date_between_good_ones_is_never_believed() {
    let mut skew = ClockSkew::default();
    for now in 0..50 {
        assert_eq!(sighted(&mut skew, now * 1000, 0), None);
        assert_eq!(sighted(&mut skew, now * 1000, 9 * DAY), None);
    }
    assert_eq!((skew.offset(), skew.uncertainty()), (Offset::Zero, Some(Duration::from_secs(1))));
}

#[test]
fn an_answer_without_a_date_does_not_come_between_two_sightings() {
    let mut skew = ClockSkew::default();
    assert_eq!(sighted(&mut skew, 0, 2 * DAY), None);
    assert_eq!(skew.observe(&HeaderMap::new(), ms(0), ms(0)), None);
    assert!(sighted(&mut skew, 60_000, 2 * DAY).is_some());
}

#[test]
fn an_absurd_date_that_stands_still_is_never_believed() {
    let mut skew = ClockSkew::default();
    let frozen = dated(SystemTime::UNIX_EPOCH);
    for now in 0..50 {
        assert_eq!(skew.observe(&frozen, ms(now * 5000), ms(now * 5000 + 300)), None);
    }
    assert_eq!(skew.offset(), Offset::Zero);
}

#[test]
fn from_an_absurd_correction_the_way_back_takes_one_answer() {
    let mut skew = ClockSkew::default();
    sighted(&mut skew, 0, 9 * DAY);
    sighted(&mut skew, 0, 9 * DAY);
    assert_eq!(skew.offset(), ahead(9 * 86_400_000 + 500));
    assert_eq!(sighted(&mut skew, 0, 9 * DAY), None);
    assert_eq!(sighted(&mut skew, 0, HOUR), Some(ahead(3_600_500)));
}

#[test]
fn a_clock_set_back_in_mid_request_says_nothing() {
    let mut skew = ClockSkew::default();
    assert_eq!(skew.observe(&dated(ms(HOUR)), ms(1), ms(0)), None);
    assert_eq!(skew.uncertainty(), None);
}

#[test]
fn a_clock_set_forward_in_mid_request_is_corrected_by_the_next_answer() {
    let mut skew = ClockSkew::default();
    sighted(&mut skew, 0, 0);
    // The server cannot be told from one that wrote at once.
    assert_eq!(skew.observe(&dated(ms(1000)), ms(1000), ms(1000 + HOUR)), None);
    assert_eq!(sighted(&mut skew, 2000 + HOUR, -HOUR), Some(behind(3_599_500)));
}

#[test]
fn a_sleep_of_eight_hours_in_mid_request_moves_nothing() {
    for offset in [0, HOUR] {
        let mut skew = ClockSkew::default();
        sighted(&mut skew, 0, offset);
        let before = skew.offset();
        assert_eq!(skew.observe(&dated(ms(1000 + offset)), ms(1000), ms(1000 + 8 * HOUR)), None);
        assert_eq!(skew.offset(), before);
    }
}

#[test]
fn a_vague_sighting_that_allows_zero_goes_back_to_zero() {
    let mut skew = ClockSkew::default();
    assert!(sighted(&mut skew, 0, HOUR).is_some());
    // Put right, and then asleep for three days in mid-request: the middle would be absurd.
    let change = skew.observe(&dated(ms(0)), ms(0), ms(3 * DAY)).unwrap();
    assert_eq!(change.offset, Offset::Zero);
}

#[test]
fn what_is_no_date_of_this_answer_is_ignored() {
    let (good, other) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 09:49:37 GMT");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_108_177);
    for fields in [
        &[][..],
        &[(DATE, "")],
        &[(DATE, "yesterday")],
        &[(DATE, "784111777")],
        &[(DATE, "Sun, 06 Nov 1994 08:49:60 GMT")],
        &[(DATE, "Sun, 31 Feb 1994 08:49:37 GMT")],
        &[(DATE, "Sun, 06 Nov 99999 08:49:37 GMT")],
        &[(DATE, good), (DATE, other)],
        &[(DATE, good), (DATE, good)],
        &[(DATE, good), (AGE, "600")],
        &[(DATE, good), (AGE, "0")],
    ] {
        let mut skew = ClockSkew::default();
        assert_eq!(skew.observe(&headers(fields), now, now), None, "{fields:?}");
        assert_eq!(skew.uncertainty(), None, "{fields:?}");
    }
    let mut latin = HeaderMap::new();
    latin.insert(DATE, HeaderValue::from_bytes(b"Sun, 06 Nov 1994 08:49:37 GM\xd4").unwrap());
    assert_eq!(ClockSkew::default().observe(&latin, now, now), None);
}

/// RFC 9110 section 5.6.7: the example, in its three forms.
#[test]
fn the_three_forms_of_a_date_say_the_same() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 60);
    for date in
        ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
    {
        let change = ClockSkew::default().observe(&headers(&[(DATE, date)]), now, now);
        assert_eq!(change, Some(SkewChange { offset: ahead(60_500) }), "{date}");
    }
}

#[test]
fn a_change_tells_the_user_what_to_do() {
    for (offset, text) in [
        (ahead(3_600_400), "this machine's clock is 3600 s behind the server's; set it to the right time"),
        (behind(2000), "this machine's clock is 2 s ahead of the server's; set it to the right time"),
        (Offset::Zero, "this machine's clock agrees with the server's again"),
    ] {
        assert_eq!(SkewChange { offset }.to_string(), text);
    }
}

#[test]
fn a_time_at_the_end_of_time_is_left_as_it_is() {
    let [first, last] = ends_of_time();
    let mut slow = ClockSkew::default();
    sighted(&mut slow, 0, HOUR);
    assert_eq!(slow.correct(last), last);
    let mut fast = ClockSkew::default();
    sighted(&mut fast, 0, -HOUR);
    assert_eq!(fast.correct(first), first);
}

/// The earliest and the latest time there are, found by halving.
fn ends_of_time() -> [SystemTime; 2] {
    let (mut first, mut last) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH);
    for step in
        (0..64).rev().map(|bit| Duration::from_secs(1 << bit)).chain([Duration::from_nanos(999_999_900)])
    {
        first = first.checked_sub(step).unwrap_or(first);
        last = last.checked_add(step).unwrap_or(last);
    }
    [first, last]
}

/// One exchange: what passes before it, and how long it takes there, at the server until the date is read, and back.
#[derive(Debug, Clone)]
struct Exchange {
    pause: i64,
    there: i64,
    back: i64,
}

impl Exchange {
    /// The answer of a server that is off by so much, and how long it took; `now` moves on.
    fn run(&self, skew: &mut ClockSkew, now: &mut i64, offset: i64) -> i64 {
        let sent = *now + self.pause;
        let written = sent + self.there;
        let received = written + self.back;
        *now = received;
        skew.observe(&dated(ms(written + offset)), ms(sent), ms(received));
        received - sent
    }
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let way = || prop_oneof![3 => 0_i64..200, 1 => 0_i64..40_000];
    (0_i64..100_000, way(), way()).prop_map(|(pause, there, back)| Exchange { pause, there, back })
}

fn error(skew: &ClockSkew, offset: i64) -> Duration {
    let (corrected, true_time) = (skew.correct(ms(0)), ms(offset));
    corrected.duration_since(true_time).unwrap_or_else(|earlier| earlier.duration())
}

/// What the rule promises after an answer that took so long: the second of the date, the round trip, the tolerance.
fn promised(took: i64) -> Duration {
    Duration::from_millis(took.unsigned_abs()) + Duration::from_secs(3)
}

fn any_offset() -> impl Strategy<Value = i64> {
    prop_oneof![-3000_i64..3000, -HOUR..HOUR, -DAY + 90_000..DAY - 90_000]
}

fn any_time() -> impl Strategy<Value = SystemTime> {
    let [first, last] = ends_of_time();
    let anywhere =
        (any::<bool>(), any::<u64>(), 0_u32..1_000_000_000).prop_filter_map("no time", |(early, s, ns)| {
            let by = Duration::new(s, ns);
            if early {
                SystemTime::UNIX_EPOCH.checked_sub(by)
            } else {
                SystemTime::UNIX_EPOCH.checked_add(by)
            }
        });
    prop_oneof![Just(first), Just(last), Just(SystemTime::UNIX_EPOCH), Just(at(0)), anywhere]
}

fn any_date() -> impl Strategy<Value = HeaderMap> {
    let valid = (0_u64..253_402_300_800).prop_map(|s| dated(SystemTime::UNIX_EPOCH + Duration::from_secs(s)));
    let garbage = proptest::collection::vec(any::<u8>(), 0..40)
        .prop_filter_map("no header", |bytes| HeaderValue::from_bytes(&bytes).ok())
        .prop_map(|value| HeaderMap::from_iter([(DATE, value)]));
    let nearly = "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
        .prop_map(|date| headers(&[(DATE, &date)]));
    prop_oneof![4 => valid, 1 => garbage, 1 => nearly]
}

proptest! {
    #[test]
    fn the_true_offset_is_within_the_uncertainty_however_the_round_trip_splits(
        offset in any_offset(),
        exchanges in proptest::collection::vec(exchange(), 1..20),
    ) {
        let (mut skew, mut now, mut shortest) = (ClockSkew::default(), 0, i64::MAX);
        for exchange in exchanges {
            shortest = shortest.min(exchange.run(&mut skew, &mut now, offset));
            let uncertainty = skew.uncertainty().unwrap();
            prop_assert!(error(&skew, offset) <= uncertainty, "{skew:?}");
            prop_assert!(uncertainty <= promised(shortest), "{skew:?}");
        }
    }

    #[test]
    fn one_answer_is_enough_whatever_the_clocks_did_before(
        steps in proptest::collection::vec((any_offset(), exchange()), 1..20),
    ) {
        let (mut skew, mut now) = (ClockSkew::default(), 0);
        for (offset, exchange) in steps {
            let took = exchange.run(&mut skew, &mut now, offset);
            prop_assert!(error(&skew, offset) <= promised(took), "{skew:?}");
        }
    }

    #[test]
    fn two_answers_are_enough_however_absurd_the_clocks_are(
        steps in proptest::collection::vec((-400 * DAY..400 * DAY, exchange(), exchange()), 1..10),
    ) {
        let (mut skew, mut now) = (ClockSkew::default(), 0);
        for (offset, one, two) in steps {
            let longer = one.run(&mut skew, &mut now, offset).max(two.run(&mut skew, &mut now, offset));
            prop_assert!(error(&skew, offset) <= promised(longer), "{skew:?}");
        }
    }

    #[test]
    fn a_change_is_told_exactly_when_the_offset_moves(
        sightings in proptest::collection::vec((any_date(), any_offset()), 0..20),
    ) {
        let mut skew = ClockSkew::default();
        for (date, now) in sightings {
            let before = skew.offset();
            let change = skew.observe(&date, ms(now), ms(now));
            let moved = (skew.offset() != before).then(|| SkewChange { offset: skew.offset() });
            prop_assert_eq!(change, moved);
            let (Offset::Ahead(by) | Offset::Behind(by)) = skew.offset() else { continue };
            prop_assert!(by >= Duration::from_secs(2));
        }
    }

    #[test]
    fn no_date_and_no_time_make_it_panic(
        sightings in proptest::collection::vec((any_date(), any_time(), any_time()), 0..20),
    ) {
        let mut skew = ClockSkew::default();
        for (date, sent, received) in sightings {
            for (sent, received) in [(sent, received), (received, sent), (sent, sent)] {
                let _ = skew.observe(&date, sent, received).map(|change| change.to_string());
                let _ = (skew.uncertainty(), skew.correct(sent), skew.correct(received));
            }
        }
    }
}
