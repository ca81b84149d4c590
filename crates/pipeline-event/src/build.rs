//! Events of CodeBuild (AWS CodeBuild guide, "Build notifications input format reference").

use serde_json::Value;

use crate::lenient::{Number, members};

members! {
    /// A build is in another state: IN_PROGRESS, SUCCEEDED, FAILED or STOPPED.
    BuildChange {
        /// The new state.
        status = "build-status": String,
        /// The project.
        project = "project-name": String,
        /// The build's ARN.
        build = "build-id": String,
        /// The phase.
        current_phase = "current-phase": String,
        /// What the phase has to say.
        current_phase_context = "current-phase-context": String,
        /// The version of the event.
        version = "version": Number,
        /// The build.
        information = "additional-information": AdditionalInformation,
    }
}

members! {
    /// A phase of a build has ended.
    PhaseChange {
        /// The phase.
        phase = "completed-phase": String,
        /// How it ended: TIMED_OUT, STOPPED, FAILED, SUCCEEDED, FAULT or CLIENT_ERROR.
        status = "completed-phase-status": String,
        /// What it has to say.
        context = "completed-phase-context": String,
        /// How long it took, in seconds.
        duration_seconds = "completed-phase-duration-seconds": Number,
        /// When it began.
        start = "completed-phase-start": String,
        /// When it ended.
        end = "completed-phase-end": String,
        /// The project.
        project = "project-name": String,
        /// The build's ARN.
        build = "build-id": String,
        /// The version of the event.
        version = "version": Number,
        /// The build.
        information = "additional-information": AdditionalInformation,
    }
}

members! {
    /// What is known of a build.
    AdditionalInformation {
        /// Whether it has ended.
        is_complete = "build-complete": bool,
        /// Its number in the project.
        number = "build-number": Number,
        /// Who started it: `codepipeline/<pipeline>` where a pipeline did.
        initiator = "initiator": String,
        /// What it builds.
        source_version = "source-version": String,
        /// Where its logs are.
        logs = "logs": Logs,
        /// Its phases so far.
        phases = "phases": Vec<Phase>,
    }
}

members! {
    /// Where the logs of a build are.
    Logs {
        /// The log group.
        group = "group-name": String,
        /// The log stream.
        stream = "stream-name": String,
        /// A page of the console.
        link = "deep-link": String,
    }
}

members! {
    /// A phase of a build.
    Phase {
        /// Its name.
        kind = "phase-type": String,
        /// How it ended.
        status = "phase-status": String,
        /// What it has to say: texts, of which AWS does not say more.
        context = "phase-context": Value,
        /// When it began.
        start = "start-time": String,
        /// When it ended.
        end = "end-time": String,
        /// How long it took, in seconds.
        duration_seconds = "duration-in-seconds": Number,
    }
}

impl BuildChange {
    /// The pipeline that started the build, if one did.
    pub fn pipeline(&self) -> Option<&str> {
        self.information.as_ref()?.initiator.as_deref()?.strip_prefix("codepipeline/")
    }

    /// The build's id as CodePipeline has it for the external execution of an action: the end of the ARN.
    pub fn build_id(&self) -> Option<&str> {
        let build = self.build.as_deref()?;
        Some(build.rsplit_once('/').map_or(build, |(_, id)| id))
    }

    /// The first phase that failed, and what it has to say.
    pub fn failed_phase(&self) -> Option<(&str, String)> {
        let phases = self.information.as_ref()?.phases.as_ref()?;
        let failed = phases.iter().find(|phase| !matches!(phase.status.as_deref(), Some("SUCCEEDED") | None))?;
        let context = failed.context.as_ref().and_then(Value::as_array).into_iter().flatten();
        let texts: Vec<_> =
            context.filter_map(Value::as_str).map(|text| text.trim().trim_matches(':').trim()).collect();
        let said: Vec<_> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        Some((failed.kind.as_deref().unwrap_or("unknown"), said.join("; ")))
    }
}
