//! The EventBridge events of CodePipeline, CodeBuild and CodeDeploy.
//!
//! AWS documents these events by samples, and what arrives differs from them: numbers come as `6`, `6.0` or `"6"`, and
//! members are missing. So every member is optional here, one of another form is left out, and only what cannot be told
//! apart at all is an error, which says what was wrong ([`NotRead`]).
//!
//! Events may be lost, repeated and reordered. [`Event::key`] is the same for an event that was sent again under another
//! id.

mod build;
mod deploy;
mod key;
mod lenient;
mod pipeline;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use build::{AdditionalInformation, BuildChange, Logs, Phase, PhaseChange};
pub use deploy::DeploymentChange;
pub use key::Key;
pub use lenient::Number;
pub use pipeline::{
    ActionChange, ActionType, Artifact, ArtifactPlace, ExecutionChange, ExecutionResult, StageChange, Trigger,
};

const DETAIL_TYPES: [(&str, Kind); 7] = [
    ("CodePipeline Pipeline Execution State Change", Kind::Execution),
    ("CodePipeline Stage Execution State Change", Kind::Stage),
    ("CodePipeline Action Execution State Change", Kind::Action),
    ("CodeBuild Build State Change", Kind::Build),
    ("CodeBuild Build Phase Change", Kind::Phase),
    ("CodeDeploy Deployment State-change Notification", Kind::Deployment),
    ("CodeDeploy Instance State-change Notification", Kind::Instance),
];

#[derive(Clone, Copy)]
enum Kind {
    Execution,
    Stage,
    Action,
    Build,
    Phase,
    Deployment,
    Instance,
}

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The id of this delivery's event; an event that was sent again may have another one.
    pub id: Option<String>,
    /// When it happened, in whole seconds.
    pub time: Option<Timestamp>,
    /// The AWS account.
    pub account: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// The ARNs of what it is about.
    pub resources: Vec<String>,
    /// What happened.
    pub change: Change,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// To a pipeline execution.
    Execution(ExecutionChange),
    /// To a stage in an execution.
    Stage(StageChange),
    /// To an action in an execution.
    Action(ActionChange),
    /// To a build.
    Build(BuildChange),
    /// A phase of a build has ended.
    Phase(PhaseChange),
    /// To a deployment.
    Deployment(DeploymentChange),
    /// To an instance in a deployment.
    Instance(DeploymentChange),
}

/// It is no event of these services. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// It is not an EventBridge event at all.
    #[error(
        "read the event: it has no \"{0}\", so it is not one of EventBridge; invoke the function by an EventBridge rule"
    )]
    NoEvent(&'static str),
    /// It is of another kind.
    #[error("read the event: {0:?} is not a detail-type that is known here; take it out of the rule's pattern")]
    Unknown(String),
}

impl Event {
    /// Reads what EventBridge delivers.
    ///
    /// # Errors
    ///
    /// If it is no event, or of another kind.
    pub fn read(event: &Value) -> Result<Self, NotRead> {
        let text = |key: &str| event.get(key).and_then(Value::as_str).map(str::to_owned);
        let kind = text("detail-type").ok_or(NotRead::NoEvent("detail-type"))?;
        let detail = event.get("detail").filter(|detail| detail.is_object()).ok_or(NotRead::NoEvent("detail"))?;
        let known = DETAIL_TYPES.iter().find(|(name, _)| *name == kind);
        let (_, known) = known.ok_or_else(|| NotRead::Unknown(kind.chars().take(100).collect()))?;
        let resources = event.get("resources").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            id: text("id"),
            time: text("time").and_then(|time| time.parse().ok()),
            account: text("account"),
            region: text("region"),
            resources: resources.filter_map(Value::as_str).map(str::to_owned).collect(),
            change: known.read(detail),
        })
    }

    /// The event as EventBridge delivers it.
    pub fn to_json(&self) -> Value {
        let (kind, source, detail) = self.change.parts();
        let mut event = Map::new();
        event.insert("version".into(), "0".into());
        let texts = [("id", self.id.clone()), ("account", self.account.clone()), ("region", self.region.clone())];
        event.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into()))));
        event.insert("detail-type".into(), kind.into());
        event.insert("source".into(), source.into());
        if let Some(time) = self.time {
            event.insert("time".into(), time.to_string().into());
        }
        event.insert("resources".into(), self.resources.clone().into());
        event.insert("detail".into(), detail);
        Value::Object(event)
    }

    /// The pipeline execution that the event names; events of builds and deployments name none.
    pub fn execution(&self) -> Option<(&str, &str)> {
        let (pipeline, execution) = match &self.change {
            Change::Execution(change) => (&change.pipeline, &change.execution_id),
            Change::Stage(change) => (&change.pipeline, &change.execution_id),
            Change::Action(change) => (&change.pipeline, &change.execution_id),
            _ => return None,
        };
        Some((pipeline.as_deref()?, execution.as_deref()?))
    }
}

impl Kind {
    fn read(self, detail: &Value) -> Change {
        match self {
            Self::Execution => Change::Execution(members(detail)),
            Self::Stage => Change::Stage(members(detail)),
            Self::Action => Change::Action(members(detail)),
            Self::Build => Change::Build(members(detail)),
            Self::Phase => Change::Phase(members(detail)),
            Self::Deployment => Change::Deployment(members(detail)),
            Self::Instance => Change::Instance(members(detail)),
        }
    }
}

/// Every member may be absent or of another form, so that this never fails for an object.
fn members<T: DeserializeOwned + Default>(detail: &Value) -> T {
    T::deserialize(detail).unwrap_or_default()
}

impl Change {
    /// The detail-type, the source and the detail.
    fn parts(&self) -> (&'static str, &'static str, Value) {
        let json = |kind: usize, source, detail| (DETAIL_TYPES[kind].0, source, detail);
        match self {
            Self::Execution(change) => json(0, "aws.codepipeline", object(change)),
            Self::Stage(change) => json(1, "aws.codepipeline", object(change)),
            Self::Action(change) => json(2, "aws.codepipeline", object(change)),
            Self::Build(change) => json(3, "aws.codebuild", object(change)),
            Self::Phase(change) => json(4, "aws.codebuild", object(change)),
            Self::Deployment(change) => json(5, "aws.codedeploy", object(change)),
            Self::Instance(change) => json(6, "aws.codedeploy", object(change)),
        }
    }
}

fn object(members: &impl Serialize) -> Value {
    serde_json::to_value(members).unwrap_or_default()
}
