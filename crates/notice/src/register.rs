//! Values that can be joined: of two, the later, the earlier or the greater one stays.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most characters of a text that is kept.
const LONGEST: usize = 2000;

/// A state and when it was entered. Of two, the later one holds; of two at the same time, the greater state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment<S> {
    /// When.
    pub at: Timestamp,
    /// The state.
    pub state: S,
}

/// Keeps the greater one. Nothing is less than anything.
pub(crate) fn greater<T: Ord + Clone>(mine: &mut T, other: &T) {
    if *other > *mine {
        mine.clone_from(other);
    }
}

/// Keeps the earlier time.
pub(crate) fn earlier(mine: &mut Option<Timestamp>, other: Option<Timestamp>) {
    *mine = match (*mine, other) {
        (Some(mine), Some(other)) => Some(mine.min(other)),
        (mine, other) => mine.or(other),
    };
}

/// A text that says something, cut where it is very long.
pub(crate) fn kept(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    (!text.is_empty()).then(|| text.chars().take(LONGEST).collect())
}
