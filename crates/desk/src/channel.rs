//! Sending to the channels of `stagegate.yaml`.

use stagegate_approval::{Approval, Delivery, NoticeKind, SlackMessage};
use stagegate_channel::Letter;
use stagegate_config::Channel;
use stagegate_slack::{ChannelId, Posted, SlackError};

use crate::message::{self, Asked};
use crate::{Clock, Desk, DeskError};

impl Desk {
    /// Sends a message of an approval.
    ///
    /// # Errors
    ///
    /// Why it was not sent, or that this is not known.
    pub(crate) async fn post(&self, approval: &Approval, number: usize, clock: &Clock) -> Result<Delivery, DeskError> {
        let notice = approval.notices.get(number).ok_or_else(|| unlike("send a message"))?;
        let shown = approval.revision;
        let channel = self.settings.channel(&notice.channel)?;
        // With the bot a request has buttons, and a link to it is kept.
        if let Channel::Slack(id) = channel {
            return self.post_to_slack(approval, notice.kind, id, clock).await;
        }
        let say = Asked { approval, kind: notice.kind, now: clock.now() };
        // A receiver that knows the id takes the message for one that it has.
        let id = match notice.kind {
            NoticeKind::Reminder => format!("approval/{}/{number}/{}", approval.id, approval.reminders),
            NoticeKind::Handover => format!("approval/{}/{number}/{}", approval.id, approval.looks.count),
            _ => format!("approval/{}/{number}", approval.id),
        };
        let letter = Letter { to: &notice.channel, id: &id, say: &say, below: None, replaces: None };
        let outcome = self.channels.send(channel, &letter, Self::slack_deadline()).await;
        outcome.why().map_or(Ok(Delivery { message: None, shown }), |why| Err(DeskError::Channel(why.to_owned())))
    }

    async fn post_to_slack(
        &self,
        approval: &Approval,
        kind: NoticeKind,
        channel: &str,
        clock: &Clock,
    ) -> Result<Delivery, DeskError> {
        let slack = self.slack().await?;
        let id: ChannelId = channel.parse().map_err(|error| DeskError::Configuration(format!("{error}")))?;
        let text = message::of(approval, kind, clock.now())?;
        // What is about a message stands below it.
        let asked = approval.messages().find(|message| message.channel == channel);
        let is_below = matches!(kind, NoticeKind::Reminder | NoticeKind::Handover);
        let thread = asked.filter(|_| is_below).and_then(|asked| asked.ts.parse().ok());
        let posted = slack.post_message(&id, thread.as_ref(), &text, Self::slack_deadline()).await?;
        let link = match slack.permalink(&posted, Self::slack_deadline()).await {
            Ok(link) => Some(link.to_string()),
            Err(error) => {
                tracing::warn!(why = error.to_string(), "there is no link to the message");
                None
            }
        };
        let message = SlackMessage { channel: posted.channel.to_string(), ts: posted.ts.to_string(), link };
        Ok(Delivery { message: Some(message), shown: approval.revision })
    }

    /// Changes a message to what the record says.
    ///
    /// # Errors
    ///
    /// Why it was not changed.
    pub(crate) async fn show(&self, approval: &Approval, notice: usize) -> Result<(), DeskError> {
        let found =
            approval.notices.get(notice).and_then(|notice| Some((notice.kind, notice.delivery()?.message.as_ref()?)));
        let (kind, place) = found.ok_or_else(|| unlike("change a message"))?;
        let posted = (|| Some(Posted { channel: place.channel.parse().ok()?, ts: place.ts.parse().ok()? }))();
        let posted = posted.ok_or_else(|| unlike("change a message"))?;
        let slack = self.slack().await?;
        let text = message::of(approval, kind, approval.requested_at)?;
        let changed: Result<(), SlackError> = slack.update(&posted, &text, Self::slack_deadline()).await;
        Ok(changed?)
    }
}

fn unlike(what: &str) -> DeskError {
    DeskError::Configuration(format!("{what}: the record names one that is not there"))
}
