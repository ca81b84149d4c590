//! Doing what is to be done for an execution, one step after the other.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use jiff::SignedDuration;
use stagegate_channel::{Channels, Found, Letter, Outcome, Secrets, variable};
use stagegate_config::Config;
use stagegate_desk::{Clock, DeskError, Pipelines, Settings};
use stagegate_http_client::HttpClient;
use stagegate_notice::{Claim, Doubt, Effect, Ended, Picture, Report, Step, Subject, Thread, Turn};
use stagegate_state_store::{Created, Key, Replaced, StateStore, Stored};
use tokio::time::Instant;

use crate::documents::{Kept, Seen, Watched, thread_key};
use crate::measure::log;
use crate::routing::routes;

/// Names the bucket.
const BUCKET_VARIABLE: &str = "STAGEGATE_STATE_BUCKET";
/// Names the KMS key of the bucket's objects, where it is not the bucket's default.
const KMS_KEY_VARIABLE: &str = "STAGEGATE_STATE_KMS_KEY";

/// How long one call of AWS may take, with its retries.
const CALL: Duration = Duration::from_secs(12);
/// How long one attempt at it may take.
const ATTEMPT: Duration = Duration::from_secs(5);
/// How long one message may take, with its pauses.
const SEND: Duration = Duration::from_secs(12);
/// How long an invocation has an execution for itself after each step. Longer than any one of them takes.
const LEASE: SignedDuration = SignedDuration::from_mins(3);
/// By how many seconds the clock of a channel may be behind.
pub(crate) const CLOCKS: i64 = 3600;
/// How often a change is tried that others overtake.
const TRIES: u32 = 30;
/// How many steps an invocation takes for one execution; the next round goes on.
const STEPS: u32 = 400;

/// What a [`Notifier`] works with.
pub struct Parts {
    /// `stagegate.yaml`.
    pub settings: Settings,
    /// The documents.
    pub store: StateStore,
    /// The channels.
    pub channels: Channels,
    /// CodePipeline.
    pub pipelines: Pipelines,
    /// CodeBuild.
    pub builds: aws_sdk_codebuild::Client,
    /// CodeDeploy.
    pub deployments: aws_sdk_codedeploy::Client,
}

/// Tells people how executions go. It is made once and kept.
pub struct Notifier {
    pub(crate) parts: Parts,
}

/// One invocation.
#[derive(Clone, Debug)]
pub struct Visit {
    /// By what it is known; the same where Lambda tries it again.
    pub holder: String,
    /// Its clock.
    pub clock: Clock,
    /// When it begins nothing any more.
    pub ends: Instant,
}

/// The thread of an execution, as this invocation knows it.
pub(crate) struct Open {
    pub(crate) key: Key<Kept<Thread>>,
    pub(crate) subject: Subject,
    pub(crate) name: String,
    pub(crate) execution: String,
    stored: Option<Stored<Kept<Thread>>>,
}

impl Open {
    pub(crate) fn thread(&self) -> Thread {
        let new = || Thread::of(self.subject, &self.name, &self.execution);
        self.stored.as_ref().map_or_else(new, |stored| stored.document.0.clone())
    }

    pub(crate) fn is_new(&self) -> bool {
        self.stored.is_none()
    }
}

impl Notifier {
    /// A notifier of these parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// What the environment says.
    ///
    /// # Errors
    ///
    /// If the function has no state bucket.
    pub fn of(sdk: &SdkConfig) -> Result<Self, DeskError> {
        let bucket = variable(BUCKET_VARIABLE).ok_or_else(|| {
            DeskError::Configuration(format!("keep threads: the function has no state bucket ({BUCKET_VARIABLE})"))
        })?;
        let patient = TimeoutConfig::builder().operation_timeout(CALL).operation_attempt_timeout(ATTEMPT).build();
        let sdk = sdk.clone().into_builder().timeout_config(patient).retry_config(RetryConfig::standard()).build();
        let secrets = std::sync::Arc::new(Secrets::new(aws_sdk_ssm::Client::new(&sdk)));
        Ok(Self::new(Parts {
            settings: Settings::default(),
            store: StateStore::new(&sdk, bucket, variable(KMS_KEY_VARIABLE)),
            channels: Channels::new(&sdk, HttpClient::new(), secrets),
            pipelines: Pipelines::new(aws_sdk_codepipeline::Client::new(&sdk)),
            builds: aws_sdk_codebuild::Client::new(&sdk),
            deployments: aws_sdk_codedeploy::Client::new(&sdk),
        }))
    }

