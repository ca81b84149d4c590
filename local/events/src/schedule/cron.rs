//! `cron(minutes hours day-of-month month day-of-week year)` with the characters `, - * ? / L W #`.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The years that AWS takes.
const YEARS: (i16, i16) = (1970, 2199);

#[derive(Clone, Debug)]
pub(super) struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    days: Days,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
}

/// Which days of a month.
#[derive(Clone, Debug)]
enum Days {
    OfMonth(BTreeSet<i16>),
    /// `L`: the last day.
    Last,
    /// `nW`: the weekday (Monday to Friday) that is nearest to this day of the month.
    NearestWeekday(i16),
    /// `LW`: the last weekday.
    LastWeekday,
    /// 1 for Sunday to 7 for Saturday.
    OfWeek(BTreeSet<i16>),
    /// `5L`: the last Thursday.
    LastOfWeek(i16),
    /// `3#2`: the second Tuesday.
    NthOfWeek(i16, i16),
}

impl Cron {
    /// # Errors
    ///
    /// What is wrong with the fields.
    pub(super) fn parse(fields: &str) -> Result<Self, String> {
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let [minutes, hours, day_of_month, months, day_of_week, years] = fields.as_slice() else {
            return Err(format!(
                "has {} fields; there must be six: minutes hours day-of-month month day-of-week year",
                fields.len()
            ));
        };
        let days = match (*day_of_month, *day_of_week) {
            ("?", "?") => return Err("has a ? for both days; one of them must say which".to_owned()),
            ("?", given) => days_of_week(given)?,
            (given, "?") => days_of_month(given)?,
            _ => return Err("must have a ? for the day of the month or for the day of the week".to_owned()),
        };
        Ok(Self {
            minutes: set("minutes", minutes, (0, 59), &[])?,
            hours: set("hours", hours, (0, 23), &[])?,
            days,
            months: set("month", months, (1, 12), &MONTHS)?,
            years: set("year", years, YEARS, &[])?,
        })
    }

    /// The first time after `after`. A time that the clocks skip is left out; one that they repeat counts once.
    pub(super) fn next(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let mut date = zone.to_datetime(after).date();
        while date.year() <= YEARS.1 {
            if !self.years.contains(&date.year()) {
                date = Date::new(date.year() + 1, 1, 1).ok()?;
                continue;
            }
            if !self.months.contains(&i16::from(date.month())) {
                date = date.first_of_month().checked_add(1.month()).ok()?;
                continue;
            }
            if self.days.contains(date) {
                let times = self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
                let found = times.filter_map(|(hour, minute)| time_of(zone, date, hour, minute));
                if let Some(found) = found.filter(|time| *time > after).min() {
                    return Some(found);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }
}

/// The time of the clocks of a zone, unless they skip it.
fn time_of(zone: &TimeZone, date: Date, hour: i16, minute: i16) -> Option<Timestamp> {
    let civil = date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
    let time = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    (zone.to_datetime(time) == civil).then_some(time)
}

impl Days {
    fn contains(&self, date: Date) -> bool {
        let day = i16::from(date.day());
        let last = i16::from(date.days_in_month());
        let weekday = weekday_number(date);
        match self {
            Self::OfMonth(days) => days.contains(&day),
            Self::Last => day == last,
            Self::NearestWeekday(wanted) => *wanted <= last && nearest_weekday(date, *wanted) == Some(day),
            Self::LastWeekday => nearest_weekday(date, last) == Some(day),
            Self::OfWeek(days) => days.contains(&weekday),
            Self::LastOfWeek(wanted) => weekday == *wanted && day + 7 > last,
            Self::NthOfWeek(wanted, nth) => weekday == *wanted && (day - 1) / 7 + 1 == *nth,
        }
    }
}

fn weekday_number(date: Date) -> i16 {
    i16::from(date.weekday().to_sunday_one_offset())
}

/// The weekday nearest to a day of the month, within the month.
fn nearest_weekday(month: Date, day: i16) -> Option<i16> {
    let last = i16::from(month.days_in_month());
    let date = Date::new(month.year(), month.month(), i8::try_from(day).ok()?).ok()?;
    Some(match date.weekday() {
        Weekday::Saturday if day == 1 => 3,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == last => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    })
}

fn days_of_month(field: &str) -> Result<Days, String> {
    match field {
        "L" => return Ok(Days::Last),
        "LW" | "WL" => return Ok(Days::LastWeekday),
        _ => {}
    }
    match field.strip_suffix('W') {
        Some(day) => Ok(Days::NearestWeekday(number("day of the month", day, (1, 31), &[])?)),
        None => Ok(Days::OfMonth(set("day of the month", field, (1, 31), &[])?)),
    }
}

fn days_of_week(field: &str) -> Result<Days, String> {
    const NAME: &str = "day of the week";
    if field == "L" {
        return Ok(Days::OfWeek(BTreeSet::from([7])));
    }
    if let Some((day, nth)) = field.split_once('#') {
        return Ok(Days::NthOfWeek(number(NAME, day, (1, 7), &WEEKDAYS)?, number(NAME, nth, (1, 5), &[])?));
    }
    match field.strip_suffix('L') {
        Some(day) => Ok(Days::LastOfWeek(number(NAME, day, (1, 7), &WEEKDAYS)?)),
        None => Ok(Days::OfWeek(set(NAME, field, (1, 7), &WEEKDAYS)?)),
    }
}

type Range = (i16, i16);

/// The values of a list of `*`, `n`, `n-m`, each with a step `/k` behind it.
fn set(name: &str, field: &str, range: Range, names: &[&str]) -> Result<BTreeSet<i16>, String> {
    let mut values = BTreeSet::new();
    for part in field.split(',') {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, Some(number(name, step, (1, range.1), &[])?)),
            None => (part, None),
        };
        let (low, high) = match (span, span.split_once('-')) {
            ("*", _) => range,
            (_, Some((low, high))) => (number(name, low, range, names)?, number(name, high, range, names)?),
            // With a step, one value is where the steps begin.
            (one, None) => {
                let low = number(name, one, range, names)?;
                (low, if step.is_some() { range.1 } else { low })
            }
        };
        if low > high {
            return Err(format!("has the {name} `{part}`, which ends before it begins"));
        }
        values.extend((low..=high).step_by(usize::try_from(step.unwrap_or(1)).unwrap_or(1)));
    }
    Ok(values)
}

/// A number, or one of `names`, which count from the start of the range.
fn number(name: &str, text: &str, (least, most): Range, names: &[&str]) -> Result<i16, String> {
    let upper = text.to_ascii_uppercase();
    let named = names.iter().position(|known| *known == upper).and_then(|at| i16::try_from(at).ok());
    let value = named.map(|at| at + least).or_else(|| text.parse().ok());
    value
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("has the {name} `{text}`, which is none from {least} to {most}"))
}
