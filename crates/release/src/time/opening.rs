//! When the conditions of time hold next.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{TimeConditions, unreadable};
use crate::facts::{Known, Unmeasured};

/// How many days ahead is looked: at first a week, in which most windows open again, then as far as it is looked at all.
const DAYS: [i32; 2] = [8, 400];

/// When the conditions of time hold next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// From this moment on.
    At(Timestamp),
    /// Not within 400 days.
    Never,
    /// At no moment that is known: a calendar cannot be read or used.
    Unknown(Unmeasured),
}

/// The first moment from `now` on, within 400 days, at which all conditions of time are known to hold.
///
/// They can begin to hold only where a clock shows the beginning of a window, where the end of a freeze or of an event
/// has come, or where a zone changes its offset. All these moments are tried in their order.
pub fn next_opening(conditions: &TimeConditions<'_>, now: Timestamp) -> Opening {
    if conditions.hold(now) {
        return Opening::At(now);
    }
    for days in DAYS {
        match opening_within(conditions, now, days) {
            Ok(Some(moment)) => return Opening::At(moment),
            Ok(None) => {}
            Err(reason) => return Opening::Unknown(reason),
        }
    }
    match conditions.calendars.iter().find_map(|calendar| calendar.as_ref().err()) {
        Some(reason) => Opening::Unknown(reason.clone()),
        None => Opening::Never,
    }
}

fn opening_within(conditions: &TimeConditions<'_>, now: Timestamp, days: i32) -> Known<Option<Timestamp>> {
    let horizon = now.saturating_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX);
    let mut moments = BTreeSet::new();
    for window in &conditions.policy.windows {
        let zone = window.zone.rules();
        let mut day = zone.to_datetime(now).date();
        let opens_at = window.from.on_the_clock();
        for _ in 0..=days {
            moments.extend(opens_at.into_iter().flat_map(|opens_at| instants(zone, day.to_datetime(opens_at))));
            // The later days of a window over midnight, and days whose midnight does not exist.
            moments.extend(instants(zone, day.at(0, 0, 0, 0)));
            day = day.saturating_add(1.day());
        }
        moments.extend(changes(zone, now, horizon));
    }
    for freeze in &conditions.policy.freezes {
        moments.extend(instants(freeze.zone.rules(), freeze.to));
        moments.extend(changes(freeze.zone.rules(), now, horizon));
    }
    for (policy, calendar) in conditions.policy.calendars.iter().zip(conditions.calendars) {
        let Ok(calendar) = calendar else { continue };
        for occurrence in calendar.occurrences(now, horizon).map_err(unreadable(&policy.file))? {
            moments.extend([occurrence.start, occurrence.end]);
        }
    }
    let mut ahead = moments.into_iter().filter(|moment| (now..=horizon).contains(moment));
    Ok(ahead.find(|moment| conditions.hold(*moment)))
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
