//! The Commands action: runs the action's own list of shell commands in its input artifact, without a build project.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::{
    ActionFailure, ActionProvider, ActionRequest, ActionSuccess, ArtifactBucket, Progress,
};

use crate::codebuild::{Builds, Buildspec, Engine, Job, Origin, Project, Specification};
use crate::log::LogListener;

/// The AWS CodePipeline guide's limit of a Commands action.
const TIMEOUT: Duration = Duration::from_secs(55 * 60);

/// Runs Commands actions (Compute/Commands), in the first input artifact. Output artifacts and output variables of the
/// action are not supported: the request does not say which files and variables they are.
pub struct CommandsProvider {
    engine: Engine,
}

impl CommandsProvider {
    /// A provider that keeps its logs below `data`.
    pub fn new(data: impl Into<PathBuf>, bucket: Arc<dyn ArtifactBucket>, clock: Clock) -> Self {
        Self { engine: Engine::new(data.into(), bucket, clock) }
    }

    /// Has `listener` called for each line of each log.
    #[must_use]
    pub fn with_log_listener(mut self, listener: LogListener) -> Self {
        self.engine.listener = Some(listener);
        self
    }

    /// A handle to what has run and what runs, recorded as builds.
    pub fn builds(&self) -> Builds {
        self.engine.builds.clone()
    }
}

#[async_trait]
impl ActionProvider for CommandsProvider {
    async fn run(&self, request: ActionRequest, progress: Progress) -> Result<ActionSuccess, ActionFailure> {
        let refuse = |message: &str| Err(ActionFailure::new("ConfigurationError", message));
        if request.commands.is_empty() {
            return refuse("the Commands action has no commands");
        }
        if request.input_artifacts.is_empty() {
            return refuse("the Commands action has no input artifact to run its commands in");
        }
        if !request.output_artifacts.is_empty() {
            return refuse(
                "output artifacts of a Commands action are not supported locally; use a CodeBuild action for them",
            );
        }
        let job = Job {
            project: format!("{}-{}", request.pipeline, request.action),
            settings: Project { timeout: TIMEOUT, ..Project::default() },
            specification: Specification::Inline(Box::new(Buildspec::of_commands(request.commands.clone()))),
            primary: 0,
            action_variables: None,
            origin: Origin::pipeline(&request),
            request,
        };
        self.engine.build(job, &progress).await
    }
}
