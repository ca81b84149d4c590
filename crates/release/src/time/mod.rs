//! Conditions of time: change windows, freezes and the events of calendars.
//!
//! Windows and freezes follow the clock on the wall of their zone. Where it is put forward, times that it skips do not
//! exist; where it is put back, the hour that it shows twice counts twice. So a policy never says anything else than a
//! person who looks at that clock.

mod opening;

use jiff::Timestamp;
use jiff::civil::DateTime;
use stagegate_config::ReleaseGate;
use stagegate_config::release::{CalendarEvents, Exceptions, Freeze, Window, Zone};

use crate::calendar::{Calendar, CalendarError, Occurrence};
use crate::facts::{Circumstances, Known, Unmeasured};
use crate::measured::{Measured, State};

pub use opening::{Opening, next_opening};

/// The key of each condition.
pub(crate) const WINDOWS: &str = "windows";
pub(crate) const FREEZES: &str = "freezes";
pub(crate) const CALENDARS: &str = "calendars";

/// What the clock on the wall of a zone shows.
pub fn on_the_wall(now: Timestamp, zone: &Zone) -> DateTime {
    zone.rules().to_datetime(now)
}

/// Whether a window is open.
pub fn is_open(window: &Window, now: Timestamp) -> bool {
    window.is_open(now)
}

/// Whether a freeze holds, exceptions aside.
pub fn holds(freeze: &Freeze, now: Timestamp) -> bool {
    let wall = on_the_wall(now, &freeze.zone);
    freeze.from <= wall && wall < freeze.to
}

/// Calendars as far as they could be read, in the order of the policy.
pub type Calendars = Vec<Known<Calendar>>;

/// The conditions of time of a gate.
pub struct TimeConditions<'a> {
    policy: &'a ReleaseGate,
    calendars: &'a Calendars,
    /// Whose release it is; nobody's, where exceptions are not to be looked at.
    circumstances: Option<&'a Circumstances>,
}

/// An event that covers a moment, and the file that it stands in.
struct Event<'a> {
    file: &'a str,
    occurrence: Occurrence,
}

impl<'a> TimeConditions<'a> {
    /// The conditions of a policy, with its calendars.
    pub fn new(policy: &'a ReleaseGate, calendars: &'a Calendars, circumstances: Option<&'a Circumstances>) -> Self {
        Self { policy, calendars, circumstances }
    }

    /// What they say at a moment.
    pub fn measure(&self, now: Timestamp) -> Vec<Measured> {
        let mut measured = Vec::new();
        measured.extend(self.windows(now));
        measured.extend(self.freezes(now));
        measured.extend(self.calendars(now));
        measured
    }

    /// Whether all hold.
    pub fn hold(&self, now: Timestamp) -> bool {
        self.measure(now).iter().all(|measured| measured.state == State::Met)
    }

    fn windows(&self, now: Timestamp) -> Option<Measured> {
        let windows = &self.policy.windows;
        let in_calendars = self.of_calendars(CalendarEvents::Windows).next().is_some();
        if windows.is_empty() && !in_calendars {
            return None;
        }
        if let Some(open) = windows.iter().find(|window| is_open(window, now)) {
            let wall = clock(now, &open.zone);
            return Some(
                Measured::new(WINDOWS, State::Met, format!("a change window is open ({open})")).with(wall, open),
            );
        }
        let mut unread = Vec::new();
        for (file, calendar) in self.of_calendars(CalendarEvents::Windows) {
            match calendar.and_then(|calendar| calendar.covering(now).map_err(unreadable(file))) {
                Ok(Some(event)) => {
                    let message = format!("a change window is open ({:?} in {file})", event.summary);
                    return Some(Measured::new(WINDOWS, State::Met, message));
                }
                Ok(None) => {}
                Err(error) => unread.push(error.to_string()),
            }
        }
        // An unread calendar could hold a window, so it is not known that none is open.
        if !unread.is_empty() {
            return Some(Measured::new(WINDOWS, State::Error, unread.join("; ")));
        }
        let known: Vec<String> = windows.iter().map(ToString::to_string).collect();
        let zone = windows.first().map_or_else(Zone::utc, |window| window.zone.clone());
        let message = format!("no change window is open at {}", clock(now, &zone));
        Some(Measured::new(WINDOWS, State::NotYet, message).with(clock(now, &zone), known.join("; ")))
    }

