//! The events of a build (AWS CodeBuild guide, "Build notifications input format reference").
//!
//! Numbers are floating-point numbers and times are texts, as in the guide's samples. A local build has no image, and
//! the phases before DOWNLOAD_SOURCE and after UPLOAD_ARTIFACTS take no time here and are left out.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::record::{BuildPhase, BuildRecord, BuildStatus, PhaseContext};
use crate::service_event::ServiceEvent;

const SOURCE: &str = "aws.codebuild";

/// The event of a build that has begun.
pub(super) fn begun(build: &BuildRecord) -> ServiceEvent {
    state_change(build)
}

/// The events of what has changed: phases that have ended, then the build's own status.
pub(super) fn changes(before: &BuildRecord, after: &BuildRecord) -> Vec<ServiceEvent> {
    let has_ended = |build: &BuildRecord, index: usize| build.phases.get(index).is_some_and(|p| p.end_time.is_some());
    let ended = (0..after.phases.len()).filter(|index| has_ended(after, *index) && !has_ended(before, *index));
    let mut events: Vec<ServiceEvent> = ended.map(|index| phase_change(after, &after.phases[index])).collect();
    if before.status != after.status {
        events.push(state_change(after));
    }
    events
}

fn state_change(build: &BuildRecord) -> ServiceEvent {
    let is_running = build.status == BuildStatus::InProgress;
    let own = json!({
        "build-status": build.status.as_str(),
        "current-phase": if is_running { "SUBMITTED" } else { "COMPLETED" },
        "current-phase-context": "[]",
    });
    event("CodeBuild Build State Change", build, own)
}

fn phase_change(build: &BuildRecord, phase: &BuildPhase) -> ServiceEvent {
    let contexts: Vec<String> = phase.contexts.iter().map(context).collect();
    let own = json!({
        "completed-phase": phase.phase_type.as_str(),
        "completed-phase-status": phase.status.as_str(),
        "completed-phase-context": format!("[{}]", contexts.join(", ")),
        "completed-phase-duration-seconds": duration(phase),
        "completed-phase-start": time(phase.start_time),
        "completed-phase-end": phase.end_time.map(time),
    });
    event("CodeBuild Build Phase Change", build, own)
}

fn event(detail_type: &'static str, build: &BuildRecord, own: Value) -> ServiceEvent {
    let mut detail = Map::new();
    if let Value::Object(own) = own {
        detail.extend(own);
    }
    detail.insert("project-name".to_owned(), build.project.clone().into());
    detail.insert("build-id".to_owned(), build.arn.clone().into());
    detail.insert("version".to_owned(), "1".into());
    detail.insert("additional-information".to_owned(), additional_information(build));
    ServiceEvent { source: SOURCE, detail_type, resources: vec![build.arn.clone()], detail: Value::Object(detail) }
}

fn additional_information(build: &BuildRecord) -> Value {
    let mut information = json!({
        "build-complete": build.status != BuildStatus::InProgress,
        "build-number": float(build.build_number),
        "initiator": build.initiator,
        "build-start-time": time(build.start_time),
        "timeout-in-minutes": build.timeout.as_secs_f64() / 60.0,
        "source": {"type": build.source},
        "logs": {"deep-link": build.log_url},
        "phases": build.phases.iter().map(phase).collect::<Vec<_>>(),
    });
    if let Some(version) = &build.resolved_source_version {
        information["source-version"] = version.clone().into();
    }
    information
}

fn phase(phase: &BuildPhase) -> Value {
    let mut members = json!({
        "phase-type": phase.phase_type.as_str(),
        "phase-context": phase.contexts.iter().map(context).collect::<Vec<_>>(),
        "start-time": time(phase.start_time),
    });
    if let Some(end) = phase.end_time {
        members["end-time"] = time(end).into();
        members["duration-in-seconds"] = duration(phase);
        members["phase-status"] = phase.status.as_str().into();
    }
    members
}

fn context(context: &PhaseContext) -> String {
    format!("{}: {}", context.status_code, context.message)
}

fn duration(phase: &BuildPhase) -> Value {
    let seconds = phase.end_time.map_or(0, |end| end.duration_since(phase.start_time).as_secs());
    float(seconds.unsigned_abs())
}

/// A whole number as the events write it.
fn float(number: u64) -> Value {
    u32::try_from(number).map(f64::from).unwrap_or(f64::from(u32::MAX)).into()
}

/// `Sep 1, 2017 4:12:29 PM`, in UTC.
fn time(time: Timestamp) -> String {
    time.strftime("%b %-d, %Y %-I:%M:%S %p").to_string()
}
