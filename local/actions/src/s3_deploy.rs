//! The S3 deploy action: copies an artifact, packed or unpacked, into a bucket.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::{
    ActionFailure, ActionProvider, ActionRequest, ActionSuccess, ArtifactBucket, Progress,
};
use uuid::Uuid;

use crate::archive::{ArchiveLimits, unpack};
use crate::work_folder::WorkFolder;

/// Configuration keys that mean something on AWS only.
const WITHOUT_EFFECT: [&str; 3] = ["CannedACL", "CacheControl", "KMSEncryptionKeyARN"];

/// Runs S3 deploy actions. `Extract` is `true` or `false`; `ObjectKey` may hold `${datetime}` and `${uuid}`, as the AWS
/// CodePipeline guide says. `CannedACL`, `CacheControl` and `KMSEncryptionKeyARN` have no effect, and the summary says so.
pub struct S3DeployProvider {
    data: PathBuf,
    bucket: Arc<dyn ArtifactBucket>,
    clock: Clock,
}

impl S3DeployProvider {
    /// A provider that unpacks artifacts below `data` for as long as they are copied.
    pub fn new(data: impl Into<PathBuf>, bucket: Arc<dyn ArtifactBucket>, clock: Clock) -> Self {
        Self { data: data.into(), bucket, clock }
    }

    fn object_key(&self, written: &str) -> String {
        let now = self.clock.now().strftime("%Y-%m-%d_%H-%M-%S").to_string();
        written.replace("${datetime}", &now).replace("${uuid}", &Uuid::new_v4().to_string())
    }

    async fn extract(&self, body: Vec<u8>, bucket: &str, prefix: Option<&str>) -> Result<usize, String> {
        let work = WorkFolder::create(self.data.join("s3-deploy").join(Uuid::new_v4().to_string()))
            .map_err(|error| error.to_string())?;
        let folder = work.path().to_owned();
        let files = tokio::task::spawn_blocking(move || {
            unpack(&body, &folder, ArchiveLimits::default()).map_err(|error| error.to_string())?;
            files_below(&folder).map_err(|error| error.to_string())
        });
        let files = files.await.map_err(|error| error.to_string())??;
        for (name, path) in &files {
            let key = match prefix {
                Some(prefix) => format!("{}/{name}", prefix.trim_end_matches('/')),
                None => name.clone(),
            };
            let content = tokio::fs::read(path).await.map_err(|error| format!("{name}: {error}"))?;
            self.bucket.put(bucket, &key, content).await.map_err(|error| format!("s3://{bucket}/{key}: {error}"))?;
        }
        Ok(files.len())
    }
}

#[async_trait]
impl ActionProvider for S3DeployProvider {
    async fn run(&self, request: ActionRequest, _progress: Progress) -> Result<ActionSuccess, ActionFailure> {
        let configuration = |message: String| ActionFailure::new("ConfigurationError", message);
        let failed = |message: String| ActionFailure::new("JobFailed", message);
        let configured = |key: &str| request.configuration.get(key).map(String::as_str);
        let missing = |key: &str| configuration(format!("the S3 action has no {key} in its configuration"));
        let bucket = configured("BucketName").ok_or_else(|| missing("BucketName"))?;
        let extract = match configured("Extract").ok_or_else(|| missing("Extract"))? {
            "true" => true,
            "false" => false,
            other => return Err(configuration(format!("Extract is {other:?}; write true or false"))),
        };
        let [input] = request.input_artifacts.as_slice() else {
            return Err(configuration("an S3 action needs exactly one input artifact".to_owned()));
        };
        let key = configured("ObjectKey").map(|written| self.object_key(written));
        let body = self.bucket.get(&input.bucket, &input.key).await;
        let body =
            body.map_err(|error| failed(format!("the input artifact {} could not be read: {error}", input.name)))?;
        let mut summary = if extract {
            let files = self.extract(body, bucket, key.as_deref()).await.map_err(failed)?;
            format!("{files} files in s3://{bucket}/{}", key.unwrap_or_default())
        } else {
            let key = key.ok_or_else(|| missing("ObjectKey (required unless Extract is true)"))?;
            self.bucket
                .put(bucket, &key, body)
                .await
                .map_err(|error| failed(format!("s3://{bucket}/{key}: {error}")))?;
            format!("s3://{bucket}/{key}")
        };
        let ignored: Vec<&str> = WITHOUT_EFFECT.into_iter().filter(|key| configured(key).is_some()).collect();
        if !ignored.is_empty() {
            summary.push_str(&format!(" ({} without effect here)", ignored.join(", ")));
        }
        Ok(ActionSuccess { summary: Some(summary), ..ActionSuccess::default() })
    }
}

/// All files with their names relative to the folder, in order. Links are followed: S3 has none, and unpacking has made
/// sure that they stay in the folder.
fn files_below(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if fs::symlink_metadata(&path)?.is_dir() {
                folders.push(path);
            } else if fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
                files.push((name, path));
            }
        }
    }
    files.sort();
    Ok(files)
}
