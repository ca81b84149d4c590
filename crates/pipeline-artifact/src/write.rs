//! Output artifacts: a ZIP built in memory and put where CodePipeline expects it.

use std::io::{Cursor, Write as _};

use aws_sdk_s3::types::ServerSideEncryption;
use bytes::Bytes;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::client::{ArtifactLocation, ArtifactStore};
use crate::error::{ArtifactError, Problem};
use crate::s3_error::problem_of;
use crate::zip::check_written_path;

/// Files of an output artifact, which is small: it is built in memory.
#[derive(Default)]
pub struct ArtifactBuilder {
    files: Vec<(String, Bytes)>,
}

impl ArtifactBuilder {
    /// An artifact without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file; `path` is relative to the artifact's root and has `/` between its parts.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        self.files.push((path.into(), content.into()));
        self
    }

    /// The archive. Equal files make equal bytes: no times are recorded.
    fn build(&self) -> Result<Vec<u8>, Problem> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().unix_permissions(0o644);
        for (path, content) in &self.files {
            let failed = |reason: String| Problem::Unwritable { path: path.clone(), reason };
            check_written_path(path).map_err(|reason| failed(reason.to_owned()))?;
            archive.start_file(path, options).map_err(|error| failed(error.to_string()))?;
            archive.write_all(content).map_err(|error| failed(error.to_string()))?;
        }
        let archive = archive.finish();
        let archive =
            archive.map_err(|error| Problem::Unwritable { path: String::new(), reason: error.to_string() })?;
        Ok(archive.into_inner())
    }
}

impl std::fmt::Debug for ArtifactBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.files.iter().map(|(path, _)| path)).finish()
    }
}

impl ArtifactStore {
    /// Writes an output artifact to the place that the job names for it, encrypted by SSE-KMS: with `kms_key` (the
    /// `encryptionKey.id` of the job) if there is one, else with the AWS managed key (AWS CodePipeline guide,
    /// "actions-create-custom-action").
    ///
    /// # Errors
    /// A path cannot be used or stands twice; S3 does not answer, or refuses.
    pub async fn put(
        &self,
        location: &ArtifactLocation,
        artifact: &ArtifactBuilder,
        kms_key: Option<&str>,
    ) -> Result<(), ArtifactError> {
        let failed = |problem| ArtifactError::writing(location, problem);
        let archive = artifact.build().map_err(failed)?;
        self.client()
            .put_object()
            .bucket(&location.bucket)
            .key(&location.key)
            .content_type("application/zip")
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(kms_key.map(str::to_owned))
            .body(archive.into())
            .customize()
            .config_override(self.job_credentials())
            .send()
            .await
            .map_err(|error| failed(problem_of(&error)))?;
        Ok(())
    }
}
