//! Builds that somebody starts.

use std::sync::Arc;

use serde_json::{Value, json};
use stagegate_local_actions::BuildOrder;
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::provider::{ActionFailure, Progress};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::builds::describe;
use crate::{CodeBuild, invalid_input, text};

/// The builds that were started here and that run. They end with the last handle.
#[derive(Clone)]
pub(crate) struct Started {
    tasks: TaskTracker,
    cancelled: CancellationToken,
    _last: Arc<DropGuard>,
}

impl Default for Started {
    fn default() -> Self {
        let cancelled = CancellationToken::new();
        Self { tasks: TaskTracker::new(), cancelled: cancelled.clone(), _last: Arc::new(cancelled.drop_guard()) }
    }
}

impl Started {
    pub(crate) async fn end(&self) {
        self.cancelled.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl CodeBuild {
    pub(crate) async fn start_build(&self, input: &Value) -> Result<Value, ApiError> {
        let order = self.order(input)?;
        let (begun, mut ids) = mpsc::unbounded_channel();
        let progress = Progress::new(move |update| {
            // Nobody listens any more once the build has begun.
            update.external_execution_id.into_iter().for_each(|id| drop(begun.send(id)));
        });
        let (provider, cancelled) = (self.provider.clone(), self.started.cancelled.clone());
        let mut build = self.started.tasks.spawn(async move {
            tokio::select! {
                done = provider.build(order, &progress) => done,
                // What has run is killed when its future is dropped.
                () = cancelled.cancelled() => Ok(()),
            }
        });
        let id = tokio::select! {
            biased;
            Some(id) = ids.recv() => id,
            done = &mut build => return Err(not_begun(done.ok().and_then(Result::err))),
        };
        let begun = self.builds.get(&id).ok_or_else(|| not_begun(None))?;
        Ok(json!({"build": describe(&begun)}))
    }

    fn order(&self, input: &Value) -> Result<BuildOrder, ApiError> {
        let given = |member: &str| input[member].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let project = text(input, "projectName").to_owned();
        let source = match (text(input, "sourceTypeOverride"), text(input, "sourceLocationOverride").split_once('/')) {
            ("NO_SOURCE", _) => None,
            ("S3", Some((bucket, key))) => Some((bucket.to_owned(), key.to_owned())),
            ("S3", None) => {
                return Err(invalid_input("sourceLocationOverride has the form <bucket>/<key of a ZIP file>"));
            }
            ("" | "CODEPIPELINE", _) => {
                return Err(invalid_input(format!(
                    "the source of the project {project} is a pipeline; set sourceTypeOverride to S3 or NO_SOURCE"
                )));
            }
            (other, _) => {
                return Err(invalid_input(format!(
                    "a source of the type {other} is not there locally; use S3 or NO_SOURCE"
                )));
            }
        };
        let variables = &input["environmentVariablesOverride"];
        Ok(BuildOrder {
            project,
            region: self.region.clone(),
            initiator: "local".to_owned(),
            source,
            buildspec: given("buildspecOverride"),
            variables: variables.is_array().then(|| variables.to_string()),
        })
    }
}

fn not_begun(failure: Option<ActionFailure>) -> ApiError {
    let why = failure.map_or_else(|| "it was broken off".to_owned(), |failure| failure.message);
    invalid_input(format!("the build could not begin: {why}"))
}
