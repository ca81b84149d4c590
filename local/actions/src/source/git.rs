//! What Git knows about a folder, by way of the `git` program.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// The most bytes that are read of what `git` prints (not of an archive).
const MAX_OUTPUT: u64 = 64 << 20;

/// A folder within the working tree of a Git repository.
#[derive(Debug)]
pub(super) struct Repository {
    folder: PathBuf,
}

/// The working tree's state below the folder.
#[derive(Debug)]
pub(super) struct State {
    pub(super) head: Option<Commit>,
    pub(super) branch: Option<String>,
    /// Whether nothing below the folder differs from `head`.
    pub(super) clean: bool,
    /// The files that Git knows, relative to the folder.
    pub(super) tracked: Vec<String>,
    /// `owner/name` of the remote `origin`.
    pub(super) name: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) author_name: String,
    pub(super) author_email: String,
    /// In ISO 8601, as the commit has it.
    pub(super) author_date: String,
    pub(super) committer_date: String,
    pub(super) message: String,
}

impl Commit {
    /// The first line of the message.
    pub(super) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

impl Repository {
    /// The repository that `folder` lies in; `None` outside of a repository and where `git` is not installed.
    pub(super) async fn open(folder: &Path) -> Option<Self> {
        let repository = Self { folder: folder.to_owned() };
        let inside = repository.text(&["rev-parse", "--is-inside-work-tree"]).await.ok()?;
        // An ignored folder within a repository (a build directory, say) is not part of that repository.
        let ignored = repository.git(&["check-ignore", "--quiet", "."], MAX_OUTPUT).await.is_ok();
        (inside.trim() == "true" && !ignored).then_some(repository)
    }

    pub(super) async fn state(&self) -> Result<State, String> {
        let head = match self.git(&["rev-parse", "--verify", "--quiet", "HEAD"], MAX_OUTPUT).await {
            Ok(_) => Some(self.commit("HEAD").await?),
            Err(_) => None,
        };
        let changes = self.text(&["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--", "."]).await?;
        let tracked = self.text(&["ls-files", "-z", "--cached"]).await?;
        let branch = self.text(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await.ok();
        Ok(State {
            head,
            branch: branch.map(|name| name.trim_end().to_owned()),
            clean: changes.is_empty(),
            tracked: tracked.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            name: self.name().await,
        })
    }

    /// The commit that `revision` names.
    pub(super) async fn commit(&self, revision: &str) -> Result<Commit, String> {
        let peeled = format!("{revision}^{{commit}}");
        let id = self.text(&["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled]).await.map_err(|_| {
            format!("the revision {revision:?} is not a commit of the repository at {}", self.folder.display())
        })?;
        let format = "--format=%H%x00%an%x00%ae%x00%aI%x00%cI%x00%B";
        let text = self.text(&["log", "-1", "--no-show-signature", format, id.trim()]).await?;
        let mut fields = text.splitn(6, '\0').map(|field| field.trim_end().to_owned());
        let mut next = || fields.next().unwrap_or_default();
        Ok(Commit {
            id: next(),
            author_name: next(),
            author_email: next(),
            author_date: next(),
            committer_date: next(),
            message: next(),
        })
    }

    /// The files of a commit below the folder, as a ZIP file. (In a folder of a repository, `git archive` writes that
    /// folder's part.)
    pub(super) async fn archive(&self, commit: &str, limit: u64) -> Result<Vec<u8>, String> {
        self.git(&["archive", "--format=zip", commit], limit).await
    }

    /// `owner/name` from the URL of the remote `origin`.
    pub(super) async fn name(&self) -> Option<String> {
        let url = self.text(&["config", "--get", "remote.origin.url"]).await.ok()?;
        let path = url.trim().trim_end_matches('/').trim_end_matches(".git");
        let mut parts = path.rsplit(['/', ':']);
        let (name, owner) = (parts.next()?, parts.next()?);
        (!name.is_empty() && !owner.is_empty()).then(|| format!("{owner}/{name}"))
    }

    async fn text(&self, arguments: &[&str]) -> Result<String, String> {
        let bytes = self.git(arguments, MAX_OUTPUT).await?;
        String::from_utf8(bytes).map_err(|_| format!("git {}: its output is not UTF-8", arguments[0]))
    }

    /// Runs `git` in the folder. Nothing of it asks for a password, takes locks that a person's own `git` waits for,
    /// or looks at another repository because of the caller's environment.
    async fn git(&self, arguments: &[&str], limit: u64) -> Result<Vec<u8>, String> {
        let failed = |reason: String| format!("git {} in {}: {reason}", arguments[0], self.folder.display());
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.folder).args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"]);
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE"] {
            command.env_remove(variable);
        }
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let mut output = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(limit + 1).read_to_end(&mut output).await.map_err(|error| failed(error.to_string()))?;
        }
        if output.len() as u64 > limit {
            return Err(failed(format!("it printed more than {limit} bytes")));
        }
        let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
        if status.success() { Ok(output) } else { Err(failed(status.to_string())) }
    }
}
