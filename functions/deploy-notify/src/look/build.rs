//! Asking CodeBuild.

use aws_sdk_codebuild::types::Build;
use codepipeline_job::FailureCause;
use stagegate_desk::DeskError;
use stagegate_notice::{Picture, Reason, ReasonSource, build_state};

use super::{cut, https, timestamp};
use crate::notifier::Notifier;
use crate::source::phase_and_text;

impl Notifier {
    /// How a build stands that no pipeline has started.
    pub(super) async fn look_at_build(&self, id: &str) -> Result<Picture, DeskError> {
        let mut picture = Picture::default();
        // A build that is gone tells nothing: it is asked about for as long as one about which CodeBuild does not answer.
        let unknown = || DeskError::Aws { what: format!("read the build {id}"), why: "CodeBuild has none".to_owned() };
        let build = self.build(id).await?.ok_or_else(unknown)?;
        let ended = timestamp(build.end_time());
        let (Some(state), Some(at)) = (
            build.build_status().and_then(|status| build_state(status.as_str())),
            ended.or(timestamp(build.start_time())),
        ) else {
            return Ok(picture);
        };
        picture.started = timestamp(build.start_time());
        picture.enter(state, at);
        picture.about.trigger = build.initiator().map(cut);
        picture.about.link = logs(&build);
        if state == stagegate_notice::ExecutionState::Failed {
            let (phase, text) = failed_phase(&build).unzip();
            let status = build.build_status().map(|status| status.as_str()).unwrap_or_default();
            picture.fail(id, phase.as_deref(), at, text, ReasonSource::CodeBuild, status);
        }
        Ok(picture)
    }

    /// Why a build of a pipeline has failed, and where its logs are.
    pub(super) async fn why_build_failed(&self, id: &str) -> Result<(Option<Reason>, Option<String>), DeskError> {
        let Some(build) = self.build(id).await? else { return Ok((None, None)) };
        let reason = failed_phase(&build).map(|(phase, text)| Reason {
            source: ReasonSource::CodeBuild,
            text: cut(&phase_and_text(&phase, &text)),
            code: None,
        });
        Ok((reason, logs(&build)))
    }

    async fn build(&self, id: &str) -> Result<Option<Build>, DeskError> {
        let answer = self.parts.builds.batch_get_builds().ids(id).send().await;
        let answer = answer
            .map_err(|error| DeskError::Aws { what: format!("read the build {id}"), why: error.failure_message() })?;
        Ok(answer.builds.unwrap_or_default().pop())
    }
}

fn logs(build: &Build) -> Option<String> {
    https(build.logs().and_then(|logs| logs.deep_link()))
}

/// The first phase that failed, and what it has to say.
fn failed_phase(build: &Build) -> Option<(String, String)> {
    let is_failed = |status: &str| status != "SUCCEEDED";
    let failed =
        build.phases().iter().find(|phase| phase.phase_status().is_some_and(|status| is_failed(status.as_str())))?;
    let said = failed.contexts().iter().map(|context| {
        let parts = [context.status_code(), context.message()];
        parts.into_iter().flatten().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(": ")
    });
    let said: Vec<_> = said.filter(|text| !text.is_empty()).collect();
    Some((failed.phase_type().map_or("unknown", |phase| phase.as_str()).to_owned(), said.join("; ")))
}
