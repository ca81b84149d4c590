//! Who wants to hear what.

use jiff::SignedDuration;

use crate::notice::Notice;
use crate::picture::Picture;

/// What goes to a channel.
pub struct Route<'a> {
    /// The channel's name.
    pub channel: String,
    /// Whether there is a head message that is kept current, with the notices below it.
    pub is_threaded: bool,
    /// After how long without progress an execution is stuck.
    pub stuck_after: Option<SignedDuration>,
    /// Which notices, and how; `None` for those that it does not want.
    pub wish: Wants<'a>,
}

/// Says whether and how a notice is wanted.
pub type Wants<'a> = Box<dyn Fn(&Notice, &Picture) -> Option<Wish> + Send + Sync + 'a>;

/// How a notice is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Whether it is kept for later, to be told together with others.
    pub is_for_later: bool,
    /// Whether the author is mentioned.
    pub mentions: bool,
    /// Of what it is to be the only notice.
    pub once: Vec<Once>,
}

/// Something of which there is to be only one notice in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// By what it is known.
    pub key: String,
    /// Whether other executions may have told it; else it is of this one alone.
    pub is_shared: bool,
}

/// The wishes of all routes of a channel as one: each route adds to the others. `is_told` says of what there is another
/// notice already; a wish for the only one of that is none. The notice is the only one for all that are left.
pub(crate) fn combined(wishes: impl Iterator<Item = Wish>, is_told: impl Fn(&Once) -> bool) -> Option<Wish> {
    let left = wishes.filter(|wish| !wish.once.iter().any(&is_told));
    left.reduce(|mut one, other| {
        let new: Vec<_> = other.once.into_iter().filter(|once| !one.once.contains(once)).collect();
        one.once.extend(new);
        Wish {
            is_for_later: one.is_for_later && other.is_for_later,
            mentions: one.mentions || other.mentions,
            once: one.once,
        }
    })
}
