//! Quartz cron expressions as the rule DeploymentWindow takes them (AWS CodePipeline guide, DeploymentWindow): six
//! fields, a seventh for the year, and time that is counted in minutes.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/// How many days are looked at for the next opening: 28 years, after which weekdays and dates repeat.
const HORIZON: usize = 28 * 366;

/// An expression. A number's bit is set where the number is allowed.
#[derive(Debug)]
pub(crate) struct Cron {
    minutes: u64,
    hours: u64,
    months: u64,
    /// `None` for `*` and `?`: any day.
    days: Option<Vec<Day>>,
    weekdays: Option<Vec<Weekday>>,
    /// The years from 1970 on; `None` for any.
    years: Option<Vec<bool>>,
}

/// What may stand in the field of the day of the month.
#[derive(Debug)]
enum Day {
    Among(u64),
    /// `L`, `L-3`: this many days before the last.
    BeforeLast(i8),
    /// `LW`
    LastWorkday,
    /// `15W`: the workday of the month that is nearest to the day.
    Workday(i8),
}

/// What may stand in the field of the day of the week; 1 is Sunday.
#[derive(Debug)]
enum Weekday {
    Among(u64),
    /// `6L`
    Last(i8),
    /// `6#3`
    Nth(i8, i8),
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words that follow its name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let [seconds, minutes, hours, day, month, weekday, rest @ ..] = fields.as_slice() else {
            return Err(format!(
                "has {} fields; it needs seconds, minutes, hours, day of month, month, day of week and, if wanted, year",
                fields.len()
            ));
        };
        if rest.len() > 1 {
            return Err(format!("has {} fields; at most seven are allowed", fields.len()));
        }
        let within = |name: &str, result: Result<u64, String>| {
            result.map_err(|why| format!("has a wrong field for {name}: {why}"))
        };
        // Seconds are read and do not count.
        within("seconds", among(seconds, 0, 59, &[]))?;
        let days = match *day {
            "*" | "?" => None,
            text => Some(
                each(text, parse_day).map_err(|why| format!("has a wrong field for the day of the month: {why}"))?,
            ),
        };
        let weekdays = match *weekday {
            "*" | "?" => None,
            text => Some(
                each(text, parse_weekday).map_err(|why| format!("has a wrong field for the day of the week: {why}"))?,
            ),
        };
        if days.is_some() && weekdays.is_some() {
            return Err("names a day of the month and a day of the week; put ? into one of the two fields".to_owned());
        }
        Ok(Self {
            minutes: within("minutes", among(minutes, 0, 59, &[]))?,
            hours: within("hours", among(hours, 0, 23, &[]))?,
            months: within("the month", among(month, 1, 12, &MONTHS))?,
            days,
            weekdays,
            years: rest.first().map_or(Ok(None), |text| parse_years(text))?,
        })
    }

    /// Whether the window is open in the minute of `time`.
    pub(crate) fn is_open(&self, time: Timestamp, zone: &TimeZone) -> bool {
        self.matches(zone.to_datetime(time))
    }

    /// When the window opens next after `time`, if it does within 28 years.
    pub(crate) fn next_opening(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = zone.to_datetime(time).date();
        for _ in 0..HORIZON {
            if self.matches_date(date)
                && let Some(found) = self.first_on(date, time, zone)
            {
                return Some(found);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn first_on(&self, date: Date, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        for hour in (0..24).filter(|hour| has(self.hours, *hour)) {
            for minute in (0..60).filter(|minute| has(self.minutes, *minute)) {
                let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
                // A time that the clocks skip is no time of the window.
                let civil = date.at(hour, minute, 0, 0);
                let found = zone.to_timestamp(civil).ok().filter(|found| *found > after);
                if found.is_some_and(|found| self.is_open(found, zone)) {
                    return found;
                }
            }
        }
        None
    }

    fn matches(&self, time: DateTime) -> bool {
        has(self.minutes, time.minute().into()) && has(self.hours, time.hour().into()) && self.matches_date(time.date())
    }

    fn matches_date(&self, date: Date) -> bool {
        let year = usize::try_from(i32::from(date.year()) - 1970).unwrap_or(usize::MAX);
        let years = self.years.as_ref();
        has(self.months, date.month().into())
            && years.is_none_or(|years| years.get(year).copied().unwrap_or_default())
            && self.days.as_ref().is_none_or(|days| days.iter().any(|day| day.matches(date)))
            && self.weekdays.as_ref().is_none_or(|days| days.iter().any(|day| day.matches(date)))
    }
}

impl Day {
    fn matches(&self, date: Date) -> bool {
        let last = date.days_in_month();
        match *self {
            Self::Among(days) => has(days, date.day().into()),
            Self::BeforeLast(days) => date.day() == last - days,
            Self::LastWorkday => Some(date) == workday_nearest(date, last),
            Self::Workday(day) => day <= last && Some(date) == workday_nearest(date, day),
        }
    }
}

impl Weekday {
    fn matches(&self, date: Date) -> bool {
        let own = date.weekday().to_sunday_one_offset();
        match *self {
            Self::Among(days) => has(days, own.into()),
            Self::Last(day) => own == day && date.day() + 7 > date.days_in_month(),
            Self::Nth(day, number) => own == day && (date.day() - 1) / 7 + 1 == number,
        }
    }
}

/// The workday nearest to a day of the month of `date`, in that month.
fn workday_nearest(date: Date, day: i8) -> Option<Date> {
    let target = Date::new(date.year(), date.month(), day).ok()?;
    let shift = match (target.weekday().to_sunday_one_offset(), day) {
        (7, 1) => 2,
        (7, _) => -1,
        (1, day) if day == target.days_in_month() => -2,
        (1, _) => 1,
        _ => 0,
    };
    target.checked_add(shift.days()).ok()
}

fn has(bits: u64, number: i16) -> bool {
    u32::try_from(number).is_ok_and(|number| bits >> number & 1 == 1)
}

/// Reads a list, each part by `read`.
fn each<T>(text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split(',').map(read).collect()
}

fn parse_day(text: &str) -> Result<Day, String> {
    let number = |text: &str| number(text, 1, 31, &[]);
    match text {
        "L" => Ok(Day::BeforeLast(0)),
        "LW" => Ok(Day::LastWorkday),
        _ if text.starts_with("L-") => {
            let days = self::number(&text[2..], 0, 30, &[])?;
            Ok(Day::BeforeLast(small(days)))
        }
        _ => match text.strip_suffix('W') {
            Some(day) => Ok(Day::Workday(small(number(day)?))),
            None => Ok(Day::Among(among(text, 1, 31, &[])?)),
        },
    }
}

fn parse_weekday(text: &str) -> Result<Weekday, String> {
    let number = |text: &str| number(text, 1, 7, &WEEKDAYS);
    if let Some((day, nth)) = text.split_once('#') {
        let nth = self::number(nth, 1, 5, &[])?;
        return Ok(Weekday::Nth(small(number(day)?), small(nth)));
    }
    match text.strip_suffix('L') {
        Some("") => Ok(Weekday::Among(1 << 7)),
        Some(day) => Ok(Weekday::Last(small(number(day)?))),
        None => Ok(Weekday::Among(among(text, 1, 7, &WEEKDAYS)?)),
    }
}

fn small(number: u16) -> i8 {
    i8::try_from(number).unwrap_or(i8::MAX)
}

/// Reads the field of the year: 1970 to 2199.
fn parse_years(text: &str) -> Result<Option<Vec<bool>>, String> {
    if text == "*" {
        return Ok(None);
    }
    let mut years = vec![false; 230];
    for part in text.split(',') {
        let numbers = numbers(part, 1970, 2199, &[]).map_err(|why| format!("has a wrong field for the year: {why}"))?;
        for year in numbers {
            years[usize::from(year) - 1970] = true;
        }
    }
    Ok(Some(years))
}

/// Reads a list of numbers, ranges and steps into bits.
fn among(text: &str, least: u16, most: u16, names: &[&str]) -> Result<u64, String> {
    let mut bits = 0;
    for part in text.split(',') {
        for number in numbers(part, least, most, names)? {
            bits |= 1_u64 << number;
        }
    }
    Ok(bits)
}

/// Reads `*`, `5`, `5-9`, `5/10`, `*/10` or `5-9/2`. A range may go over the end, as `FRI-MON` does.
fn numbers(text: &str, least: u16, most: u16, names: &[&str]) -> Result<Vec<u16>, String> {
    let (range, step) = match text.split_once('/') {
        Some((range, step)) => (range, number(step, 1, most, &[])?),
        None => (text, 1),
    };
    let number = |text: &str| number(text, least, most, names);
    let (first, last) = match range.split_once('-') {
        _ if range == "*" => (least, most),
        Some((first, last)) => (number(first)?, number(last)?),
        // `5/10` begins at 5 and goes on to the end.
        None if text.contains('/') => (number(range)?, most),
        None => (number(range)?, number(range)?),
    };
    let count = if first <= last { last - first } else { most - first + 1 + last - least };
    let span = most - least + 1;
    let all = (0..=count).step_by(step.into());
    Ok(all.map(|offset| (first - least + offset) % span + least).collect())
}

fn number(text: &str, least: u16, most: u16, names: &[&str]) -> Result<u16, String> {
    let upper = text.to_ascii_uppercase();
    if let Some(place) = names.iter().position(|name| *name == upper) {
        return Ok(least + u16::try_from(place).unwrap_or_default());
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("{text:?} is no number from {least} to {most}")),
    }
}

/// The time zone of a rule: `Region/City`, `UTC`, `UTC+02:00`, or an abbreviation that the time zone database has.
///
/// # Errors
///
/// What is wrong with it, in words that follow its name.
pub(crate) fn time_zone(text: &str) -> Result<TimeZone, String> {
    if text == "UTC" {
        return Ok(TimeZone::UTC);
    }
    let wrong = || format!("is {text:?}, which is no time zone; write it as Europe/Berlin, UTC or UTC+02:00");
    if let Some(offset) = text.strip_prefix("UTC") {
        let (sign, rest) = match (offset.strip_prefix('+'), offset.strip_prefix('-')) {
            (Some(rest), _) => (1, rest),
            (_, Some(rest)) => (-1, rest),
            _ => return Err(wrong()),
        };
        let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
        let (hours, minutes) = (number(hours, 0, 23, &[]), number(minutes, 0, 59, &[]));
        let (Ok(hours), Ok(minutes)) = (hours, minutes) else { return Err(wrong()) };
        let seconds = sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60);
        return jiff::tz::Offset::from_seconds(seconds).map(TimeZone::fixed).map_err(|_| wrong());
    }
    TimeZone::get(text).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn windows_open_in_the_minutes_that_match() {
        // A Monday.
        let check = |cron: &str, zone: &str, at: &str, expected: bool| {
            let (parsed, zone) = (Cron::parse(cron).unwrap(), time_zone(zone).unwrap());
            assert_eq!(parsed.is_open(time(at), &zone), expected, "{cron} at {at}");
            // What is open in a minute opens at its beginning at the latest.
            if expected {
                let before = Timestamp::from_second(time(at).as_second() / 60 * 60 - 1).unwrap();
                assert!(parsed.next_opening(before, &zone).is_some_and(|next| next <= time(at)), "{cron} before {at}");
            }
        };
        check("* * * * * *", "UTC", "2026-11-23T10:00:30Z", true);
        check("0 0 9-17 ? * MON-FRI *", "UTC", "2026-11-23T10:00:59Z", true);
        check("0 0 9-17 ? * MON-FRI *", "UTC", "2026-11-23T10:01:00Z", false);
        check("* * 9-17 ? * MON-FRI", "UTC", "2026-11-23T08:59:59Z", false);
        check("* * 9-17 ? * MON-FRI", "UTC", "2026-11-23T17:59:00Z", true);
        check("* * 9-17 ? * MON-FRI", "UTC", "2026-11-22T12:00:00Z", false);
        check("* * 9-17 ? * 2-6", "Europe/Berlin", "2026-11-23T08:30:00Z", true);
        check("* * 9-17 ? * 2-6", "UTC+01:00", "2026-11-23T08:30:00Z", true);
        check("* * 9-17 ? * 2-6", "UTC-01:00", "2026-11-23T09:30:00Z", false);
        check("* 0/15 * * * ?", "UTC", "2026-11-23T10:45:00Z", true);
        check("* 5/15 * * * ?", "UTC", "2026-11-23T10:45:00Z", false);
        check("* * 22-2 * * ?", "UTC", "2026-11-23T01:00:00Z", true);
        check("* * * ? * FRI-MON", "UTC", "2026-11-24T01:00:00Z", false);
        check("* * * L * ?", "UTC", "2027-02-28T12:00:00Z", true);
        check("* * * L-3 * ?", "UTC", "2026-11-27T12:00:00Z", true);
        check("* * * 15W * ?", "UTC", "2026-11-16T12:00:00Z", true);
        check("* * * 1W * ?", "UTC", "2026-08-03T12:00:00Z", true);
        check("* * * LW * ?", "UTC", "2026-05-29T12:00:00Z", true);
        check("* * * ? * 2#4", "UTC", "2026-11-23T12:00:00Z", true);
        check("* * * ? * 2L", "UTC", "2026-11-23T12:00:00Z", false);
        check("* * * ? * 2L", "UTC", "2026-11-30T12:00:00Z", true);
        check("* * * ? * L", "UTC", "2026-11-28T12:00:00Z", true);
        check("* * * * JAN,nov ?", "UTC", "2026-11-23T12:00:00Z", true);
        check("* * * * * ? 2026-2027", "UTC", "2026-11-23T12:00:00Z", true);
        check("* * * * * ? 2027/2", "UTC", "2026-11-23T12:00:00Z", false);
    }

    #[test]
    fn the_next_opening_is_found() {
        let check = |cron: &str, zone: &str, after: &str, expected: Option<&str>| {
            let next = Cron::parse(cron).unwrap().next_opening(time(after), &time_zone(zone).unwrap());
            assert_eq!(next, expected.map(time), "{cron} after {after}");
        };
        check("0 30 9 ? * MON-FRI", "UTC", "2026-11-20T09:30:00Z", Some("2026-11-23T09:30:00Z"));
        check("* * 9-17 ? * MON-FRI", "Europe/Berlin", "2026-11-23T02:10:07Z", Some("2026-11-23T08:00:00Z"));
        check("0 0 0 29 2 ?", "UTC", "2026-11-23T00:00:00Z", Some("2028-02-29T00:00:00Z"));
        check("0 0 0 30 2 ?", "UTC", "2026-11-23T00:00:00Z", None);
        check("* * * * * ? 2025", "UTC", "2026-11-23T00:00:00Z", None);
        // 02:30 does not exist in that night.
        check("0 30 2 * * ?", "Europe/Berlin", "2027-03-27T12:00:00Z", Some("2027-03-29T00:30:00Z"));
    }

    #[test]
    fn wrong_expressions_and_zones_are_explained() {
        let check = |cron: &str, expected: &str| {
            let error = Cron::parse(cron).unwrap_err();
            assert!(error.contains(expected), "{cron}: {error}");
        };
        check("", "has 0 fields");
        check("* * * * *", "has 5 fields");
        check("* * * * * * * *", "at most seven");
        check("* 60 * * * ?", "wrong field for minutes: \"60\" is no number from 0 to 59");
        check("* * 24 * * ?", "wrong field for hours");
        check("* * * 32 * ?", "day of the month");
        check("* * * ? * MONDAY", "day of the week");
        check("* * * ? * 8", "from 1 to 7");
        check("* * * ? * 2#6", "from 1 to 5");
        check("* * * 1 * 2", "put ? into one");
        check("* */0 * * * ?", "no number from 1");
        check("* +5 * * * ?", "no number");
        check("* * * * 0 ?", "wrong field for the month");
        check("* * * * * ? 1969", "wrong field for the year");
        for zone in ["", "utc+1", "UTC+1", "UTC+25:00", "Mars/Olympus", "UTC*01:00"] {
            assert!(time_zone(zone).unwrap_err().contains("no time zone"), "{zone}");
        }
    }
}
