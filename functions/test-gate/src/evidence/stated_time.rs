//! The times that reports state.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// A time as a report states it.
#[derive(Debug)]
pub(super) struct StatedTime {
    text: String,
    /// `None` where it cannot be read.
    time: Option<Timestamp>,
}

impl StatedTime {
    /// Keeps the older one of two times. One that cannot be read may be of any age, so it is older than all others.
    pub(super) fn keep_older(kept: &mut Option<Self>, text: &str) {
        let is_known = kept.as_ref().is_some_and(|kept| kept.text == text);
        if is_known || text.trim().is_empty() {
            return;
        }
        let other = Self { text: text.to_owned(), time: read(text) };
        let is_older = |kept: &Self| kept.never_ran() || (!other.never_ran() && other.time < kept.time);
        if kept.as_ref().is_none_or(is_older) {
            *kept = Some(other);
        }
    }

    /// googletest gives a suite of which no test ran the first second of 1970, in local time. It has nothing old in it.
    fn never_ran(&self) -> bool {
        let day = SignedDuration::from_hours(24);
        self.time.is_some_and(|time| time.duration_since(Timestamp::UNIX_EPOCH).abs() <= day)
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// A time as reports state it. Without a zone it is taken for UTC, in which build machines run.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let local = || Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let epoch = || {
        let number: i64 = text.parse().ok()?;
        // Seconds or milliseconds since 1970: the two do not meet for ten thousand years.
        if number > 100_000_000_000 { Timestamp::from_millisecond(number) } else { Timestamp::from_second(number) }.ok()
    };
    text.parse::<Timestamp>().ok().or_else(local).or_else(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_reports_state_them() {
        for (text, expected) in [
            ("2026-11-23T10:15:30Z", Some("2026-11-23T10:15:30Z")),
            ("2026-11-23T10:15:30+02:00", Some("2026-11-23T08:15:30Z")),
            ("2026-11-23T10:15:30.5", Some("2026-11-23T10:15:30.5Z")),
            ("2026-11-23 10:15:30", Some("2026-11-23T10:15:30Z")),
            ("1795428930", Some("2026-11-23T10:15:30Z")),
            ("1795428930000", Some("2026-11-23T10:15:30Z")),
            ("", None),
            ("yesterday", None),
        ] {
            assert_eq!(read(text).map(|time| time.to_string()), expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn the_oldest_time_is_kept() {
        for (stated, expected) in [
            (vec![], None),
            (vec!["", " "], None),
            (vec!["2026-11-23T10:15:30Z", "2024-01-01T00:00:00", "2026-11-22T10:15:30Z"], Some("2024-01-01T00:00:00")),
            // 11:30 in Berlin is before 11:00 in London.
            (vec!["2026-11-23T11:00:00Z", "2026-11-23T11:30:00+01:00"], Some("2026-11-23T11:30:00+01:00")),
            (vec!["2026-11-23T10:15:30Z", "noon", "2024-01-01T00:00:00Z"], Some("noon")),
            // What never ran.
            (vec!["2026-11-23T10:15:30", "1970-01-01T01:00:00"], Some("2026-11-23T10:15:30")),
            (vec!["1970-01-01T00:00:00", "2026-11-23T10:15:30"], Some("2026-11-23T10:15:30")),
            (vec!["1970-01-01T00:00:00"], Some("1970-01-01T00:00:00")),
        ] {
            let mut oldest = None;
            stated.iter().for_each(|text| StatedTime::keep_older(&mut oldest, text));
            assert_eq!(oldest.map(StatedTime::into_text).as_deref(), expected, "{stated:?}");
        }
    }
}