    pub(crate) fn config(&self) -> Result<&Config, DeskError> {
        self.parts.settings.config()
    }

    /// Something has happened to an execution.
    pub(crate) async fn changed(
        &self,
        subject: Subject,
        name: &str,
        execution: &str,
        picture: Box<Picture>,
        visit: &Visit,
    ) -> Result<(), DeskError> {
        let is_measured = subject == Subject::Pipeline && self.config()?.is_measured(name);
        if !is_measured && routes(self.config()?, subject, name, visit.clock.now()).is_empty() {
            tracing::info!(name, execution, "no route of stagegate.yaml is about it");
            return Ok(());
        }
        if subject == Subject::Deployment && Box::pin(self.belongs_to_a_pipeline(execution, visit)).await? {
            tracing::info!(name, execution, "the thread of its pipeline tells of it");
            return Ok(());
        }
        let mut open = self.open(subject, name, execution).await?;
        Box::pin(self.settle(&mut open, Report::Heard(picture), visit)).await
    }

    /// The thread of an execution.
    pub(crate) async fn open(&self, subject: Subject, name: &str, execution: &str) -> Result<Open, DeskError> {
        let key = thread_key(execution);
        let stored = self.parts.store.get(&key).await?;
        Ok(Open { key, subject, name: name.to_owned(), execution: execution.to_owned(), stored })
    }

    /// Notes what has happened and does what is to be done, unless another invocation is at it: that one looks once more
    /// before it goes.
    pub(crate) async fn settle(&self, open: &mut Open, mut report: Report, visit: &Visit) -> Result<(), DeskError> {
        for _ in 0..STEPS {
            let step = self.advance(open, &report, visit).await?;
            report = match step {
                Step::Rest => return Box::pin(self.measure_production(open)).await,
                Step::Held => return Ok(()),
                Step::List => {
                    let watched = Watched::of(&open.thread());
                    self.parts.store.create(&watched.key(), &watched).await?;
                    Report::Listed
                }
                Step::Unlist => {
                    self.parts.store.remove(&Watched::of(&open.thread()).key()).await?;
                    Report::Unlisted
                }
                Step::Look => match Box::pin(self.look(&open.thread(), visit.clock.now())).await {
                    Ok(picture) => Report::Looked(Box::new(picture)),
                    Err(error) => {
                        tracing::warn!(
                            execution = open.execution,
                            why = error.to_string(),
                            "how it stands is not known"
                        );
                        Report::NotLooked
                    }
                },
                Step::Find(doubt) => Box::pin(self.find(doubt)).await?,
                Step::Claim(claim) => self.claim(claim, &open.execution).await?,
                Step::Collect(effect) => Box::pin(self.collect(effect, visit)).await?,
                Step::Send(effect) => Box::pin(self.send(effect)).await?,
            };
        }
        tracing::warn!(
            execution = open.execution,
            "there is more to do than one invocation does; the next round goes on"
        );
        let last = Visit { ends: Instant::now(), ..visit.clone() };
        self.advance(open, &report, &last).await.map(|_| ())
    }

