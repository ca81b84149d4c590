//! What an event is about.

use jiff::Timestamp;
use serde_json::Value;
use stagegate_notice::{Part, Picture, Reason, Subject};
use stagegate_pipeline_event::{BuildChange, Change, Event, NotRead};

/// What an invocation is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// The minute has passed.
    Tick,
    /// Something has happened to an execution.
    Change {
        /// What is executed.
        subject: Subject,
        /// The pipeline, the project, or the application and its deployment group.
        name: String,
        /// The execution, the build or the deployment.
        execution: String,
        /// What is known by that.
        picture: Box<Picture>,
    },
    /// A build of a pipeline has failed: why, for the thread of the execution that it belongs to.
    PartOf {
        /// The pipeline.
        pipeline: String,
        /// What is known by that.
        picture: Box<Picture>,
    },
    /// Something that says nothing new.
    Nothing(&'static str),
}

/// An event that cannot be understood. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotHeard {
    /// It is not one of these services.
    NotRead(NotRead),
    /// It does not say what it is about.
    Nameless {
        /// The detail-type.
        kind: String,
        /// What it lacks.
        lacks: &'static str,
    },
}

impl std::fmt::Display for NotHeard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotRead(error) => error.fmt(f),
            Self::Nameless { kind, lacks } => write!(
                f,
                "read the event: a {kind:?} without {lacks} cannot be told of anything; look at what has put it on the bus"
            ),
        }
    }
}

/// Reads an event of EventBridge. `now` stands in where it has no time.
///
/// # Errors
///
/// If it is none of those that the rules are for, or lacks what it is about.
pub fn heard(event: &Value, now: Timestamp) -> Result<Heard, NotHeard> {
    let kind = event.get("detail-type").and_then(Value::as_str).unwrap_or_default();
    if kind == "Scheduled Event" {
        return Ok(Heard::Tick);
    }
    let read = Event::read(event).map_err(NotHeard::NotRead)?;
    let nameless = |lacks| NotHeard::Nameless { kind: kind.to_owned(), lacks };
    let picture = || Box::new(Picture::of(&read, now));
    let change = |subject, name: String, execution: &str| Heard::Change {
        subject,
        name,
        execution: execution.to_owned(),
        picture: picture(),
    };
    match &read.change {
        Change::Execution(_) | Change::Stage(_) | Change::Action(_) => {
            let (pipeline, execution) = read.execution().ok_or_else(|| nameless("pipeline and execution-id"))?;
            Ok(change(Subject::Pipeline, pipeline.to_owned(), execution))
        }
        Change::Build(build) => match build.pipeline() {
            Some(pipeline) => Ok(part_of(pipeline, build, &picture())),
            None => {
                let project = build.project.clone().ok_or_else(|| nameless("project-name"))?;
                let id = build.build_id().ok_or_else(|| nameless("build-id"))?;
                Ok(change(Subject::Build, project, id))
            }
        },
        Change::Deployment(deployment) => {
            let name = deployment.name().ok_or_else(|| nameless("application"))?;
            let id = deployment.deployment.as_deref().ok_or_else(|| nameless("deploymentId"))?;
            Ok(change(Subject::Deployment, name, id))
        }
        Change::Phase(_) => Ok(Heard::Nothing("the event of the build itself has its phases in it")),
        Change::Instance(_) => Ok(Heard::Nothing("the event of the deployment says how it went")),
    }
}

/// The event of a build says why it has failed before CodePipeline says that the action has.
fn part_of(pipeline: &str, build: &BuildChange, told: &Picture) -> Heard {
    let Some(id) = build.build_id() else { return Heard::Nothing("it does not say which build") };
    let Some(action) = told.actions.get(id) else {
        return Heard::Nothing("the event of the action says how a build of a pipeline goes");
    };
    // In the words in which CodeBuild is quoted when it is asked, so that the notice stays as it is then.
    let phase = action.stage.as_deref().unwrap_or_default();
    let reason = action.reason.clone().map(|reason| Reason { text: phase_and_text(phase, &reason.text), ..reason });
    let mut picture = Picture::default();
    picture.parts.insert(id.to_owned(), Part { reason, logs: action.logs.clone() });
    Heard::PartOf { pipeline: pipeline.to_owned(), picture: Box::new(picture) }
}

/// What a phase of a build has said.
pub(crate) fn phase_and_text(phase: &str, text: &str) -> String {
    match (phase, text) {
        ("", text) => text.to_owned(),
        (phase, "") => phase.to_owned(),
        (phase, text) => format!("{phase}: {text}"),
    }
}
