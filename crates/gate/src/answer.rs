//! From a verdict to the answer of the job.

use codepipeline_job::{Failure, Outcome, Success};
use stagegate_state_store::StateError;
use stagegate_verdict::{Outcome as VerdictOutcome, Verdict};

/// Logs a verdict and makes the answer of the job from it. `kept` tells whether it could be stored; it stands all the
/// same, and whoever reads it is told.
///
/// # Errors
///
/// The failure of the job, where the verdict is anything but passed.
pub fn answer(verdict: &Verdict, kept: Result<(), StateError>) -> Result<Outcome, Failure> {
    let findings = serde_json::to_string(verdict.findings()).unwrap_or_default();
    tracing::info!(gate = verdict.gate(), outcome = %verdict.outcome(), summary = verdict.summary(), findings, "judged");
    let note = match kept {
        Err(error) => {
            let reason = error.to_string();
            tracing::error!(reason, "the verdict could not be stored");
            format!(" (the verdict could not be stored: failed to {reason})")
        }
        Ok(()) => String::new(),
    };
    match verdict.outcome() {
        VerdictOutcome::Passed => {
            let summary = verdict.summary_line() + &note;
            Ok(Success::new(summary).output_variables(verdict.output_variables()).percent_complete(100).into())
        }
        VerdictOutcome::Failed => Err(Failure::job_failed(verdict.failure_message() + &note)),
        // An action knows no third way. Whoever looks into it can retry the stage.
        VerdictOutcome::Inconclusive => {
            let message = verdict.failure_message();
            Err(Failure::job_failed(format!("inconclusive, a person must look: {message}{note}")))
        }
    }
}
