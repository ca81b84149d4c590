//! The folder that stands in for an instance, and the switch from one deployment to the next.
//!
//! ```text
//! <instance>/current -> deployments/d-ABCDEFGHI/root      what is served
//! <instance>/deployments/d-ABCDEFGHI/root                 the instance's files after this deployment
//! <instance>/deployments/d-ABCDEFGHI/deployment-archive   the revision
//! <instance>/deployments/d-ABCDEFGHI/installed.json       which files the revision has put into the root
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// How many deployments are kept: as many as the CodeDeploy agent keeps by default.
const KEPT: usize = 5;

/// The instance of one deployment group.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    folder: PathBuf,
}

impl Instance {
    pub(super) fn new(data: &Path, application: &str, group: &str) -> Self {
        Self { folder: data.join("instances").join(application).join(group) }
    }

    /// The link to the root that is served.
    pub(super) fn current_root(&self) -> PathBuf {
        self.folder.join("current")
    }

    /// The id of the deployment that is served.
    pub(super) fn current(&self) -> Option<String> {
        let target = fs::read_link(self.current_root()).ok()?;
        Some(target.components().nth(1)?.as_os_str().to_str()?.to_owned())
    }

    /// The folder of a deployment.
    pub(super) fn deployment(&self, id: &str) -> PathBuf {
        self.folder.join("deployments").join(id)
    }

    /// Has the root of a deployment served from now on. Whoever asks at the same time gets the old or the new one.
    pub(super) fn switch(&self, id: &str) -> io::Result<()> {
        let next = self.folder.join("next");
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        symlink(Path::new("deployments").join(id).join("root"), &next)?;
        fs::rename(&next, self.current_root())
    }

    /// Removes all but the last deployments.
    pub(super) fn prune(&self) {
        let Ok(entries) = fs::read_dir(self.folder.join("deployments")) else { return };
        let current = self.current();
        let mut deployments: Vec<_> = entries
            .flatten()
            .filter(|entry| Some(entry.file_name()) != current.as_ref().map(Into::into))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        deployments.sort();
        deployments.reverse();
        for (_, path) in deployments.into_iter().skip(KEPT - 1) {
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::debug!(path = %path.display(), %error, "an old deployment is not removed");
            }
        }
    }
}
