//! What is kept in quiet hours and told together later.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stagegate_channel::{Letter, Outcome};
use stagegate_desk::DeskError;
use stagegate_notice::{Digest, Effect, Item, Report, Sending};
use stagegate_state_store::{Decision, Updated};
use tokio::time::Instant;

use crate::documents::{Kept, Watched, digest_key};
use crate::notifier::{Notifier, Visit};

/// How long sending a digest may take.
const SEND: Duration = Duration::from_secs(12);
/// After so long, whoever was sending it does not do so any more.
const ABANDONED: SignedDuration = SignedDuration::from_mins(3);

/// What is to be done with a digest.
enum Turn {
    Nothing,
    Send(Sending, Box<Digest>),
}

impl Notifier {
    /// Adds a notice to those that its channel is told later.
    pub(crate) async fn collect(&self, effect: Box<Effect>, visit: &Visit) -> Result<Report, DeskError> {
        let now = visit.clock.now();
        let bulletin = &effect.bulletin;
        // Only the head message is about nothing in particular, and it is not kept.
        let Some(kind) = bulletin.kind else { return Ok(Report::Collected(effect)) };
        let item = Item {
            at: now,
            kind,
            name: bulletin.subject.title(&bulletin.name),
            execution: bulletin.execution.clone(),
            title: bulletin.title.clone(),
            url: bulletin.url.clone(),
        };
        self.change_digest(&effect.channel, |digest| digest.add(&effect.key, item.clone())).await?;
        self.watch_digest(&effect.channel).await?;
        Ok(Report::Collected(effect))
    }

    async fn watch_digest(&self, channel: &str) -> Result<(), DeskError> {
        let watched = Watched::Digest { channel: channel.to_owned() };
        self.parts.store.create(&watched.key(), &watched).await?;
        Ok(())
    }

    async fn change_digest<T: Send>(
        &self,
        channel: &str,
        mut change: impl FnMut(&mut Digest) -> T + Send,
    ) -> Result<T, DeskError> {
        let mut result = None;
        let decide = |current: Option<Kept<Digest>>| {
            let mut digest = current.clone().map_or_else(|| Digest::new(channel), |kept| kept.0);
            result = Some(change(&mut digest));
            let changed = Kept(digest);
            if current.as_ref() == Some(&changed) { Decision::Leave } else { Decision::Write(changed) }
        };
        let updated: Updated<Kept<Digest>> = self.parts.store.update(&digest_key(channel), decide).await?;
        drop(updated);
        result.ok_or_else(|| DeskError::Configuration("keep a notice: nothing was decided".to_owned()))
    }

    /// Tells a channel what was kept, if its quiet hours are over.
    pub(crate) async fn tell_digest(&self, name: &str, visit: &Visit) -> Result<(), DeskError> {
        let now = visit.clock.now();
        if self.is_quiet(name, now)? {
            return Ok(());
        }
        let turn = self.change_digest(name, |digest| turn(digest, now)).await?;
        if let Turn::Send(sending, told) = turn {
            self.send_digest(name, &sending, &told, now).await?;
        }
        self.leave_digest(name).await
    }

    async fn send_digest(&self, name: &str, sending: &Sending, told: &Digest, now: Timestamp) -> Result<(), DeskError> {
        let Ok(channel) = self.config()?.channel(name) else {
            tracing::error!(
                channel = name,
                "what was kept in quiet hours is dropped: stagegate.yaml has no such channel"
            );
            return self.change_digest(name, |digest| digest.sent(sending)).await;
        };
        let letter = Letter { id: &sending.mark, say: told, below: None, replaces: None };
        match self.parts.channels.send(channel, &letter, Instant::now() + SEND).await {
            // Nobody will ever know, and sent again it might be there twice.
            Outcome::Delivered { .. } | Outcome::Unknown { .. } => {
                self.change_digest(name, |digest| digest.sent(sending)).await
            }
            Outcome::Refused { .. } => {
                self.change_digest(name, |digest| digest.refused(now, SignedDuration::ZERO)).await
            }
            Outcome::Later { after, .. } => {
                let pause = SignedDuration::try_from(after).unwrap_or_default();
                self.change_digest(name, |digest| digest.refused(now, pause)).await
            }
        }
    }

    /// Takes an empty digest from what is looked after.
    async fn leave_digest(&self, name: &str) -> Result<(), DeskError> {
        let is_empty = |kept: &Kept<Digest>| kept.0.items.is_empty();
        let key = digest_key(name);
        if !self.parts.store.get(&key).await?.is_none_or(|stored| is_empty(&stored.document)) {
            return Ok(());
        }
        self.parts.store.remove(&Watched::Digest { channel: name.to_owned() }.key()).await?;
        // Somebody may have kept something in between, and found it looked after.
        if self.parts.store.get(&key).await?.is_some_and(|stored| !is_empty(&stored.document)) {
            self.watch_digest(name).await?;
        }
        Ok(())
    }

    /// Whether a route keeps something for a channel at this time.
    fn is_quiet(&self, channel: &str, now: Timestamp) -> Result<bool, DeskError> {
        let mut routes = self.config()?.notifications().iter();
        Ok(routes.any(|route| {
            let is_of = route.channels.iter().any(|name| name == channel);
            is_of && route.quiet_hours.as_ref().is_some_and(|hours| hours.end(now).is_some())
        }))
    }
}

fn turn(digest: &mut Digest, now: Timestamp) -> Turn {
    if let Some(sending) = digest.sending.clone() {
        if now.duration_since(sending.at) < ABANDONED {
            return Turn::Nothing;
        }
        // Whoever sent it died at it. It may be there, and sent again it might be there twice.
        digest.sent(&sending);
    }
    if digest.items.is_empty() || digest.not_before.is_some_and(|time| now < time) {
        return Turn::Nothing;
    }
    let told = Box::new(digest.clone());
    Turn::Send(digest.begin(now), told)
}
