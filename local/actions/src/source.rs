//! The source action: a folder on this machine, in a Git repository or not, stands in for a remote repository.

mod files;
mod git;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use stagegate_local_codepipeline::provider::{
    ActionFailure, ActionProvider, ActionRequest, ActionSuccess, ArtifactBucket, Progress, ProgressUpdate,
    SourceRevision,
};

use crate::archive::{ArchiveError, ArchiveLimits, Packed, pack};
use git::{Commit, Repository};

/// Takes a folder as the source of a pipeline, for any source provider: CodeStarSourceConnection, CodeCommit, GitHub
/// or S3.
///
/// What is packed is the working tree as it lies on disk, because that is what its author wants to try: all files but
/// `.git` and what `.gitignore` names. In a Git repository whose working tree is clean, the revision is the commit id;
/// with uncommitted changes, and outside of a repository, it is a digest of the content, and the summary says so.
/// A revision that was asked for by StartPipelineExecution is taken from the repository's history instead.
pub struct SourceProvider {
    folder: PathBuf,
    bucket: Arc<dyn ArtifactBucket>,
    limits: ArchiveLimits,
}

/// What was packed, and what is known about it.
struct Taken {
    body: Vec<u8>,
    revision: String,
    summary: String,
    commit: Option<Commit>,
    branch: Option<String>,
    repository: String,
}

impl SourceProvider {
    /// A source that packs `folder` each time it runs.
    pub fn new(folder: impl Into<PathBuf>, bucket: Arc<dyn ArtifactBucket>) -> Self {
        Self { folder: folder.into(), bucket, limits: ArchiveLimits::default() }
    }

    /// Sets how much the folder may hold.
    #[must_use]
    pub fn with_limits(mut self, limits: ArchiveLimits) -> Self {
        self.limits = limits;
        self
    }

    async fn take(&self, requested: Option<&str>) -> Result<Taken, ActionFailure> {
        let folder = std::fs::canonicalize(&self.folder).map_err(|error| {
            configuration(format!("the source folder {} cannot be read: {error}", self.folder.display()))
        })?;
        let repository = Repository::open(&folder).await;
        match (repository, requested) {
            (Some(repository), Some(revision)) => self.take_commit(&repository, &folder, revision).await,
            (repository, requested) => {
                let taken = self.take_working_tree(&folder, repository.as_ref()).await?;
                match requested {
                    Some(revision) if revision != taken.revision => Err(configuration(format!(
                        "the revision {revision:?} was asked for, but {} is no Git repository and its content has the revision {}",
                        folder.display(),
                        taken.revision
                    ))),
                    _ => Ok(taken),
                }
            }
        }
    }

    async fn take_working_tree(&self, folder: &Path, repository: Option<&Repository>) -> Result<Taken, ActionFailure> {
        let state = match repository {
            Some(repository) => Some(repository.state().await.map_err(source_unavailable)?),
            None => None,
        };
        let tracked = state.as_ref().map(|state| state.tracked.clone());
        let packed = self.pack(folder, tracked).await?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(state) = state else {
            let summary = format!("the files of {name} (no Git repository)");
            let revision = short_digest(&packed);
            return Ok(Taken { body: packed.body, revision, summary, commit: None, branch: None, repository: name });
        };
        let (revision, summary) = match &state.head {
            Some(head) if state.clean => (head.id.clone(), head.subject().to_owned()),
            Some(head) => (
                short_digest(&packed),
                format!("uncommitted changes on top of {}: {}", head.id.get(..8).unwrap_or(&head.id), head.subject()),
            ),
            None => (short_digest(&packed), "uncommitted files; the repository has no commit yet".to_owned()),
        };
        Ok(Taken {
            body: packed.body,
            revision,
            summary,
            commit: state.head,
            branch: state.branch,
            repository: state.name.unwrap_or(name),
        })
    }

