//! Calendar files in iCalendar format (RFC 5545).
//!
//! Everything that an event says about its time is understood, or the file is refused with the line: an event that was
//! passed over could be a freeze. Read are `DTSTART`, `DTEND`, `DURATION`, `RRULE` (daily to yearly), `RDATE`, `EXDATE`,
//! `RECURRENCE-ID` and `STATUS:CANCELLED`; time zones are those of the IANA database.

mod error;
mod lines;
mod rules;
mod value;

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use stagegate_config::release::Zone;

pub use error::CalendarError;
pub use lines::MAX_BYTES;

use error::Problem;
use lines::Property;
use rules::Rule;
use value::{Extent, Moment};

/// The most events of a calendar.
const MAX_EVENTS: usize = 10_000;

/// The events of a calendar file.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    events: Vec<Event>,
}

/// An event with all its occurrences.
#[derive(Clone, Debug)]
struct Event {
    summary: String,
    start: Moment,
    extent: Extent,
    rules: Vec<Rule>,
    added: Vec<DateTime>,
    /// Occurrences that do not take place, or are described by an event of their own.
    removed: BTreeSet<DateTime>,
}

/// One time at which an event takes place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends; this moment no longer belongs to it.
    pub end: Timestamp,
    /// What the event is called.
    pub summary: String,
}

/// An event as it stands in the file.
struct Entry<'t> {
    line: usize,
    properties: Vec<Property<'t>>,
}

impl Calendar {
    /// Reads a file; `zone` is that of events that name none.
    ///
    /// # Errors
    ///
    /// If it is no iCalendar file, is longer than [`MAX_BYTES`], or an event says something about its time that is not
    /// understood.
    pub fn parse(bytes: &[u8], zone: &Zone) -> Result<Self, CalendarError> {
        let entries = lines::events(bytes)?;
        if entries.len() > MAX_EVENTS {
            return Err(CalendarError::whole(Problem::TooManyEvents(MAX_EVENTS)));
        }
        let entries: Vec<_> = entries.into_iter().map(|(line, properties)| Entry { line, properties }).collect();
        let mut events = Vec::new();
        // Which occurrence of which event another one describes.
        let mut described: Vec<(String, Moment)> = Vec::new();
        let mut identities = Vec::new();
        for entry in &entries {
            let identity = entry.text("UID")?.unwrap_or_default();
            if let Some(property) = entry.one("RECURRENCE-ID")? {
                if property.parameter("RANGE").is_some() {
                    return Err(property.fault(Problem::Unsupported("RECURRENCE-ID;RANGE".to_owned())));
                }
                described.push((identity.clone(), Moment::read(property, zone)?));
            }
            let is_cancelled = entry.text("STATUS")?.is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED"));
            if !is_cancelled {
                identities.push((identity, entry.one("RECURRENCE-ID")?.is_some()));
                events.push(entry.event(zone)?);
            }
        }
        for (event, (identity, is_description)) in events.iter_mut().zip(&identities) {
            if *is_description || identity.is_empty() {
                continue;
            }
            for (_, moment) in described.iter().filter(|(of, _)| of == identity) {
                event.removed.insert(moment.in_zone(&event.start.zone)?);
            }
        }
        Ok(Self { events })
    }

    /// How many events there are, each with all its occurrences.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The occurrence that covers a moment; of several, the one that ends last.
    ///
    /// # Errors
    ///
    /// If a rule gives more occurrences than are counted.
    pub fn covering(&self, now: Timestamp) -> Result<Option<Occurrence>, CalendarError> {
        let around = self.occurrences(now, now)?;
        let covering = around.into_iter().filter(|occurrence| occurrence.start <= now && now < occurrence.end);
        Ok(covering.max_by_key(|occurrence| occurrence.end))
    }

