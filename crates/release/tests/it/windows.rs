//! Windows and freezes against another library's time zones.

use chrono::{Datelike, NaiveDateTime, TimeZone, Timelike};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use stagegate_config::release::{Freeze, Window};
use stagegate_release::{Calendars, Opening, State, TimeConditions, holds, is_open, next_opening};

use crate::{at, gate};

/// Zones whose clocks change in different ways: by an hour, by half an hour, at midnight, at other times of the year, never,
/// and by a whole day.
const ZONES: [&str; 12] = [
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/Havana",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Pacific/Apia",
    "Pacific/Chatham",
    "UTC",
];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn window(days: &[&str], from: &str, to: &str, zone: &str) -> Window {
    let days = if days.is_empty() { String::new() } else { format!("days: [{}], ", days.join(", ")) };
    let gate = gate(&format!("windows: [{{{days}from: \"{from}\", to: \"{to}\", zone: {zone}}}]"));
    gate.windows[0].clone()
}

#[test]
fn windows_follow_the_clock_on_the_wall() {
    let berlin = |days: &[&str], from, to| window(days, from, to, "Europe/Berlin");
    let office = berlin(&["mon", "tue", "wed", "thu"], "09:00", "16:00");
    let night = berlin(&["fri"], "22:00", "06:00");
    let early = berlin(&[], "02:15", "02:45");
    let weekend = window(&["sat", "sun"], "00:00", "24:00", "America/New_York");
    for (window, time, expected) in [
        (&office, "2026-11-25T08:00:00Z", true),  // Wednesday 09:00 in winter
        (&office, "2026-11-25T07:59:59Z", false), // 08:59:59
        (&office, "2026-11-25T14:59:59Z", true),
        (&office, "2026-11-25T15:00:00Z", false),
        (&office, "2026-06-24T07:00:00Z", true),  // Wednesday 09:00 in summer
        (&office, "2026-11-27T10:00:00Z", false), // Friday
        (&night, "2026-11-27T21:00:00Z", true),   // Friday 22:00
        (&night, "2026-11-28T04:59:00Z", true),   // Saturday 05:59 belongs to Friday
        (&night, "2026-11-28T05:00:00Z", false),
        (&night, "2026-11-28T21:30:00Z", false), // Saturday 22:30
        (&night, "2026-11-27T04:30:00Z", false), // Friday 05:30 would belong to Thursday
        // On 29 March 2026 the clock goes from 02:00 to 03:00: there is no 02:30.
        (&early, "2026-03-29T00:59:59Z", false),
        (&early, "2026-03-29T01:00:00Z", false),
        (&early, "2026-03-28T01:30:00Z", true),
        // On 25 October 2026 it goes from 03:00 back to 02:00: there are two.
        (&early, "2026-10-25T00:30:00Z", true),
        (&early, "2026-10-25T00:50:00Z", false),
        (&early, "2026-10-25T01:30:00Z", true),
        (&early, "2026-10-25T01:45:00Z", false),
        (&weekend, "2026-11-28T04:59:59Z", false), // Friday 23:59:59
        (&weekend, "2026-11-28T05:00:00Z", true),
        (&weekend, "2026-11-30T04:59:59Z", true), // Sunday 23:59:59
        (&weekend, "2026-11-30T05:00:00Z", false),
    ] {
        assert_eq!(is_open(window, at(time)), expected, "{window} at {time}");
    }
}

#[test]
fn freezes_hold_from_day_to_day() {
    let freeze = |from: &str, to: &str, zone: &str| -> Freeze {
        gate(&format!("freezes: [{{name: f, from: {from}, to: {to}, zone: {zone}}}]")).freezes[0].clone()
    };
    let year_end = freeze("2026-12-18 18:00", "2027-01-03", "Europe/Berlin");
    for (time, expected) in [
        ("2026-12-18T16:59:59Z", false),
        ("2026-12-18T17:00:00Z", true),
        // The last day belongs to it.
        ("2027-01-03T22:59:59Z", true),
        ("2027-01-03T23:00:00Z", false),
    ] {
        assert_eq!(holds(&year_end, at(time)), expected, "{time}");
    }
    // Until 02:30 on the day on which the clock shows 02:00 to 03:00 twice: frozen both times.
    let autumn = freeze("2026-10-25", "2026-10-25 02:30", "Europe/Berlin");
    for (time, expected) in [
        ("2026-10-25T00:29:00Z", true),
        ("2026-10-25T00:31:00Z", false),
        ("2026-10-25T01:10:00Z", true),
        ("2026-10-25T01:30:00Z", false),
    ] {
        assert_eq!(holds(&autumn, at(time)), expected, "{time}");
    }
}

