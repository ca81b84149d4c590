//! Schedule expressions and their times.

use jiff::Timestamp;
use proptest::prelude::*;
use stagegate_local_events::ScheduleExpression;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next times of an expression after a time.
fn times(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = ScheduleExpression::parse(expression, zone).unwrap();
    let since = time(after);
    let next = |after: &Timestamp| schedule.next(since, *after);
    std::iter::successors(next(&since), next).take(count).map(|time| time.to_string()).collect()
}

#[test]
fn schedules_have_their_times() {
    // The 25th of November 2026 is a Wednesday.
    let now = "2026-11-25T13:00:30Z";
    for (expression, expected) in [
        ("rate(1 minute)", &["2026-11-25T13:01:30Z", "2026-11-25T13:02:30Z"][..]),
        ("rate(12 hours)", &["2026-11-26T01:00:30Z"]),
        ("rate(2 days)", &["2026-11-27T13:00:30Z"]),
        ("at(2026-12-01T08:00:00)", &["2026-12-01T08:00:00Z"]),
        ("cron(0 13 * * ? *)", &["2026-11-26T13:00:00Z", "2026-11-27T13:00:00Z"]),
        ("cron(0/20 * * * ? *)", &["2026-11-25T13:20:00Z", "2026-11-25T13:40:00Z", "2026-11-25T14:00:00Z"]),
        ("cron(15 10 ? * MON-FRI *)", &["2026-11-26T10:15:00Z", "2026-11-27T10:15:00Z", "2026-11-30T10:15:00Z"]),
        ("cron(0 8 1,15 * ? *)", &["2026-12-01T08:00:00Z", "2026-12-15T08:00:00Z"]),
        ("cron(0 0 L * ? *)", &["2026-11-30T00:00:00Z", "2026-12-31T00:00:00Z"]),
        ("cron(0 0 LW * ? *)", &["2026-11-30T00:00:00Z", "2026-12-31T00:00:00Z", "2027-01-29T00:00:00Z"]),
        // The 1st of May 2027 is a Saturday, the 31st of January a Sunday.
        ("cron(0 0 1W MAY ? *)", &["2027-05-03T00:00:00Z"]),
        ("cron(0 0 31W 1 ? *)", &["2027-01-29T00:00:00Z"]),
        ("cron(0 12 ? * 3#2 *)", &["2026-12-08T12:00:00Z"]),
        ("cron(0 12 ? * 6L *)", &["2026-11-27T12:00:00Z", "2026-12-25T12:00:00Z"]),
        ("cron(0 0 29 2 ? *)", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        ("cron(0 0 1 1 ? 2026-2027)", &["2027-01-01T00:00:00Z"]),
        ("cron(0 0 1 1 ? 2020)", &[]),
        ("at(2020-01-01T00:00:00)", &[]),
    ] {
        assert_eq!(times(expression, "UTC", now, expected.len().max(1)), expected, "{expression}");
    }
}

#[test]
fn a_time_zone_moves_with_its_clocks() {
    let berlin = |expression, after, count| times(expression, "Europe/Berlin", after, count);
    assert_eq!(berlin("cron(0 9 * * ? *)", "2026-07-01T00:00:00Z", 1), ["2026-07-01T07:00:00Z"]);
    assert_eq!(berlin("cron(0 9 * * ? *)", "2026-12-01T00:00:00Z", 1), ["2026-12-01T08:00:00Z"]);
    // The clocks skip from 2 to 3 on the 29th of March 2026, and repeat the hour from 2 to 3 on the 25th of October.
    let spring = berlin("cron(30 2 * * ? *)", "2026-03-28T12:00:00Z", 1);
    assert_eq!(spring, ["2026-03-30T00:30:00Z"]);
    let autumn = berlin("cron(30 2 * * ? *)", "2026-10-24T12:00:00Z", 2);
    assert_eq!(autumn, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    assert_eq!(berlin("at(2026-12-01T09:00:00)", "2026-11-01T00:00:00Z", 1), ["2026-12-01T08:00:00Z"]);
}

#[test]
fn mistakes_are_refused() {
    for (expression, expected) in [
        ("every minute", "is no rate(...)"),
        ("rate(0 minutes)", "is no rate(value unit)"),
        ("rate(1 minutes)", "must say 1 minute"),
        ("rate(5 minute)", "must say 5 minutes"),
        ("rate(5 weeks)", "is no rate(value unit)"),
        ("rate(5)", "is no rate(value unit)"),
        ("at(tomorrow)", "is no at(yyyy-mm-ddThh:mm:ss)"),
        ("cron(0 9 * * ?)", "has 5 fields"),
        ("cron(0 9 * * * *)", "must have a ?"),
        ("cron(0 9 ? * ? *)", "has a ? for both days"),
        ("cron(60 9 * * ? *)", "the minutes `60`"),
        ("cron(0 9 * 13 ? *)", "the month `13`"),
        ("cron(0 9 ? * MOND *)", "the day of the week `MOND`"),
        ("cron(0 9 ? * 8 *)", "the day of the week `8`"),
        ("cron(30-10 9 * * ? *)", "ends before it begins"),
        ("cron(0/0 9 * * ? *)", "the minutes `0`"),
        ("cron(0 9 ? * 3#6 *)", "the day of the week `6`"),
        ("cron(0 9 * * ? 1969)", "the year `1969`"),
    ] {
        let error = ScheduleExpression::parse(expression, "UTC").unwrap_err();
        assert!(error.contains(expected), "{expression}: {error}");
    }
    assert!(ScheduleExpression::parse("rate(1 hour)", "Europe/Berln").unwrap_err().contains("Europe/Berln"));
}

proptest! {
    /// Times come later and later, and a rate keeps its distance.
    #[test]
    fn the_next_time_is_later(seconds in 0_i64..4_000_000_000, passed in 0_i64..10_000_000, minutes in 2_u32..5000) {
        let since = Timestamp::from_second(seconds).unwrap();
        let after = Timestamp::from_second(seconds + passed).unwrap();
        let rate = ScheduleExpression::parse(&format!("rate({minutes} minutes)"), "UTC").unwrap();
        let next = rate.next(since, after).unwrap();
        let period = i64::from(minutes) * 60;
        prop_assert!(next > after && next.as_second() - after.as_second() <= period);
        prop_assert_eq!((next.as_second() - seconds) % period, 0);
        let cron = ScheduleExpression::parse(&format!("cron({} 3,17 * * ? *)", minutes % 60), "America/New_York").unwrap();
        prop_assert!(cron.next(since, after).unwrap() > after);
    }

    #[test]
    fn no_expression_panics(text in "(rate|cron|at)\\([0-9A-Z*?/#, -]{0,24}\\)") {
        if let Ok(schedule) = ScheduleExpression::parse(&text, "UTC") {
            let _ = schedule.next(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        }
    }
}
