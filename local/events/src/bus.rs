//! The bus: everything that passes messages on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::events::Events;
use stagegate_local_lambda::LambdaHost;
use stagegate_local_template::{Settings, Template};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::destinations::DestinationResults;
use crate::eventbridge::{self, DEFAULT_BUS, Rule};
use crate::fault::{DeliveryFault, Traffic};
use crate::sns::{self, Message, Publication, Topic};
use crate::sqs::{self, QueueMessage, Queues};
use crate::watch::{KEPT, Observation, Passed};
use crate::wiring::{Wiring, WiringError};

/// Where everything is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) region: String,
    pub(crate) account_id: String,
}

/// The event buses, topics, queues and schedules of one local AWS. Cloning gives another handle to the same; when the
/// last one is dropped, schedules and retries end.
#[derive(Clone)]
pub struct Bus {
    pub(crate) inner: Arc<Inner>,
    _last: Arc<LastHandle>,
}

struct LastHandle(CancellationToken);

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) lambda: LambdaHost,
    pub(crate) identity: Identity,
    pub(crate) buses: BTreeSet<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) queues: Queues,
    pub(crate) fault: Option<DeliveryFault>,
    traffic: Mutex<Traffic>,
    observers: broadcast::Sender<Observation>,
    cancelled: CancellationToken,
    tasks: TaskTracker,
}

impl Bus {
    /// Wires what the template declares, and starts its schedules. The functions must have been created in the host.
    ///
    /// # Errors
    ///
    /// A mistake in a pattern, an input, a schedule or a filter policy, or a target that is not here.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn start(
        template: &Template,
        settings: &Settings,
        clock: Clock,
        lambda: LambdaHost,
        results: DestinationResults,
        fault: Option<DeliveryFault>,
    ) -> Result<Self, WiringError> {
        let wiring = Wiring::read(template, settings, &lambda, clock.now())?;
        let identity = Identity { region: settings.region.clone(), account_id: settings.account_id.clone() };
        let cancelled = CancellationToken::new();
        let inner = Arc::new(Inner {
            clock,
            lambda,
            identity,
            buses: wiring.buses,
            rules: wiring.rules,
            topics: wiring.topics,
            queues: wiring.queues,
            fault,
            traffic: Mutex::default(),
            observers: broadcast::channel(KEPT).0,
            cancelled: cancelled.clone(),
            tasks: TaskTracker::new(),
        });
        inner.spawn(Arc::clone(&inner).deliver_results(results.results));
        for schedule in wiring.schedules {
            inner.spawn(Arc::clone(&inner).run_schedule(schedule, inner.clock.now()));
        }
        Ok(Self { inner, _last: Arc::new(LastHandle(cancelled)) })
    }

    /// The API of EventBridge, AWS JSON 1.1 at `/`.
    pub fn eventbridge(&self) -> Router {
        eventbridge::router(self.clone())
    }

    /// The API of SNS, AWS Query at `/`.
    pub fn sns(&self) -> Router {
        sns::router(self.clone())
    }

    /// The API of SQS, AWS JSON 1.0 at `/`.
    pub fn sqs(&self) -> Router {
        sqs::router(self.clone())
    }

    /// Puts an event with its envelope on the default bus, as an AWS service does.
    pub fn put_event(&self, event: Value) {
        self.inner.put_event(DEFAULT_BUS, event);
    }

    /// Puts an event of an AWS service, for example `aws.codebuild`, on the default bus, in an envelope of this account
    /// and of this time.
    pub fn put_service_event(&self, source: &str, detail_type: &str, resources: &[String], detail: Value) {
        let event = self.inner.envelope(source, detail_type, &serde_json::json!(resources), detail);
        self.put_event(event);
    }

    /// The ARNs of the topics.
    pub fn topics(&self) -> Vec<String> {
        self.inner.topics.iter().map(|topic| topic.arn.clone()).collect()
    }

    /// The messages of a topic, the oldest first, as an e-mail subscriber gets them; the last 1000 are kept. `topic` is
    /// a name, an ARN or a logical id. `None` if there is no such topic.
    pub fn messages(&self, topic: &str) -> Option<Vec<Message>> {
        self.inner.topics.iter().find(|known| known.is_called(topic)).map(Topic::messages)
    }

    /// The ARNs of the queues.
    pub fn queues(&self) -> Vec<String> {
        self.inner.queues.all().map(|queue| queue.arn().to_owned()).collect()
    }

    /// The messages in a queue, the oldest first, received ones included. `queue` is a name, an ARN or a logical id.
    /// `None` if there is no such queue.
    pub fn queue_messages(&self, queue: &str) -> Option<Vec<QueueMessage>> {
        self.inner.queues.find(queue).map(|queue| queue.messages())
    }

    /// Everything that passes from now on. A receiver that lags by more than 4096 observations misses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Observation> {
        self.inner.observers.subscribe()
    }

    /// Ends schedules and retries. Returns when nothing runs any more.
    pub async fn shutdown(&self) {
        self.inner.cancelled.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

/// A time moved on, as far as there is time.
pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

impl Drop for LastHandle {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Inner {
    /// Runs something until it ends or the bus does.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let cancelled = self.cancelled.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// The time when this much more has passed.
    pub(crate) fn time_after(&self, delay: Duration) -> Timestamp {
        later(self.clock.now(), delay)
    }

    pub(crate) fn observe(&self, passed: Passed) {
        // Without an observer there is nobody to tell.
        let _ = self.observers.send(Observation { time: self.clock.now(), passed });
    }

    pub(crate) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way from the local CodePipeline.
#[async_trait]
impl Events for Bus {
    async fn put_event(&self, event: Value) {
        self.inner.put_event(DEFAULT_BUS, event);
    }

    async fn publish(&self, topic_arn: &str, subject: &str, message: String) -> Result<(), String> {
        let publication = Publication { subject: Some(subject.to_owned()), ..Publication::of(message) };
        self.inner.publish(topic_arn, publication).map(drop).map_err(|error| error.message)
    }
}
