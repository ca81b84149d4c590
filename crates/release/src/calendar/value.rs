//! Dates, times and durations of iCalendar (RFC 5545, section 3.3).

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp, ToSpan};
use stagegate_config::release::Zone;

use super::error::{CalendarError, Problem};
use super::lines::Property;

/// A date or a time, in a zone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) wall: DateTime,
    pub(super) is_date: bool,
    pub(super) zone: Zone,
}

impl Moment {
    /// Reads the value of a property; `default` is the zone of times that name none.
    pub(super) fn read(property: &Property<'_>, default: &Zone) -> Result<Self, CalendarError> {
        Self::parse(property, &property.value, default)
    }

    /// Reads values that stand in a list, separated by commas.
    pub(super) fn read_list(property: &Property<'_>, default: &Zone) -> Result<Vec<Self>, CalendarError> {
        property.value.split(',').map(|value| Self::parse(property, value, default)).collect()
    }

    fn parse(property: &Property<'_>, value: &str, default: &Zone) -> Result<Self, CalendarError> {
        match property.parameter("VALUE") {
            None | Some("DATE" | "DATE-TIME") => {}
            Some(other) => return Err(property.fault(Problem::Unsupported(format!("VALUE={other}")))),
        }
        let no_time = || property.fault(Problem::NoTime(shown(value)));
        let (wall, form) = wall(value.trim()).ok_or_else(no_time)?;
        let zone = match (form, property.parameter("TZID")) {
            (Form::Utc, _) => Zone::utc(),
            (_, None) => default.clone(),
            // Some programs write a slash in front of names that are registered.
            (_, Some(name)) => Zone::named(name.trim_start_matches('/'))
                .map_err(|_| property.fault(Problem::UnknownZone(shown(name))))?,
        };
        Ok(Self { wall, is_date: form == Form::Date, zone })
    }

    /// The moment. A time that the clock skips is read with the offset before the change, one that it shows twice as
    /// the first of the two (RFC 5545, section 3.3.5).
    pub(super) fn instant(&self) -> Result<Timestamp, CalendarError> {
        instant(&self.zone, self.wall)
    }

    /// What the clock of a zone shows at this moment; a date is the same day everywhere.
    pub(super) fn in_zone(&self, zone: &Zone) -> Result<DateTime, CalendarError> {
        if self.is_date || self.zone == *zone {
            return Ok(self.wall);
        }
        Ok(zone.rules().to_datetime(self.instant()?))
    }
}

pub(super) fn instant(zone: &Zone, wall: DateTime) -> Result<Timestamp, CalendarError> {
    let ambiguous = zone.rules().to_ambiguous_timestamp(wall);
    ambiguous.compatible().map_err(|_| CalendarError::whole(Problem::OutOfRange))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Date,
    Local,
    Utc,
}

/// `20261224`, `20261224T180000` or `20261224T180000Z`.
pub(super) fn wall(text: &str) -> Option<(DateTime, Form)> {
    if !text.is_ascii() {
        return None;
    }
    let digits = |from: usize, to: usize| -> Option<i16> {
        let part = text.get(from..to)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()
    };
    let small = |from, to| digits(from, to).and_then(|number| i8::try_from(number).ok());
    let date = Date::new(digits(0, 4)?, small(4, 6)?, small(6, 8)?).ok()?;
    if text.len() == 8 {
        return Some((date.at(0, 0, 0, 0), Form::Date));
    }
    let form = match (text.len(), text.get(15..)) {
        (15, _) => Form::Local,
        (16, Some("Z")) => Form::Utc,
        _ => return None,
    };
    if text.get(8..9) != Some("T") {
        return None;
    }
    // A leap second is the last one of its minute.
    let second = small(13, 15)?.min(if small(13, 15)? == 60 { 59 } else { i8::MAX });
    let time = jiff::civil::Time::new(small(9, 11)?, small(11, 13)?, second, 0).ok()?;
    Some((date.to_datetime(time), form))
}

/// How long an event takes: whole days by the calendar, and seconds by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) days: i64,
    pub(super) exact: SignedDuration,
}

impl Extent {
    /// The end of an occurrence that begins at this time.
    pub(super) fn end(self, zone: &Zone, wall: DateTime) -> Result<Timestamp, CalendarError> {
        let out_of_range = |_| CalendarError::whole(Problem::OutOfRange);
        let later = wall.checked_add(self.days.days()).map_err(out_of_range)?;
        instant(zone, later)?.checked_add(self.exact).map_err(out_of_range)
    }

    /// Whether the end is the beginning.
    pub(super) fn is_nothing(self) -> bool {
        self.days == 0 && self.exact.is_zero()
    }

    /// At least as long as any occurrence.
    pub(super) fn at_most(self) -> SignedDuration {
        SignedDuration::from_hours(self.days.saturating_add(1).saturating_mul(24)).saturating_add(self.exact)
    }

    /// `P1W`, `P1D`, `PT8H30M`, `P1DT12H`.
    pub(super) fn read(property: &Property<'_>) -> Result<Self, CalendarError> {
        duration(property.value.trim()).ok_or_else(|| property.fault(Problem::NoDuration(shown(&property.value))))
    }
}

fn duration(text: &str) -> Option<Extent> {
    let text = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let (days, clock) = text.split_once('T').map_or((text, None), |(days, clock)| (days, Some(clock)));
    let days = units(days, &[('W', 7), ('D', 1)])?;
    let exact = match clock {
        None => 0,
        Some("") => return None,
        Some(clock) => units(clock, &[('H', 3600), ('M', 60), ('S', 1)])?,
    };
    // More than a lifetime is a mistake.
    let in_range = days <= 36_525 && exact <= 36_525 * 86_400;
    (!text.is_empty() && in_range).then(|| Extent { days, exact: SignedDuration::from_secs(exact) })
}

fn units(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut sum: i64 = 0;
    for (unit, length) in units {
        let Some((number, rest)) = text.split_once(*unit) else { continue };
        if !(1..=9).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(*length)?)?;
        text = rest;
    }
    text.is_empty().then_some(sum)
}

/// A value as a message may show it: quoted, and not longer than is of use.
pub(super) fn shown(value: &str) -> String {
    let short: String = value.chars().take(60).collect();
    let more = if short.len() < value.len() { "…" } else { "" };
    format!("{short:?}{more}")
}
