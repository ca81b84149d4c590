//! Builds that no pipeline has asked for.

use std::collections::BTreeMap;

use stagegate_local_codepipeline::provider::{ActionFailure, ActionRequest, Artifact, Progress};

use super::engine::{Job, Origin};
use super::{CodeBuildProvider, specification};

/// A build that somebody has started by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOrder {
    /// The project's name.
    pub project: String,
    /// The Region that the build is in.
    pub region: String,
    /// Who has started it.
    pub initiator: String,
    /// The ZIP file to build from: bucket and key. `None` for a build without a source.
    pub source: Option<(String, String)>,
    /// A buildspec in place of the project's: a path in the source, or a text of several lines.
    pub buildspec: Option<String>,
    /// Environment variables that go before the project's: JSON, as in the configuration of a CodeBuild action.
    pub variables: Option<String>,
}

impl CodeBuildProvider {
    /// Runs a build to its end. `progress` is told its id as soon as it has begun.
    ///
    /// # Errors
    ///
    /// If it cannot begin, or has failed.
    pub async fn build(&self, order: BuildOrder, progress: &Progress) -> Result<(), ActionFailure> {
        let mut settings = self.settings(&order.project);
        settings.buildspec = order.buildspec.unwrap_or(settings.buildspec);
        let source =
            order.source.map(|(bucket, key)| Artifact { name: "Source".to_owned(), bucket, key, revision: None });
        let origin = Origin { initiator: order.initiator, source: if source.is_some() { "S3" } else { "NO_SOURCE" } };
        let job = Job {
            specification: specification(&settings),
            settings,
            primary: 0,
            action_variables: order.variables,
            origin,
            request: ActionRequest {
                // Whoever listens to logs is told whose they are.
                pipeline: order.project.clone(),
                pipeline_execution_id: String::new(),
                stage: String::new(),
                action: "StartBuild".to_owned(),
                action_execution_id: String::new(),
                provider: "CodeBuild".to_owned(),
                region: order.region,
                configuration: BTreeMap::new(),
                commands: Vec::new(),
                input_artifacts: source.into_iter().collect(),
                output_artifacts: Vec::new(),
                requested_revision: None,
            },
            project: order.project,
        };
        self.engine.build(job, progress).await.map(|_| ())
    }
}
