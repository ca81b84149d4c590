//! How the executions of a pipeline have ended, one after the other: what makes a failure the first one, and a success a
//! recovery.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::about::Series;

/// How many ends are remembered.
const REMEMBERED: usize = 100;

/// The latest ends of the executions of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// By execution, its latest end.
    #[serde(default)]
    pub ends: BTreeMap<String, End>,
}

/// How an execution has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Whether it has succeeded; else it has failed.
    pub is_green: bool,
}

impl History {
    /// Notes an end. Neither the order nor doing it twice matters. `false` where it was known.
    pub fn note(&mut self, execution: &str, end: End) -> bool {
        let known = self.ends.get(execution).copied();
        if known.max(Some(end)) == known {
            return false;
        }
        self.ends.insert(execution.to_owned(), end);
        while self.ends.len() > REMEMBERED {
            let oldest = self.ends.iter().min_by_key(|(id, end)| (end.at, *id)).map(|(id, _)| id.clone());
            self.ends.remove(&oldest.unwrap_or_default());
        }
        true
    }

    /// The failed executions between the last one that had succeeded and this one.
    pub fn before(&self, execution: &str, at: Timestamp) -> Series {
        let others = self.ends.iter().filter(|(id, end)| *id != execution && end.at <= at).map(|(_, end)| end);
        let green = others.clone().filter(|end| end.is_green).map(|end| end.at).max();
        let red = others.filter(|end| !end.is_green && Some(end.at) > green);
        let failed = u32::try_from(red.clone().count()).unwrap_or(u32::MAX);
        Series { failed, since: red.map(|end| end.at).min() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("a time")
    }

    /// Notes ends, written like `a-3 b+5`: execution, outcome and minute.
    fn history(ends: &str) -> History {
        let mut history = History::default();
        for end in ends.split_whitespace() {
            let (id, rest) = end.split_at(1);
            let minute: i64 = rest[1..].parse().expect("a minute");
            history.note(id, End { at: at(minute), is_green: rest.starts_with('+') });
        }
        history
    }

    #[test]
    fn only_what_failed_since_the_last_success_counts() {
        for (ends, minute, failed, since) in [
            ("", 9, 0, None),
            ("a+1 b-2 c-3", 9, 2, Some(2)),
            ("c-3 b-2 a+1 b-2", 9, 2, Some(2)),
            ("a-1 b+2", 9, 0, None),
            ("a-1 b+2 c-3", 9, 1, Some(3)),
            // What ended later says nothing about this one, and neither does its own end.
            ("a-1 b-8", 5, 1, Some(1)),
            ("a-1 x-2", 9, 1, Some(1)),
            // Tried again, it has succeeded.
            ("a-1 a+2 b-3", 9, 1, Some(3)),
        ] {
            let series = history(ends).before("x", at(minute));
            assert_eq!(series, Series { failed, since: since.map(at) }, "{ends}");
        }
    }

    #[test]
    fn the_oldest_ends_are_forgotten() {
        let mut history = History::default();
        for minute in (0..250).rev() {
            history.note(&minute.to_string(), End { at: at(minute), is_green: false });
        }
        assert_eq!(history.ends.len(), REMEMBERED);
        assert_eq!(history.before("x", at(999)).since, Some(at(150)));
    }
}