    fn freezes(&self, now: Timestamp) -> Option<Measured> {
        if self.policy.freezes.is_empty() {
            return None;
        }
        let mut notes = Vec::new();
        for freeze in self.policy.freezes.iter().filter(|freeze| holds(freeze, now)) {
            let end = format!("{} {}", written(freeze.to), freeze.zone);
            match self.exception(&freeze.except) {
                Ok(Some(why)) => {
                    notes.push(format!("the freeze {:?} holds until {end}, except for {why}", freeze.name))
                }
                Ok(None) => {
                    let message = format!("the freeze {:?} holds until {end}", freeze.name);
                    return Some(Measured::new(FREEZES, State::NotYet, message).about([freeze.name.clone()]));
                }
                Err(error) => {
                    let message = format!(
                        "the freeze {:?} holds, and whether this release is an exception is not known: {error}",
                        freeze.name
                    );
                    return Some(Measured::new(FREEZES, State::Error, message).about([freeze.name.clone()]));
                }
            }
        }
        let message = if notes.is_empty() { "no freeze holds".to_owned() } else { notes.join("; ") };
        Some(Measured::new(FREEZES, State::Met, message))
    }

    fn calendars(&self, now: Timestamp) -> Option<Measured> {
        let mut any = false;
        let mut notes = Vec::new();
        for (calendar, except) in self.frozen_by() {
            any = true;
            let event = match calendar.and_then(|(file, calendar)| {
                let found = calendar.covering(now).map_err(unreadable(file))?;
                Ok(found.map(|occurrence| Event { file, occurrence }))
            }) {
                Ok(None) => continue,
                Ok(Some(event)) => event,
                Err(error) => return Some(Measured::new(CALENDARS, State::Error, error.to_string())),
            };
            let Event { file, occurrence } = event;
            let what = format!("{:?} in {file} holds until {}", occurrence.summary, occurrence.end);
            match self.exception(except) {
                Ok(Some(why)) => notes.push(format!("{what}, except for {why}")),
                Ok(None) => return Some(Measured::new(CALENDARS, State::NotYet, what).about([occurrence.summary])),
                Err(error) => {
                    let message = format!("{what}, and whether this release is an exception is not known: {error}");
                    return Some(Measured::new(CALENDARS, State::Error, message));
                }
            }
        }
        let message = if notes.is_empty() { "no calendar freezes releases now".to_owned() } else { notes.join("; ") };
        any.then(|| Measured::new(CALENDARS, State::Met, message))
    }

    /// The calendars whose events are of one kind, by their files.
    fn of_calendars(&self, events: CalendarEvents) -> impl Iterator<Item = (&'a str, Known<&'a Calendar>)> {
        let both = self.policy.calendars.iter().zip(self.calendars);
        both.filter(move |(policy, _)| policy.events == events)
            .map(|(policy, calendar)| (policy.file.as_str(), calendar.as_ref().map_err(Clone::clone)))
    }

    fn frozen_by(&self) -> impl Iterator<Item = (Known<(&'a str, &'a Calendar)>, &'a Exceptions)> {
        let both = self.policy.calendars.iter().zip(self.calendars);
        both.filter(|(policy, _)| policy.events == CalendarEvents::Freezes).map(|(policy, calendar)| {
            let known = calendar.as_ref().map(|calendar| (policy.file.as_str(), calendar)).map_err(Clone::clone);
            (known, &policy.except)
        })
    }

    /// Why this release is an exception, if it is one.
    fn exception(&self, except: &Exceptions) -> Known<Option<String>> {
        let Some(circumstances) = self.circumstances.filter(|_| !except.is_empty()) else { return Ok(None) };
        if let Some(pipeline) = circumstances.execution.pipeline.as_deref() {
            if except.pipelines.iter().any(|pattern| pattern.matches(pipeline)) {
                return Ok(Some(format!("the pipeline {pipeline}")));
            }
        } else if !except.pipelines.is_empty() {
            return Err(Unmeasured::new("nothing says which pipeline this is"));
        }
        if except.variables.is_empty() {
            return Ok(None);
        }
        let variables = circumstances.variables.as_ref().map_err(Clone::clone)?;
        let label = except.variables.iter().find(|(name, value)| variables.get(*name) == Some(value));
        Ok(label.map(|(name, value)| format!("executions with {name}={value}")))
    }
}

fn unreadable(file: &str) -> impl Fn(CalendarError) -> Unmeasured {
    move |error| Unmeasured::new(format!("{file} cannot be used: {error}"))
}

/// `Fri 2026-11-27 16:20 Europe/Berlin`.
pub fn clock(now: Timestamp, zone: &Zone) -> String {
    format!("{} {zone}", on_the_wall(now, zone).strftime("%a %Y-%m-%d %H:%M"))
}

fn written(time: DateTime) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}