    async fn take_commit(
        &self,
        repository: &Repository,
        folder: &Path,
        revision: &str,
    ) -> Result<Taken, ActionFailure> {
        let commit = repository.commit(revision).await.map_err(configuration)?;
        let body = repository.archive(&commit.id, self.limits.bytes).await.map_err(source_unavailable)?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Taken {
            body,
            revision: commit.id.clone(),
            summary: commit.subject().to_owned(),
            branch: None,
            repository: repository.name().await.unwrap_or(name),
            commit: Some(commit),
        })
    }

    async fn pack(&self, folder: &Path, tracked: Option<Vec<String>>) -> Result<Packed, ActionFailure> {
        let (folder, limits) = (folder.to_owned(), self.limits);
        tokio::task::spawn_blocking(move || {
            let members = files::members(&folder, tracked.as_deref(), limits)?;
            pack(&members, limits)
        })
        .await
        .map_err(|error| source_unavailable(format!("the source folder could not be packed: {error}")))?
        .map_err(|error: ArchiveError| configuration(format!("the source folder cannot be packed: {error}")))
    }
}

#[async_trait]
impl ActionProvider for SourceProvider {
    async fn run(&self, request: ActionRequest, progress: Progress) -> Result<ActionSuccess, ActionFailure> {
        let taken = self.take(request.requested_revision.as_deref()).await?;
        for artifact in &request.output_artifacts {
            self.bucket.put(&artifact.bucket, &artifact.key, taken.body.clone()).await.map_err(|error| {
                source_unavailable(format!("the source artifact {} could not be stored: {error}", artifact.name))
            })?;
        }
        progress.report(ProgressUpdate {
            external_execution_id: Some(taken.revision.clone()),
            summary: Some(taken.summary.clone()),
            ..ProgressUpdate::default()
        });
        Ok(ActionSuccess {
            external_execution_id: Some(taken.revision.clone()),
            external_execution_url: None,
            summary: Some(taken.summary.clone()),
            output_variables: output_variables(&request, &taken),
            revision: Some(SourceRevision { id: taken.revision, summary: taken.summary, url: None }),
        })
    }
}

/// The output variables that the AWS CodePipeline guide ("Variables reference") lists for each source provider.
fn output_variables(request: &ActionRequest, taken: &Taken) -> BTreeMap<String, String> {
    let configured = |key: &str| request.configuration.get(key).cloned();
    let commit = taken.commit.as_ref();
    let of_commit = |field: fn(&Commit) -> &String| commit.map(|commit| field(commit).clone());
    let branch = taken.branch.clone().or_else(|| configured("BranchName")).or_else(|| configured("Branch"));
    let message = commit.map_or_else(|| taken.summary.clone(), |commit| commit.message.clone());
    let mut pairs = vec![];
    match request.provider.as_str() {
        "S3" => pairs.extend([
            ("BucketName", configured("S3Bucket")),
            ("ObjectKey", configured("S3ObjectKey")),
            ("ETag", Some(taken.revision.clone())),
            ("VersionId", Some(taken.revision.clone())),
        ]),
        "CodeCommit" | "GitHub" => pairs.extend([
            ("CommitterDate", of_commit(|commit| &commit.committer_date)),
            (
                "RepositoryName",
                configured("RepositoryName").or_else(|| configured("Repo")).or(Some(taken.repository.clone())),
            ),
        ]),
        _ => pairs.extend([
            ("AuthorDisplayName", of_commit(|commit| &commit.author_name)),
            ("AuthorEmail", of_commit(|commit| &commit.author_email)),
            ("AuthorId", of_commit(|commit| &commit.author_email)),
            ("ConnectionArn", configured("ConnectionArn")),
            ("FullRepositoryName", configured("FullRepositoryId").or(Some(taken.repository.clone()))),
        ]),
    }
    if request.provider != "S3" {
        pairs.extend([
            ("AuthorDate", of_commit(|commit| &commit.author_date)),
            ("BranchName", branch),
            ("CommitId", Some(taken.revision.clone())),
            ("CommitMessage", Some(message)),
        ]);
    }
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// As long as a commit id, so that it fits wherever one is shown.
fn short_digest(packed: &Packed) -> String {
    packed.digest.get(..40).unwrap_or(&packed.digest).to_owned()
}

fn configuration(message: impl Into<String>) -> ActionFailure {
    ActionFailure::new("ConfigurationError", message)
}

fn source_unavailable(message: impl Into<String>) -> ActionFailure {
    ActionFailure::new("JobFailed", message)
}
