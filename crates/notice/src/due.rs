//! What is due in each channel.

use jiff::Timestamp;

use crate::bulletin::{Bulletin, HEAD};
use crate::head::Head;
use crate::notice::{Notice, is_in_the_head};
use crate::route::{Once, Route, Wish, combined};
use crate::step::{Claim, Step};
use crate::thread::{Message, Post, Posted, Thread};

/// A message to be posted or changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The channel's name.
    pub channel: String,
    /// The key of the message.
    pub key: String,
    /// What it says.
    pub bulletin: Bulletin,
    /// By what it is known in a channel that can be searched.
    pub mark: String,
    /// What it shows: a hash.
    pub shown: String,
    /// The message that it stands below.
    pub below: Option<Message>,
    /// The message that it replaces; `None` where it is a new one.
    pub replaces: Option<Message>,
}

impl Thread {
    /// What is due, except in channels that refuse at this time; with `None`, in all of them.
    pub(crate) fn due(&self, routes: &[Route<'_>], now: Option<Timestamp>) -> Option<Step> {
        let (notices, head) = (self.picture.notices(), self.head());
        channels(routes).into_iter().find_map(|channel| {
            if now.is_some_and(|now| self.is_refusing(channel, now)) {
                return None;
            }
            let is_threaded = of(routes, channel).any(|route| route.is_threaded);
            let wanted = notices.iter().filter_map(|notice| Some((notice, self.wish(routes, channel, notice)?)));
            self.due_in(channel, is_threaded, &wanted.collect::<Vec<_>>(), &head)
        })
    }

    /// How a channel wants a notice. What another notice has told already is not wanted.
    fn wish(&self, routes: &[Route<'_>], channel: &str, notice: &Notice) -> Option<Wish> {
        let claims = self.claims.get(channel);
        let is_told = |once: &Once| {
            let claim = claims.and_then(|claims| claims.get(&once.key));
            claim.is_some_and(|by| by.as_deref() != Some(notice.key.as_str()))
        };
        combined(of(routes, channel).filter_map(|route| (route.wish)(notice, &self.picture)), is_told)
    }

    /// Claims for the first notice that wants it what is told once in this execution.
    pub(crate) fn claim_own(&mut self, routes: &[Route<'_>]) {
        for channel in channels(routes) {
            for notice in self.picture.notices() {
                let Some(wish) = self.wish(routes, channel, &notice) else { continue };
                for once in wish.once.into_iter().filter(|once| !once.is_shared) {
                    let claims = self.claims.entry(channel.to_owned()).or_default();
                    claims.entry(once.key).or_insert_with(|| Some(notice.key.clone()));
                }
            }
        }
    }

    fn due_in(&self, channel: &str, is_threaded: bool, wanted: &[(&Notice, Wish)], head: &Head) -> Option<Step> {
        let top = self.post(channel, HEAD);
        // Without a head message each notice says all by itself, as in a channel without threads.
        let is_threaded = is_threaded && top.is_none_or(|post| post.posted != Posted::GivenUp);
        let claims = self.claims.get(channel);
        for (notice, wish) in wanted {
            let open = wish.once.iter().find(|once| claims.is_none_or(|claims| !claims.contains_key(&once.key)));
            if let Some(once) = open {
                let (once, notice) = (once.key.clone(), notice.key.clone());
                return Some(Step::Claim(Claim { channel: channel.to_owned(), once, notice }));
            }
        }
        let is_open = |notice: &Notice| self.post(channel, &notice.key).is_none();
        if let Some((notice, _)) = wanted.iter().find(|(notice, wish)| wish.is_for_later && is_open(notice)) {
            let bulletin = Bulletin::notice(&self.picture, notice, head, false);
            return Some(Step::Collect(Box::new(self.effect(channel, bulletin, None))));
        }
        let now: Vec<_> = wanted.iter().filter(|(notice, _)| !self.is_collected(channel, notice)).collect();
        let mut below = None;
        if is_threaded && (top.is_some() || !now.is_empty()) {
            let due = self.due_message(self.effect(channel, Bulletin::head(&self.picture, head), None), true);
            if due.is_some() {
                return due;
            }
            // Before it is known whether the head is there, nothing can stand below it.
            if top.is_some_and(|post| matches!(post.posted, Posted::Unknown | Posted::Underway)) {
                return None;
            }
            below = top.and_then(|post| post.message.clone());
        }
        let replies = now.into_iter().filter(|(notice, _)| !is_threaded || !is_in_the_head(notice.kind));
        replies.into_iter().find_map(|(notice, wish)| {
            let mut bulletin = Bulletin::notice(&self.picture, notice, head, below.is_some());
            bulletin.mention = self.picture.about.author_user.clone().filter(|_| wish.mentions);
            self.due_message(self.effect(channel, bulletin, below.clone()), is_threaded)
        })
    }

    fn is_collected(&self, channel: &str, notice: &Notice) -> bool {
        self.post(channel, &notice.key).is_some_and(|post| post.posted == Posted::Collected)
    }

    fn effect(&self, channel: &str, bulletin: Bulletin, below: Option<Message>) -> Effect {
        let (key, shown) = (bulletin.key.clone(), bulletin.shown());
        let mark = self.mark(channel, &key);
        Effect { channel: channel.to_owned(), key, bulletin, mark, shown, below, replaces: None }
    }

    fn due_message(&self, effect: Effect, is_kept_current: bool) -> Option<Step> {
        let replaces = match self.post(&effect.channel, &effect.key) {
            None => None,
            Some(Post { posted: Posted::Done, message: Some(message), shown, .. }) => {
                if !is_kept_current || *shown == effect.shown {
                    return None;
                }
                Some(message.clone())
            }
            Some(_) => return None,
        };
        Some(Step::Send(Box::new(Effect { replaces, ..effect })))
    }

    /// Notes that a message is being posted. An update is not noted: doing it twice is the same as doing it once.
    pub(crate) fn begin(&mut self, effect: &Effect, now: Timestamp) {
        if effect.replaces.is_none() {
            let post = Post {
                posted: Posted::Underway,
                shown: effect.shown.clone(),
                at: Some(now),
                below: effect.below.clone(),
                ..Post::default()
            };
            self.set_post(&effect.channel, &effect.key, post);
        }
    }

    /// Notes that a message was posted or replaced.
    pub(crate) fn done(&mut self, effect: &Effect, message: Option<Message>) {
        let message = message.or_else(|| effect.replaces.clone());
        let post = Post { message, posted: Posted::Done, shown: effect.shown.clone(), ..Post::default() };
        self.set_post(&effect.channel, &effect.key, post);
    }

    /// Notes that a message was not posted, so that it is due again where it is tried again. A change that the channel does
    /// not take counts as made, so that the next one is tried.
    pub(crate) fn failed(&mut self, effect: &Effect, is_tried_again: bool) {
        match (&effect.replaces, is_tried_again) {
            (Some(_), true) => {}
            (Some(_), false) => self.done(effect, None),
            (None, true) => {
                self.posts.entry(effect.channel.clone()).or_default().remove(&effect.key);
            }
            (None, false) => {
                self.set_post(&effect.channel, &effect.key, Post { posted: Posted::GivenUp, ..Post::default() });
            }
        }
    }

    /// Notes that nobody knows whether a message was posted. Of a change that does not matter: it is due again.
    pub(crate) fn unsure(&mut self, effect: &Effect, now: Timestamp) {
        if effect.replaces.is_some() {
            self.refuse(&effect.channel, now, None);
            return;
        }
        let begun = self.post(&effect.channel, &effect.key).and_then(|post| post.at);
        let post = Post {
            posted: Posted::Unknown,
            at: begun.or(Some(now)),
            doubted: Some(now),
            below: effect.below.clone(),
            ..Post::default()
        };
        self.set_post(&effect.channel, &effect.key, post);
    }
}

/// The channels of the routes, each once, in their order.
fn channels<'a>(routes: &'a [Route<'_>]) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for route in routes {
        if !seen.contains(&route.channel.as_str()) {
            seen.push(&route.channel);
        }
    }
    seen
}

fn of<'a, 'b>(routes: &'a [Route<'b>], channel: &'a str) -> impl Iterator<Item = &'a Route<'b>> {
    routes.iter().filter(move |route| route.channel == channel)
}
