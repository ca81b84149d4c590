//! Change windows: when the clock on the wall allows a release.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::zone::Zone;

/// A time of the week in which a release may go on, by the clock on the wall of a zone.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The days on which it opens; every day if absent.
    #[serde(default, deserialize_with = "days")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::days"))]
    pub days: Vec<Day>,
    /// When it opens: `HH:MM`.
    #[serde(default = "midnight")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::opening"))]
    pub from: TimeOfDay,
    /// When it closes: `HH:MM`. Where this is before `from`, it closes on the next day.
    #[serde(default = "end_of_day")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::closing"))]
    pub to: TimeOfDay,
    /// The zone of the clock, by its name in the IANA database.
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::zone"))]
    pub zone: Zone,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// The day as the calendar has it.
    pub fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }

    /// The name in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

/// A time of the day in whole minutes, up to `24:00`, which is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// The minutes since the clock showed 00:00; 1440 for the end of the day.
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// As a time of the clock; `None` for the end of the day, which no clock shows.
    pub fn on_the_clock(self) -> Option<Time> {
        let (hour, minute) = (i8::try_from(self.0 / 60).ok()?, i8::try_from(self.0 % 60).ok()?);
        Time::new(hour, minute, 0, 0).ok()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeOfDayVisitor)
    }
}

struct TimeOfDayVisitor;

impl Visitor<'_> for TimeOfDayVisitor {
    type Value = TimeOfDay;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time of the day such as \"09:00\"")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<TimeOfDay, E> {
        Err(E::custom(format!("{value} is no time of the day; write hours and minutes in quotes, such as \"09:00\"")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<TimeOfDay, E> {
        minutes(value).map(TimeOfDay).ok_or_else(|| {
            E::custom(format!("{value:?} is no time of the day; write one such as \"09:00\", up to \"24:00\""))
        })
    }
}

/// `HH:MM`, from 00:00 to 24:00.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| -> Option<u16> {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let whole = hours * 60 + minutes;
    (minutes < 60 && whole <= 24 * 60).then_some(whole)
}

pub(crate) fn midnight() -> TimeOfDay {
    TimeOfDay(0)
}

pub(crate) fn end_of_day() -> TimeOfDay {
    TimeOfDay(24 * 60)
}

pub(crate) fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Day>, D::Error> {
    let days = Vec::<Day>::deserialize(deserializer)?;
    if days.is_empty() {
        return Err(D::Error::custom(
            "a list without a day: what it says never holds, a window never opens; leave `days` out for every day",
        ));
    }
    Ok(days)
}

impl Window {
    /// Whether it opens on this day of the week.
    pub fn opens_on(&self, weekday: Weekday) -> bool {
        self.days.is_empty() || self.days.iter().any(|day| day.weekday() == weekday)
    }

    /// Whether it is open at a time, by the clock on the wall of its zone.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let wall = self.zone.rules().to_datetime(at);
        let minutes = u16::from(wall.hour().unsigned_abs()) * 60 + u16::from(wall.minute().unsigned_abs());
        let (from, to) = (self.from.minutes(), self.to.minutes());
        let today = self.opens_on(wall.weekday());
        if from < to {
            return today && (from..to).contains(&minutes);
        }
        // Over midnight, the window belongs to the day on which it has opened.
        let yesterday = self.opens_on(wall.weekday().previous());
        (today && minutes >= from) || (yesterday && minutes < to)
    }

    /// What is wrong with the window as a whole, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let Self { from, to, .. } = self;
        (from == to || (from.minutes() == 24 * 60)).then(|| {
            format!("has a window from {from} to {to}, which never opens; for whole days leave `from` and `to` out")
        })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<_> = self.days.iter().map(|day| day.as_str()).collect();
        let days = if days.is_empty() { "every day".to_owned() } else { days.join(", ") };
        write!(f, "{days} {} to {} {}", self.from, self.to, self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_digits_each() {
        for (text, expected) in [
            ("00:00", Some(0)),
            ("09:30", Some(570)),
            ("23:59", Some(1439)),
            ("24:00", Some(1440)),
            ("24:01", None),
            ("9:00", None),
            ("09:60", None),
            ("09:00:00", None),
            ("+9:00", None),
            ("", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }
}
