//! Which execution a job belongs to.

use codepipeline_job::Job;
use stagegate_config::UserParameters;
use stagegate_verdict::Execution;

/// Where the job belongs to. A custom action's job says it itself; a Lambda action's parameters can.
pub fn execution(job: &Job, parameters: &UserParameters) -> Execution {
    let context = job.pipeline_context.clone().unwrap_or_default();
    Execution {
        pipeline: context.pipeline_name.or_else(|| parameters.pipeline.clone()),
        stage: context.stage_name.or_else(|| parameters.stage.clone()),
        execution: context.pipeline_execution_id.or_else(|| parameters.execution.clone()),
    }
}
