//! When the conditions of time hold next.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::TimeConditions;

/// How many days ahead is looked: at first a week, in which most windows open again, then as far as it is looked at all.
const DAYS: [i32; 2] = [8, 400];

/// The first moment from `now` on, within 400 days, at which all conditions of time hold; `None` where there is none, or
/// where a calendar could not be read.
///
/// They can begin to hold only where a clock shows the beginning of a window, where the end of a freeze or of an event
/// has come, or where a zone changes its offset. All these moments are tried in their order.
pub fn next_opening(conditions: &TimeConditions<'_>, now: Timestamp) -> Option<Timestamp> {
    if conditions.hold(now) {
        return Some(now);
    }
    DAYS.into_iter().find_map(|days| opening_within(conditions, now, days))
}

fn opening_within(conditions: &TimeConditions<'_>, now: Timestamp, days: i32) -> Option<Timestamp> {
    let horizon = now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()?;
    let mut moments = BTreeSet::new();
    for window in &conditions.policy.windows {
        let zone = window.zone.rules();
        let mut day = zone.to_datetime(now).date();
        let opens_at = window.from.on_the_clock()?;
        for _ in 0..=days {
            moments.extend(instants(zone, day.to_datetime(opens_at)));
            // The later days of a window over midnight, and days whose midnight does not exist.
            moments.extend(instants(zone, day.at(0, 0, 0, 0)));
            day = day.checked_add(1.day()).ok()?;
        }
        moments.extend(changes(zone, now, horizon));
    }
    for freeze in &conditions.policy.freezes {
        moments.extend(instants(freeze.zone.rules(), freeze.to));
        moments.extend(changes(freeze.zone.rules(), now, horizon));
    }
    for calendar in conditions.calendars.iter().filter_map(|calendar| calendar.as_ref().ok()) {
        for occurrence in calendar.occurrences(now, horizon).ok()? {
            moments.extend([occurrence.start, occurrence.end]);
        }
    }
    moments.into_iter().filter(|moment| (now..=horizon).contains(moment)).find(|moment| conditions.hold(*moment))
}

/// The moments at which a clock shows a time: none or one where it is skipped (the moment of the change), two where it
/// is shown twice.
fn instants(zone: &TimeZone, time: DateTime) -> Vec<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let offsets = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => vec![offset],
        AmbiguousOffset::Gap { .. } => Vec::new(),
        AmbiguousOffset::Fold { before, after } => vec![before, after],
    };
    offsets.into_iter().filter_map(|offset| offset.to_timestamp(time).ok()).collect()
}

/// The moments at which a zone changes its offset.
fn changes(zone: &TimeZone, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    zone.following(from).map(|transition| transition.timestamp()).take_while(move |time| *time <= to)
}