    /// Writes what follows from a report, all over again where others were faster. What is measured by then is noted in the
    /// same write.
    async fn advance(&self, open: &mut Open, report: &Report, visit: &Visit) -> Result<Step, DeskError> {
        let config = self.config()?;
        for attempt in 0..TRIES {
            let now = visit.clock.now();
            let routes = routes(config, open.subject, &open.name, now);
            let until = now.checked_add(LEASE).unwrap_or(now);
            let turn = Turn { holder: &visit.holder, now, until, is_last: Instant::now() >= visit.ends };
            let before = open.thread();
            let mut thread = before.clone();
            let step = thread.advance(report.clone(), &routes, turn);
            drop(routes);
            let measured =
                if step == Step::Rest { Box::pin(self.take_measured(&mut thread)).await } else { Ok(Vec::new()) };
            // What could not be measured is no reason to keep the lease.
            let ended = thread.ended_since(&before);
            if thread == before || self.write(open, thread).await? {
                log_ended(&ended, open);
                log(&measured?);
                return Ok(step);
            }
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 10)).await;
        }
        Err(DeskError::Aws {
            what: format!("change the state document {}", open.key),
            why: format!("others changed it each of the {TRIES} times; Lambda tries again"),
        })
    }

    /// Writes a thread in place of what is known of it. `false` where others have changed it; what they have written is
    /// known then.
    async fn write(&self, open: &mut Open, thread: Thread) -> Result<bool, DeskError> {
        let document = Kept(thread);
        let (written, other) = match open.stored.take() {
            None => match self.parts.store.create(&open.key, &document).await? {
                Created::Now(version) => (Some(version), None),
                Created::AlreadyExists(other) => (None, Some(other)),
            },
            Some(stored) => match self.parts.store.replace(&open.key, &stored.version, &document).await? {
                Replaced::Now(version) => (Some(version), None),
                Replaced::Changed(other) => (None, other),
            },
        };
        let is_written = written.is_some();
        open.stored = written.map(|version| Stored { document, version }).or(other);
        Ok(is_written)
    }

    /// Posts or changes a message.
    async fn send(&self, effect: Box<Effect>) -> Result<Report, DeskError> {
        let Ok(channel) = self.config()?.channel(&effect.channel) else { return Ok(Report::Rejected(effect)) };
        let (below, replaces) = (effect.below.as_ref(), effect.replaces.as_ref());
        let said = self.parts.settings.templates()?.say(&effect.bulletin);
        let letter = Letter { to: &effect.channel, id: &effect.mark, say: &said, below, replaces };
        let outcome = self.parts.channels.send(channel, &letter, Instant::now() + SEND).await;
        Ok(match outcome {
            Outcome::Delivered { message } => Report::Sent(effect, message),
            // What cannot be changed any more stays as it is.
            Outcome::Refused { .. } if effect.replaces.is_some() => Report::Rejected(effect),
            Outcome::Refused { .. } => Report::Refused(effect, None),
            Outcome::Rejected { .. } => Report::Rejected(effect),
            Outcome::Later { after, .. } => Report::Refused(effect, SignedDuration::try_from(after).ok()),
            Outcome::Unknown { .. } => Report::Unsure(effect),
        })
    }

    /// Looks whether a message is there that may have been posted.
    async fn find(&self, doubt: Doubt) -> Result<Report, DeskError> {
        let Ok(channel) = self.config()?.channel(&doubt.channel) else { return Ok(Report::NotKnown(doubt)) };
        // The clock of the channel may be another one.
        let since = doubt.at.as_second() - CLOCKS;
        let found =
            self.parts.channels.find(channel, &doubt.mark, doubt.below.as_ref(), since, Instant::now() + SEND).await;
        Ok(match found {
            Found::There(message) => Report::Found(doubt, message),
            Found::NotThere => Report::NotFound(doubt),
            Found::Later { after } => Report::NotAsked(doubt, SignedDuration::try_from(after).ok()),
            Found::Unknown => Report::NotKnown(doubt),
        })
    }

    /// Finds out whether another execution has told it.
    async fn claim(&self, claim: Claim, execution: &str) -> Result<Report, DeskError> {
        let mine = Seen { execution: execution.to_owned(), notice: claim.notice.clone() };
        let is_first = match self.parts.store.create(&Seen::key(&claim.channel, &claim.once), &mine).await? {
            Created::Now(_) => true,
            Created::AlreadyExists(stored) => stored.document == mine,
        };
        Ok(Report::Claimed(claim, is_first))
    }
}

/// Says which messages are given up. Why the channel has not taken them, was said by then under the same letter.
fn log_ended(ended: &[Ended], open: &Open) {
    let (name, execution) = (&open.name, &open.execution);
    for Ended { channel, kind, mark, may_be_there } in ended {
        if *may_be_there {
            let what = "a message may be missing: nobody knows whether it was posted";
            tracing::error!(channel, kind, name, execution, letter = mark, "{what}");
        } else {
            let what = "a message is given up: the channel does not take it";
            tracing::error!(channel, kind, name, execution, letter = mark, "{what}");
        }
    }
}
