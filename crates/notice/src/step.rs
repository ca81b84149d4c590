//! What is to be done next, and what became of it.

use jiff::{SignedDuration, Timestamp};

use crate::due::Effect;
use crate::picture::Picture;
use crate::route::Route;
use crate::thread::{Message, Post, Posted, Thread};

/// How long after a message that may have been posted the channel is asked for it: what is on its way has arrived by then.
const DOUBT: SignedDuration = SignedDuration::from_secs(60);

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Put it among those that are looked after.
    List,
    /// Ask AWS how it stands.
    Look,
    /// Ask a channel whether a message is there.
    Find(Doubt),
    /// Find out whether another execution has told it.
    Claim(Claim),
    /// Add a notice to those that are told together later.
    Collect(Box<Effect>),
    /// Post or change a message.
    Send(Box<Effect>),
    /// Take it from those that are looked after.
    Unlist,
    /// Nothing; another invocation may begin.
    Rest,
    /// Another invocation does it all.
    Held,
}

/// A message that may have been posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The channel's name.
    pub channel: String,
    /// The key of the message.
    pub key: String,
    /// By what it is known in the channel.
    pub mark: String,
    /// The message that it stands below.
    pub below: Option<Message>,
    /// When posting it was begun.
    pub at: Timestamp,
    /// Since when it is not known whether it was posted.
    pub since: Timestamp,
}

/// Something that is told once, whoever tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The channel's name.
    pub channel: String,
    /// What is told once.
    pub once: String,
    /// The key of the notice that would tell it.
    pub notice: String,
}

/// What has happened since the last step.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// An event has told this.
    Heard(Box<Picture>),
    /// Nothing.
    Nothing,
    /// AWS may know something new.
    Hinted,
    /// It stands among those that are looked after.
    Listed,
    /// It does not stand there any more.
    Unlisted,
    /// AWS has answered.
    Looked(Box<Picture>),
    /// AWS has not answered.
    NotLooked,
    /// Whether the claim was the first.
    Claimed(Claim, bool),
    /// The notice is told later.
    Collected(Box<Effect>),
    /// The message was posted or changed; a new one is there, where the channel says.
    Sent(Box<Effect>, Option<Message>),
    /// The channel has not taken it, and wants a pause where it says so.
    Refused(Box<Effect>, Option<SignedDuration>),
    /// The channel does not take this message, and never will.
    Rejected(Box<Effect>),
    /// Nobody knows whether the channel has taken it.
    Unsure(Box<Effect>),
    /// The message is there.
    Found(Doubt, Message),
    /// The message is not there.
    NotFound(Doubt),
    /// The channel cannot say whether it is there.
    NotKnown(Doubt),
    /// The channel did not answer, and wants a pause where it says so.
    NotAsked(Doubt, Option<SignedDuration>),
}

/// Who asks for the next step, and when.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// The invocation.
    pub holder: &'a str,
    /// Now.
    pub now: Timestamp,
    /// Until when it has the right to send.
    pub until: Timestamp,
    /// Whether there is so little time left that nothing is begun any more.
    pub is_last: bool,
}

