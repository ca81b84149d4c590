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

/// The wishes of all routes of a channel as one: each route adds to the others.
pub(crate) fn combined(wishes: impl Iterator<Item = Wish>) -> Option<Wish> {
    wishes.reduce(|one, other| {
        let mentions = one.mentions || other.mentions;
        match (one.is_for_later, other.is_for_later) {
            (true, false) => Wish { mentions, ..other },
            (false, true) => Wish { mentions, ..one },
            // Whoever wants it without conditions gets it.
            _ if one.once.is_empty() => Wish { mentions, ..one },
            _ => Wish { mentions, ..other },
        }
    })
}