    /// The occurrences that take place, at least in part, between two moments, both included.
    ///
    /// # Errors
    ///
    /// If a rule gives more occurrences than are counted.
    pub fn occurrences(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Occurrence>, CalendarError> {
        let mut all = Vec::new();
        for event in &self.events {
            event.occurrences(from, to, &mut all)?;
        }
        all.sort();
        Ok(all)
    }
}

impl Event {
    fn occurrences(&self, from: Timestamp, to: Timestamp, all: &mut Vec<Occurrence>) -> Result<(), CalendarError> {
        let zone = &self.start.zone;
        // A day more on both sides is more than any offset of a zone.
        let day = SignedDuration::from_hours(24);
        let earliest = from.saturating_sub(self.extent.at_most().saturating_add(day)).unwrap_or(Timestamp::MIN);
        let latest = to.saturating_add(day).unwrap_or(Timestamp::MAX);
        let (first, last) = (zone.rules().to_datetime(earliest), zone.rules().to_datetime(latest));
        let mut starts: BTreeSet<DateTime> = BTreeSet::from([self.start.wall]);
        starts.extend(&self.added);
        for rule in &self.rules {
            starts.extend(rule.occurrences(first, last)?);
        }
        for wall in starts.into_iter().filter(|wall| !self.removed.contains(wall) && (first..=last).contains(wall)) {
            let (start, end) = (value::instant(zone, wall)?, self.extent.end(zone, wall)?);
            if start <= to && end >= from && start < end {
                all.push(Occurrence { start, end, summary: self.summary.clone() });
            }
        }
        Ok(())
    }
}

impl Entry<'_> {
    fn event(&self, zone: &Zone) -> Result<Event, CalendarError> {
        let start = self.one("DTSTART")?.ok_or_else(|| CalendarError::at(self.line, Problem::Missing("DTSTART")))?;
        let start = Moment::read(start, zone)?;
        let extent = self.extent(&start, zone)?;
        if let Some(property) = self.all("EXRULE").next() {
            return Err(property.fault(Problem::Unsupported("EXRULE".to_owned())));
        }
        let rules = self.all("RRULE").map(|property| Rule::read(property, start.wall, &start.zone));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        let times = |name: &'static str| -> Result<Vec<DateTime>, CalendarError> {
            let mut times = Vec::new();
            for property in self.all(name) {
                for moment in Moment::read_list(property, zone)? {
                    times.push(moment.in_zone(&start.zone)?);
                }
            }
            Ok(times)
        };
        let (added, removed) = (times("RDATE")?, times("EXDATE")?.into_iter().collect());
        let summary =
            self.text("SUMMARY")?.map_or_else(|| "an event without a name".to_owned(), |text| unescaped(&text));
        Ok(Event { summary, start, extent, rules, added, removed })
    }

    fn extent(&self, start: &Moment, zone: &Zone) -> Result<Extent, CalendarError> {
        match (self.one("DTEND")?, self.one("DURATION")?) {
            (Some(end), Some(_)) => Err(end.fault(Problem::TwoEnds)),
            (None, Some(duration)) => match Extent::read(duration)? {
                extent if extent.is_nothing() => Err(duration.fault(Problem::NoLength)),
                extent => Ok(extent),
            },
            // Without an end, a day lasts a day and a time is a moment (RFC 5545, section 3.6.1).
            (None, None) => Ok(Extent { days: i64::from(start.is_date), exact: SignedDuration::ZERO }),
            (Some(property), None) => {
                let end = Moment::read(property, zone)?;
                let extent = if end.is_date && start.is_date {
                    let days = start.wall.date().until((jiff::Unit::Day, end.wall.date()));
                    let days = days.map_err(|_| property.fault(Problem::OutOfRange))?.get_days();
                    // Programs that write the same day twice mean that day, and a freeze that is passed over would be worse.
                    Extent { days: if days == 0 { 1 } else { days.into() }, exact: SignedDuration::ZERO }
                } else {
                    Extent { days: 0, exact: end.instant()?.duration_since(start.instant()?) }
                };
                if extent.days < 0 || extent.exact.is_negative() {
                    return Err(property.fault(Problem::Backwards));
                }
                if extent.is_nothing() {
                    return Err(property.fault(Problem::NoLength));
                }
                Ok(extent)
            }
        }
    }

    fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Property<'s>> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    fn one<'s>(&'s self, name: &'s str) -> Result<Option<&'s Property<'s>>, CalendarError> {
        let mut found = self.all(name);
        let first = found.next();
        match found.next() {
            Some(second) => Err(second.fault(Problem::Twice(name.to_owned()))),
            None => Ok(first),
        }
    }

    fn text(&self, name: &str) -> Result<Option<String>, CalendarError> {
        Ok(self.one(name)?.map(|property| property.value.trim().to_owned()))
    }
}

/// A text without the escapes of RFC 5545, section 3.3.11, on one line.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('n' | 'N') | None => plain.push(' '),
                Some(other) => plain.push(other),
            },
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}
