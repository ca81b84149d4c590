//! What goes out to EventBridge and SNS, one after the other, with the faults that tests ask for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stagegate_local_clock::Clock;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::events::Events;
use crate::faults::{EventFault, Faults};

/// How long an event that is to come out of order waits for the next one, in real time.
const HELD: Duration = Duration::from_millis(200);

/// Something that goes out.
pub(crate) enum Message {
    Event(Value),
    Approval { action_execution_id: String, topic_arn: String, subject: String, message: String },
}

/// Sends messages in their order.
pub(crate) struct Outbox {
    pub(crate) events: Arc<dyn Events>,
    pub(crate) faults: Option<Arc<dyn Faults>>,
    pub(crate) clock: Clock,
}

impl Outbox {
    /// Sends what comes until nothing can come any more. `refused` takes the approval whose message was not accepted,
    /// and why.
    pub(crate) async fn send(self, mut inbox: mpsc::UnboundedReceiver<Message>, refused: impl Fn(&str, &str)) {
        let mut held = None;
        // Dropping the set ends what is late.
        let mut late = JoinSet::new();
        loop {
            let next = match &held {
                None => inbox.recv().await,
                Some(_) => match tokio::time::timeout(HELD, inbox.recv()).await {
                    Ok(next) => next,
                    Err(_) => {
                        self.put(held.take()).await;
                        continue;
                    }
                },
            };
            match next {
                None => break,
                Some(Message::Event(event)) => self.event(event, &mut held, &mut late).await,
                Some(Message::Approval { action_execution_id, topic_arn, subject, message }) => {
                    if let Err(why) = self.events.publish(&topic_arn, &subject, message).await {
                        tracing::warn!(topic = topic_arn, why, "an approval's message was not published");
                        refused(&action_execution_id, &why);
                    }
                }
            }
        }
        self.put(held).await;
    }

    async fn event(&self, event: Value, held: &mut Option<Value>, late: &mut JoinSet<()>) {
        let fault = self.faults.as_ref().map(|faults| faults.event(&event)).unwrap_or_default();
        let before = held.take();
        while late.try_join_next().is_some() {}
        match fault {
            EventFault::None => self.events.put_event(event).await,
            EventFault::Drop => {}
            EventFault::Duplicate => {
                self.events.put_event(event.clone()).await;
                self.events.put_event(event).await;
            }
            EventFault::Delay(time) => {
                let (events, clock) = (Arc::clone(&self.events), self.clock.clone());
                late.spawn(async move {
                    clock.sleep(time).await;
                    events.put_event(event).await;
                });
            }
            EventFault::Reorder => *held = Some(event),
        }
        self.put(before).await;
    }

    async fn put(&self, event: Option<Value>) {
        if let Some(event) = event {
            self.events.put_event(event).await;
        }
    }
}