/// What chrono-tz says the clock shows, and the rules of windows written once more over that.
fn oracle_open(days: &[usize], from: u32, to: u32, zone: &str, now: Timestamp) -> bool {
    let zone: chrono_tz::Tz = zone.parse().unwrap();
    let local = zone.timestamp_opt(now.as_second(), 0).unwrap();
    let minute = local.hour() * 60 + local.minute();
    let day = local.weekday().num_days_from_monday() as usize;
    let has = |day: usize| days.is_empty() || days.contains(&(day % 7));
    let mut begins = Vec::new();
    // Today's window as minutes from today's midnight, and yesterday's where it goes over midnight.
    if has(day) {
        begins.push((i64::from(from), if to > from { i64::from(to) } else { i64::from(to) + 1440 }));
    }
    if has(day + 6) && to <= from {
        begins.push((i64::from(from) - 1440, i64::from(to)));
    }
    begins.into_iter().any(|(begin, end)| begin <= i64::from(minute) && i64::from(minute) < end)
}

/// Moments of ten years, half of them within hours of a change of the clocks. What zones will do in the future differs from
/// one release of the database to the next; what they did does not.
fn moments(zone: &'static str) -> impl Strategy<Value = Timestamp> {
    let (begin, end) = (at("2011-01-01T00:00:00Z"), at("2021-01-01T00:00:00Z"));
    let rules = jiff::tz::TimeZone::get(zone).unwrap();
    let changes: Vec<i64> = rules
        .following(begin)
        .map(|change| change.timestamp().as_second())
        .take_while(|time| *time < end.as_second())
        .collect();
    let anywhere = (begin.as_second()..end.as_second()).boxed();
    let seconds = if changes.is_empty() {
        anywhere
    } else {
        let near =
            (prop::sample::select(changes), -30_i64 * 3600..30 * 3600).prop_map(|(change, offset)| change + offset);
        prop_oneof![near, anywhere].boxed()
    };
    seconds.prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn cases() -> impl Strategy<Value = (&'static str, Timestamp)> {
    prop::sample::select(ZONES.to_vec()).prop_flat_map(|zone| (Just(zone), moments(zone)))
}

fn clock(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn windows_agree_with_another_library(
        (zone, now) in cases(), days in prop::sample::subsequence(vec![0_usize, 1, 2, 3, 4, 5, 6], 0..7),
        from in 0_u32..1440, to in 0_u32..=1440,
    ) {
        prop_assume!(from != to);
        let names: Vec<_> = days.iter().map(|day| DAYS[*day]).collect();
        let window = window(&names, &clock(from), &clock(to), zone);
        prop_assert_eq!(is_open(&window, now), oracle_open(&days, from, to, zone, now), "{} at {}", window, now);
    }

    #[test]
    fn freezes_agree_with_another_library((zone, now) in cases(), begin in -3000_i64..3000, length in 1_i64..5000) {
        let tz: chrono_tz::Tz = zone.parse().unwrap();
        let local: NaiveDateTime = tz.timestamp_opt(now.as_second(), 0).unwrap().naive_local();
        let minute = local.with_second(0).unwrap();
        let (from, to) = (minute + chrono::TimeDelta::minutes(begin), minute + chrono::TimeDelta::minutes(begin + length));
        let written = |time: NaiveDateTime| time.format("%Y-%m-%d %H:%M").to_string();
        let keys = format!("freezes: [{{name: f, from: {}, to: {}, zone: {zone}}}]", written(from), written(to));
        let freeze = &gate(&keys).freezes[0];
        prop_assert_eq!(holds(freeze, now), from <= local && local < to, "{} at {}", keys, now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// The opening is open, and no minute before it is.
    #[test]
    fn the_next_opening_is_the_first_one(
        (zone, now) in cases(), day in 0_usize..7, from in 0_u32..1440, length in 1_u32..1439, frozen in 0_i64..4,
    ) {
        let to = (from + length) % 1440;
        prop_assume!(from != to);
        let tz: chrono_tz::Tz = zone.parse().unwrap();
        let today = tz.timestamp_opt(now.as_second(), 0).unwrap().date_naive();
        let until = today + chrono::TimeDelta::days(frozen);
        let keys = format!(
            "windows: [{{days: [{}], from: \"{}\", to: \"{}\", zone: {zone}}}]\nfreezes: [{{name: f, from: {today}, to: {until}, zone: {zone}}}]",
            DAYS[day], clock(from), clock(to),
        );
        let gate = gate(&keys);
        let calendars = Calendars::new();
        let conditions = TimeConditions::new(&gate, &calendars, None);
        let Opening::At(next) = next_opening(&conditions, now) else { panic!("a window opens every week") };
        prop_assert!(conditions.hold(next), "{} at {}", keys, next);
        let mut minute = now;
        while minute < next {
            prop_assert!(!conditions.hold(minute), "{} is open at {}, before {}", keys, minute, next);
            minute += SignedDuration::from_mins(1);
        }
        prop_assert!(next.duration_since(now) < SignedDuration::from_hours(24 * 19));
    }
}

#[test]
fn the_next_opening_is_told() {
    for (keys, now, expected) in [
        (
            "windows: [{days: [mon], from: \"09:00\", to: \"16:00\", zone: Europe/Berlin}]",
            "2026-11-25T12:00:00Z",
            Some("2026-11-30T08:00:00Z"),
        ),
        (
            "windows: [{days: [wed], from: \"09:00\", to: \"16:00\", zone: Europe/Berlin}]",
            "2026-11-25T12:00:00Z",
            Some("2026-11-25T12:00:00Z"),
        ),
        // The window begins in the hour that does not exist, so it opens when that hour would.
        (
            "windows: [{days: [sun], from: \"02:30\", to: \"05:00\", zone: Europe/Berlin}]",
            "2026-03-28T12:00:00Z",
            Some("2026-03-29T01:00:00Z"),
        ),
        (
            "freezes: [{name: f, from: 2026-11-20, to: 2026-11-27, zone: UTC}]",
            "2026-11-25T12:00:00Z",
            Some("2026-11-28T00:00:00Z"),
        ),
        (
            "windows: [{days: [thu], from: \"09:00\", to: \"16:00\", zone: UTC}]\nfreezes: [{name: f, from: 2026-11-20, to: 2026-11-26 10:30, zone: UTC}]",
            "2026-11-25T12:00:00Z",
            Some("2026-11-26T10:30:00Z"),
        ),
        // Further away than the week that is looked at first.
        (
            "freezes: [{name: f, from: 2026-11-20, to: 2026-12-31, zone: UTC}]",
            "2026-11-25T12:00:00Z",
            Some("2027-01-01T00:00:00Z"),
        ),
        (
            "windows: [{days: [thu], from: \"09:00\", to: \"16:00\", zone: Europe/Berlin}]\nfreezes: [{name: f, from: 2026-11-20, to: 2027-06-30, zone: UTC}]",
            "2026-11-25T12:00:00Z",
            Some("2027-07-01T07:00:00Z"),
        ),
        ("freezes: [{name: f, from: 2026-11-20, to: 2036-11-27, zone: UTC}]", "2026-11-25T12:00:00Z", None),
    ] {
        let (gate, calendars) = (gate(keys), Calendars::new());
        let conditions = TimeConditions::new(&gate, &calendars, None);
        let expected = expected.map_or(Opening::Never, |expected| Opening::At(at(expected)));
        assert_eq!(next_opening(&conditions, at(now)), expected, "{keys}");
    }
}

#[test]
fn conditions_of_time_wait_and_do_not_fail() {
    let gate = gate(
        "windows: [{days: [mon], zone: UTC}]\nfreezes: [{name: peak, from: 2026-11-20, to: 2026-11-30, zone: UTC}]",
    );
    let calendars = Calendars::new();
    let measured = TimeConditions::new(&gate, &calendars, None).measure(at("2026-11-25T12:00:00Z"));
    let states: Vec<_> = measured.iter().map(|one| (one.rule, one.state)).collect();
    assert_eq!(states, [("windows", State::NotYet), ("freezes", State::NotYet)]);
    assert!(measured[0].message.contains("Wed 2026-11-25 12:00 UTC"), "{:?}", measured[0]);
    assert!(measured[1].message.contains("\"peak\" holds until 2026-12-01 00:00 UTC"), "{:?}", measured[1]);
}
