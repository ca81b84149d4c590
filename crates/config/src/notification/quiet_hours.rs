//! Times of the week in which people are left in peace.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};

use crate::NoticeKind;
use crate::release::{Day, TimeOfDay, Window, Zone};

/// No quiet time is longer: it ends at the latest in the week after.
const LONGEST: i64 = 8 * 24 * 60;

/// When notices are kept, to be told together when these hours are over.
#[derive(Clone, Debug, PartialEq)]
pub struct QuietHours {
    /// The hours, by the clock on the wall of a zone.
    pub hours: Window,
    /// What is told at once all the same.
    pub except: Vec<NoticeKind>,
}

/// When notices are kept, to be told together when these hours are over.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "QuietHours"))]
#[serde(deny_unknown_fields)]
pub(crate) struct QuietHoursEntry {
    /// The days on which they begin; every day if absent.
    #[serde(default, deserialize_with = "crate::release::days")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::release::schema::days"))]
    days: Vec<Day>,
    /// When they begin: `HH:MM`.
    #[serde(default = "crate::release::midnight")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::release::schema::opening"))]
    from: TimeOfDay,
    /// When they end: `HH:MM`. Where this is before `from`, they end on the next day.
    #[serde(default = "crate::release::end_of_day")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::release::schema::closing"))]
    to: TimeOfDay,
    /// The zone of the clock, by its name in the IANA database.
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::release::schema::zone"))]
    zone: Zone,
    /// What is told at once all the same.
    #[serde(default, deserialize_with = "super::entry::kinds")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::some_kinds"))]
    except: Vec<NoticeKind>,
}

impl QuietHoursEntry {
    /// The hours; an error where they never begin or never end.
    pub(crate) fn quiet_hours(self) -> Result<QuietHours, &'static str> {
        let Self { days, from, to, zone, except } = self;
        if from == to || from.minutes() == 24 * 60 {
            return Err("never begins; for whole days leave `from` and `to` out");
        }
        let mut each: Vec<_> = days.iter().map(|day| day.as_str()).collect();
        each.sort_unstable();
        each.dedup();
        if (days.is_empty() || each.len() == 7) && from.minutes() == 0 && to.minutes() == 24 * 60 {
            return Err("never ends; name days, or `from` and `to`");
        }
        Ok(QuietHours { hours: Window { days, from, to, zone }, except })
    }
}

impl<'de> Deserialize<'de> for QuietHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = QuietHoursEntry::deserialize(deserializer)?;
        entry.quiet_hours().map_err(|what| serde::de::Error::custom(format!("this quiet time {what}")))
    }
}

impl QuietHours {
    /// Whether a notice of a kind is kept at a time; if so, when it is to be told at the earliest.
    pub fn until(&self, kind: NoticeKind, at: Timestamp) -> Option<Timestamp> {
        if self.except.contains(&kind) {
            return None;
        }
        self.end(at)
    }

    /// When the quiet time that holds at a time is over; `None` where none holds. To the minute.
    pub fn end(&self, at: Timestamp) -> Option<Timestamp> {
        if !self.hours.is_open(at) {
            return None;
        }
        let minute = at.as_second().div_euclid(60);
        let ends = |minute: i64| Timestamp::from_second(minute * 60).ok().filter(|time| !self.hours.is_open(*time));
        let last = at.checked_add(SignedDuration::from_mins(LONGEST)).unwrap_or(at);
        Some((minute + 1..=minute + LONGEST).find_map(ends).unwrap_or(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str) -> QuietHours {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn quiet_hours_end_by_the_clock_on_the_wall() {
        let night = hours("{from: '22:00', to: '07:00', zone: Europe/Berlin, except: [failed]}");
        let weekend = hours("{days: [sat, sun], zone: Europe/Berlin}");
        for (hours, at, expected) in [
            (&night, "2026-01-05T20:59:59Z", None),
            (&night, "2026-01-05T21:00:00Z", Some("2026-01-06T06:00:00Z")),
            (&night, "2026-01-06T05:59:59.5Z", Some("2026-01-06T06:00:00Z")),
            (&night, "2026-01-06T06:00:00Z", None),
            // The night in which the clock is put forward, and the one in which it is put back.
            (&night, "2026-03-28T21:30:00Z", Some("2026-03-29T05:00:00Z")),
            (&night, "2026-10-24T20:30:00Z", Some("2026-10-25T06:00:00Z")),
            (&weekend, "2026-01-09T22:59:00Z", None),
            (&weekend, "2026-01-09T23:00:00Z", Some("2026-01-11T23:00:00Z")),
        ] {
            let expected: Option<Timestamp> = expected.map(|time| time.parse().unwrap());
            assert_eq!(hours.end(at.parse().unwrap()), expected, "{at}");
        }
        let at = "2026-01-05T23:00:00Z".parse().unwrap();
        assert!(night.until(NoticeKind::Failed, at).is_none() && night.until(NoticeKind::Recovered, at).is_some());
    }

    #[test]
    fn a_quiet_time_has_a_beginning_and_an_end() {
        for text in [
            "{from: '09:00', to: '09:00', zone: UTC}",
            "{from: '24:00', zone: UTC}",
            "{zone: UTC}",
            "{days: [mon, tue, wed, thu, fri, sat, sun], zone: UTC}",
            "{days: [mon], zone: UTC, except: [failed, failed]}",
        ] {
            assert!(serde_saphyr::from_str::<QuietHours>(text).is_err(), "{text}");
        }
    }
}
