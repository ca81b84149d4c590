//! What is kept in quiet hours and told together later.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stagegate_channel::{Found, Letter, Outcome};
use stagegate_desk::DeskError;
use stagegate_notice::{Digest, DigestTurn, Effect, Item, Origin, Report, Sending};
use stagegate_state_store::{Decision, Updated};
use tokio::time::Instant;

use crate::documents::{Kept, Watched, digest_key};
use crate::notifier::{CLOCKS, Notifier, Visit};
use crate::routing::{is_kept, is_silent};

/// How long sending a digest may take, or looking for one.
const SEND: Duration = Duration::from_secs(12);

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
            origin: Some(Origin {
                subject: bulletin.subject,
                name: bulletin.name.clone(),
                stage: bulletin.stage.clone(),
            }),
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

    /// Tells a channel what was kept and is due.
    pub(crate) async fn tell_digest(&self, name: &str, visit: &Visit) -> Result<(), DeskError> {
        let now = visit.clock.now();
        let config = self.config()?;
        if is_silent(config, name, now) {
            return Ok(());
        }
        match self.change_digest(name, |digest| digest.turn(now, |item| !is_kept(config, name, item, now))).await? {
            DigestTurn::Rest => {}
            DigestTurn::Send(sending, told) => self.send_digest(name, &sending, &told, now).await?,
            DigestTurn::Find(sending) => self.find_digest(name, &sending, now).await?,
            DigestTurn::Lost(sending) => self.lose_digest(name, &sending).await?,
        }
        self.leave_digest(name).await
    }

    async fn send_digest(&self, name: &str, sending: &Sending, told: &Digest, now: Timestamp) -> Result<(), DeskError> {
        let Ok(channel) = self.config()?.channel(name) else { return self.drop_digest(name, sending).await };
        let letter = Letter { to: name, id: &sending.mark, say: told, below: None, replaces: None };
        let outcome = self.parts.channels.send(channel, &letter, Instant::now() + SEND).await;
        let pause = match &outcome {
            Outcome::Later { after, .. } => SignedDuration::try_from(*after).unwrap_or_default(),
            _ => SignedDuration::ZERO,
        };
        let is_repeatable = channel.knows_repetitions();
        let given_up = self.change_digest(name, |digest| {
            match &outcome {
                Outcome::Delivered { .. } => digest.sent(sending),
                Outcome::Unknown { .. } => digest.unsure(),
                Outcome::Refused { .. } | Outcome::Later { .. } => return digest.refused(now, pause, is_repeatable),
                Outcome::Rejected { .. } => {
                    digest.sent(sending);
                    return sending.keys.clone();
                }
            }
            Vec::new()
        });
        let given_up = given_up.await?;
        if !given_up.is_empty() {
            let notices = given_up.join(", ");
            tracing::error!(
                channel = name,
                notices,
                letter = sending.mark,
                "what was kept in quiet hours is given up: the channel does not take it"
            );
        }
        Ok(())
    }

    /// Looks whether a digest is there that may have been sent.
    async fn find_digest(&self, name: &str, sending: &Sending, now: Timestamp) -> Result<(), DeskError> {
        let Ok(channel) = self.config()?.channel(name) else { return self.drop_digest(name, sending).await };
        // The clock of the channel may be another one.
        let since = sending.at.as_second() - CLOCKS;
        let found = self.parts.channels.find(channel, &sending.mark, None, since, Instant::now() + SEND).await;
        match found {
            Found::There(_) => self.change_digest(name, |digest| digest.sent(sending)).await,
            Found::NotThere => {
                let is_repeatable = channel.knows_repetitions();
                self.change_digest(name, |digest| digest.not_found(is_repeatable)).await
            }
            Found::Later { after } => {
                let pause = SignedDuration::try_from(after).unwrap_or_default();
                self.change_digest(name, |digest| digest.pause(now, pause)).await
            }
            Found::Unknown => self.lose_digest(name, sending).await,
        }
    }

    /// Sent again it might be there twice.
    async fn lose_digest(&self, channel: &str, sending: &Sending) -> Result<(), DeskError> {
        let notices = sending.keys.join(", ");
        tracing::error!(
            channel,
            notices,
            "what was kept in quiet hours may be missing: nobody knows whether it was posted"
        );
        self.change_digest(channel, |digest| digest.sent(sending)).await
    }

    async fn drop_digest(&self, channel: &str, sending: &Sending) -> Result<(), DeskError> {
        tracing::error!(channel, "what was kept in quiet hours is dropped: stagegate.yaml has no such channel");
        self.change_digest(channel, |digest| digest.sent(sending)).await
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
}
