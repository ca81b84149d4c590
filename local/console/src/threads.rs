//! What is known of executions and was posted about them, as it lies in the state bucket.

use serde_json::Value;
use stagegate_config::Config;
use stagegate_delivery::{Observed, PipelineReport, Report};
use stagegate_local_aws::LocalS3;
use stagegate_local_codepipeline::provider::ArtifactBucket;
use stagegate_notice::{Subject, Thread};

/// The folder of the documents.
const FOLDER: &str = "threads/";

/// The threads of a pipeline, or why one of them cannot be shown.
#[derive(Default)]
pub(crate) struct Threads {
    pub(crate) threads: Vec<Thread>,
    pub(crate) unread: Vec<String>,
}

/// Reads all threads of a pipeline.
pub(crate) async fn of(s3: &LocalS3, buckets: &[String], pipeline: &str) -> Threads {
    let mut found = Threads::default();
    for bucket in buckets {
        let keys = s3.keys(bucket, FOLDER).await.unwrap_or_default();
        for key in keys.iter().filter(|key| key.ends_with(".json")) {
            match read(s3, bucket, key).await {
                Ok(thread) if thread.subject == Subject::Pipeline && thread.pipeline == pipeline => {
                    found.threads.push(thread)
                }
                Ok(_) => {}
                Err(reason) => found.unread.push(reason),
            }
        }
    }
    found
}

async fn read(s3: &LocalS3, bucket: &str, key: &str) -> Result<Thread, String> {
    let bytes = s3.get(bucket, key).await?;
    let failed = |error: serde_json::Error| format!("read s3://{bucket}/{key}: {error}");
    let mut stored: Value = serde_json::from_slice(&bytes).map_err(failed)?;
    serde_json::from_value(stored["document"].take()).map_err(failed)
}

impl Threads {
    /// The thread of an execution.
    pub(crate) fn of(&self, execution: &str) -> Option<&Thread> {
        self.threads.iter().find(|thread| thread.execution == execution)
    }

    /// How the pipeline delivers, by these threads.
    pub(crate) fn delivery(&self, config: &Config) -> Option<PipelineReport> {
        let known = self.threads.iter().map(|thread| Observed {
            pipeline: thread.pipeline.clone(),
            execution: thread.execution.clone(),
            picture: thread.picture.clone(),
        });
        let known: Vec<_> = known.collect();
        let until = known.iter().filter_map(|one| one.picture.state.map(|moment| moment.at)).max()?;
        Report::new(&known, |pipeline| config.delivery(pipeline), None, until).pipelines.pop()
    }
}
