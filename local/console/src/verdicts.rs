//! What gates have found, as it lies in the state bucket.

use serde_json::Value;
use stagegate_local_aws::LocalS3;
use stagegate_local_codepipeline::provider::ArtifactBucket;
use stagegate_verdict::Verdict;

/// A verdict, or why one cannot be shown.
pub(crate) struct Found {
    /// The stage that the gate was told it judges in, where it was.
    pub(crate) stage: Option<String>,
    pub(crate) verdict: Result<Verdict, String>,
}

/// The verdicts about an execution, by the names of their gates.
pub(crate) async fn of(s3: &LocalS3, buckets: &[String], execution: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let folder = format!("executions/{execution}/verdicts/");
    for bucket in buckets {
        let keys = s3.keys(bucket, &folder).await.unwrap_or_default();
        for key in keys.iter().filter(|key| key.ends_with(".json")) {
            found.push(read(s3, bucket, key).await);
        }
    }
    found
}

async fn read(s3: &LocalS3, bucket: &str, key: &str) -> Found {
    let read = s3.get(bucket, key).await.and_then(|bytes| {
        serde_json::from_slice::<Value>(&bytes).map_err(|error| format!("read s3://{bucket}/{key}: {error}"))
    });
    let document = match read {
        Ok(mut stored) => stored["document"].take(),
        Err(reason) => return Found { stage: None, verdict: Err(reason) },
    };
    let stage = document["stage"].as_str().map(str::to_owned);
    let verdict = serde_json::from_value(document).map_err(|error| format!("read s3://{bucket}/{key}: {error}"));
    Found { stage, verdict }
}