impl Thread {
    /// Notes what has happened, and says what is to be done next. What is sent is noted before it is.
    pub fn advance(&mut self, report: Report, routes: &[Route<'_>], turn: Turn<'_>) -> Step {
        self.note(report, turn.now);
        if !self.acquire(turn.holder, turn.now, turn.until) {
            return Step::Held;
        }
        let step = self.next(routes, turn);
        match &step {
            Step::Send(effect) => self.begin(effect, turn.now),
            // The clocks of those who hear may differ: it was asked after everything that is known.
            Step::Look => self.looked.begun = self.looked.heard.max(Some(turn.now)),
            Step::Rest => self.lease = None,
            _ => {}
        }
        step
    }

    fn next(&mut self, routes: &[Route<'_>], turn: Turn<'_>) -> Step {
        let now = turn.now;
        let may_close = self.is_settled(now) && !turn.is_last;
        if !self.is_listed && !may_close {
            return Step::List;
        }
        if turn.is_last {
            return Step::Rest;
        }
        if self.wants_look(now) || self.note_stall(routes.iter().filter_map(|route| route.stuck_after), now).is_none() {
            return Step::Look;
        }
        let is_asked =
            |doubt: &Doubt| now.duration_since(doubt.since) >= DOUBT && !self.is_refusing(&doubt.channel, now);
        if let Some(doubt) = self.doubts().find(is_asked) {
            return Step::Find(doubt);
        }
        self.claim_own(routes);
        if let Some(step) = self.due(routes, Some(now)) {
            return step;
        }
        let is_closed = may_close && self.doubts().next().is_none() && self.due(routes, None).is_none();
        match (is_closed, self.is_listed) {
            (true, true) => Step::Unlist,
            (false, false) => Step::List,
            _ => Step::Rest,
        }
    }

    fn note(&mut self, report: Report, now: Timestamp) {
        match report {
            Report::Nothing => {}
            Report::Hinted => (self.looked.at, self.looked.heard) = (None, None),
            Report::Heard(picture) => {
                let before = self.picture.clone();
                self.picture.join(&picture);
                if self.picture != before {
                    self.looked.heard = self.looked.heard.max(Some(now));
                }
            }
            Report::Listed => self.is_listed = true,
            Report::Unlisted => self.is_listed = false,
            Report::Looked(picture) => self.note_look(&picture, now),
            Report::NotLooked => self.note_no_look(now),
            Report::Claimed(claim, is_first) => {
                let Claim { channel, once, notice } = claim;
                self.claims.entry(channel).or_default().insert(once, is_first.then_some(notice));
            }
            Report::Collected(effect) => {
                let post = Post { posted: Posted::Collected, at: Some(now), ..Post::default() };
                self.set_post(&effect.channel, &effect.key, post);
            }
            Report::Sent(effect, message) => {
                self.refusals.remove(&effect.channel);
                self.done(&effect, message);
            }
            Report::Refused(effect, pause) => {
                let is_tried_again = self.refuse(&effect.channel, now, pause);
                self.failed(&effect, is_tried_again);
            }
            Report::Rejected(effect) => {
                // It was heard of a new message, so that the channel is there for others.
                if effect.replaces.is_none() {
                    self.refusals.remove(&effect.channel);
                }
                self.failed(&effect, false);
            }
            Report::Unsure(effect) => self.unsure(&effect, now),
            doubt => self.note_doubt(doubt, now),
        }
    }

    fn note_doubt(&mut self, report: Report, now: Timestamp) {
        match report {
            Report::Found(doubt, message) => {
                let post = Post { message: Some(message), posted: Posted::Done, ..Post::default() };
                self.set_post(&doubt.channel, &doubt.key, post);
            }
            Report::NotFound(doubt) => {
                if let Some(posts) = self.posts.get_mut(&doubt.channel) {
                    posts.remove(&doubt.key);
                }
            }
            Report::NotKnown(doubt) => {
                let post = Post { posted: Posted::Lost, ..Post::default() };
                self.set_post(&doubt.channel, &doubt.key, post);
            }
            Report::NotAsked(doubt, pause) if !self.refuse(&doubt.channel, now, pause) => {
                self.note_doubt(Report::NotKnown(doubt), now);
            }
            _ => {}
        }
    }

    /// The messages that may have been posted.
    pub fn doubts(&self) -> impl Iterator<Item = Doubt> {
        let posts =
            self.posts.iter().flat_map(|(channel, posts)| posts.iter().map(move |(key, post)| (channel, key, post)));
        posts.filter(|(_, _, post)| post.posted == Posted::Unknown).map(|(channel, key, post)| {
            let at = post.at.unwrap_or(Timestamp::UNIX_EPOCH);
            Doubt {
                channel: channel.clone(),
                key: key.clone(),
                mark: self.mark(channel, key),
                below: post.below.clone(),
                at,
                since: post.doubted.unwrap_or(at),
            }
        })
    }
}
