//! Builds.

use serde_json::{Value, json};
use stagegate_local_actions::{BuildPhase, BuildRecord, BuildStatus};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{Page, epoch_seconds, page, without_nulls};

use crate::{CodeBuild, SERVICE, found_and_missing, invalid_input, is_ascending, not_found, text, texts};

impl CodeBuild {
    pub(crate) fn batch_get_builds(&self, input: &Value) -> Result<Value, ApiError> {
        // `<project>:<uuid>`, or an ARN that ends so.
        if let Some(id) = texts(input, "ids").find(|id| id.rsplit_once(':').is_none_or(|(_, uuid)| uuid.is_empty())) {
            return Err(invalid_input(format!("{id:?} is no build id; it has the form <project>:<uuid>")));
        }
        let find = |id: &str| self.builds.get(id).map(|build| describe(&build));
        let (builds, missing) = found_and_missing(texts(input, "ids"), find);
        Ok(json!({"builds": builds, "buildsNotFound": missing}))
    }

    pub(crate) fn list_builds_for_project(&self, input: &Value) -> Result<Value, ApiError> {
        let project = text(input, "projectName");
        // The oldest first.
        let mut ids: Vec<_> =
            self.builds.list().into_iter().filter(|build| build.project == project).map(|build| build.id).collect();
        if ids.is_empty() {
            return Err(not_found("project", project));
        }
        if !is_ascending(input, false) {
            ids.reverse();
        }
        let request = Page { operation: "ListBuildsForProject", output: "ids", default_size: 100 };
        page(&SERVICE, &request, input, ids.into_iter().map(|id| (id.clone(), id.into())))
    }
}

/// A `Build` of the AWS model, with the members that a local build has.
pub(crate) fn describe(build: &BuildRecord) -> Value {
    let is_complete = build.status != BuildStatus::InProgress;
    let current_phase = match build.phases.last() {
        _ if is_complete => "COMPLETED",
        Some(phase) => phase.phase_type.as_str(),
        None => "SUBMITTED",
    };
    let mut phases: Vec<_> = build.phases.iter().map(describe_phase).collect();
    phases.extend(build.end_time.map(|end| json!({"phaseType": "COMPLETED", "startTime": epoch_seconds(end)})));
    let exported: Vec<_> =
        build.exported_variables.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let reports: Vec<_> = build.reports.iter().map(|report| report.arn.as_str()).collect();
    without_nulls(json!({
        "id": build.id,
        "arn": build.arn,
        "buildNumber": build.build_number,
        "startTime": epoch_seconds(build.start_time),
        "endTime": build.end_time.map(epoch_seconds),
        "currentPhase": current_phase,
        "buildStatus": build.status.as_str(),
        "resolvedSourceVersion": build.resolved_source_version.as_deref().filter(|version| !version.is_empty()),
        "projectName": build.project,
        "phases": phases,
        "source": {"type": build.source},
        "logs": {"deepLink": build.log_url},
        "buildComplete": is_complete,
        "initiator": build.initiator,
        "exportedEnvironmentVariables": exported,
        "reportArns": reports,
    }))
}

fn describe_phase(phase: &BuildPhase) -> Value {
    let seconds = phase.end_time.map(|end| end.duration_since(phase.start_time).as_secs());
    let contexts: Vec<_> = phase
        .contexts
        .iter()
        .map(|context| json!({"statusCode": context.status_code, "message": context.message}))
        .collect();
    without_nulls(json!({
        "phaseType": phase.phase_type.as_str(),
        "phaseStatus": phase.status.as_str(),
        "startTime": epoch_seconds(phase.start_time),
        "endTime": phase.end_time.map(epoch_seconds),
        "durationInSeconds": seconds,
        "contexts": contexts,
    }))
}
