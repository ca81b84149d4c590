//! The AppSpec file of an EC2/on-premises deployment, as the AWS CodeDeploy guide ("AppSpec file reference") defines
//! it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The longest that the scripts of one lifecycle event may take together, and the default for one script.
const MAX_EVENT: u64 = 3600;

/// An AppSpec that was read and checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AppSpec {
    pub(super) files: Vec<Mapping>,
    pub(super) file_exists_behavior: FileExistsBehavior,
    pub(super) hooks: BTreeMap<LifecycleEvent, Vec<Hook>>,
    /// What is valid on AWS and has no effect here, in words.
    pub(super) notes: Vec<String>,
}

/// What is copied where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    /// Relative to the revision; empty for all of it.
    pub(super) source: PathBuf,
    /// Relative to the instance's root.
    pub(super) destination: PathBuf,
}

/// What happens when a file to be installed is there already, without being part of the last deployment.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum FileExistsBehavior {
    #[default]
    Disallow,
    Overwrite,
    Retain,
}

/// The lifecycle events that can have scripts.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LifecycleEvent {
    ApplicationStop,
    BeforeInstall,
    AfterInstall,
    ApplicationStart,
    ValidateService,
    BeforeBlockTraffic,
    AfterBlockTraffic,
    BeforeAllowTraffic,
    AfterAllowTraffic,
}

/// A script of a lifecycle event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hook {
    /// Relative to the revision.
    pub(super) location: PathBuf,
    pub(super) timeout: Duration,
}

/// Why an AppSpec cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum AppSpecError {
    #[error("{0}")]
    Yaml(Box<serde_saphyr::Error>),
    #[error(
        "it describes a Lambda or ECS deployment (`Resources`), and CodePipeline's CodeDeploy action hands CodeDeploy a ZIP file, \
         which such a deployment refuses: BundleType must be either YAML or JSON; for ECS use the provider CodeDeployToECS, for \
         Lambda have a build call `aws deploy create-deployment`"
    )]
    Functions,
    #[error("version {0:?} is not known; write `version: 0.0`")]
    Version(String),
    #[error("os {0:?} is not supported here; the local instance is `os: linux`")]
    OperatingSystem(String),
    #[error("the destination {0:?} must be a full path such as /var/www/html, without `..`")]
    Destination(String),
    #[error("{0:?} must be a path within the revision")]
    Source(String),
    #[error("{event:?}: the timeouts of its scripts are {seconds} s together; the most is {MAX_EVENT} s")]
    Timeout { event: LifecycleEvent, seconds: u64 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    os: String,
    #[serde(default)]
    files: Vec<FileMapping>,
    #[serde(default)]
    file_exists_behavior: FileExistsBehavior,
    permissions: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    hooks: BTreeMap<LifecycleEvent, Vec<FileHook>>,
}

/// What only an AppSpec of another compute platform has.
#[derive(Deserialize)]
struct OtherPlatform {
    #[serde(rename = "Resources")]
    resources: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileMapping {
    source: String,
    destination: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileHook {
    location: String,
    timeout: Option<u64>,
    runas: Option<String>,
}

impl AppSpec {
    /// Reads an AppSpec file.
    pub(super) fn parse(text: &str) -> Result<Self, AppSpecError> {
        if serde_saphyr::from_str::<OtherPlatform>(text).is_ok_and(|other| other.resources.is_some()) {
            return Err(AppSpecError::Functions);
        }
        let file: File = serde_saphyr::from_str(text).map_err(|error| AppSpecError::Yaml(Box::new(error)))?;
        if file.version != "0.0" {
            return Err(AppSpecError::Version(file.version));
        }
        if file.os != "linux" {
            return Err(AppSpecError::OperatingSystem(file.os));
        }
        Ok(Self {
            notes: file.notes(),
            files: file.files.iter().map(mapping).collect::<Result<_, _>>()?,
            file_exists_behavior: file.file_exists_behavior,
            hooks: file.hooks.into_iter().map(hooks).collect::<Result<_, _>>()?,
        })
    }
}

impl File {
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.permissions.is_some() {
            notes.push("permissions have no effect on the local instance".to_owned());
        }
        if self.hooks.values().flatten().any(|hook| hook.runas.is_some()) {
            notes
                .push("runas has no effect on the local instance: scripts run as the user of the local AWS".to_owned());
        }
        if self.hooks.keys().any(|event| *event > LifecycleEvent::ValidateService) {
            notes.push("the hooks for blocking and allowing traffic do not run: they need a load balancer".to_owned());
        }
        notes
    }
}

fn mapping(file: &FileMapping) -> Result<Mapping, AppSpecError> {
    let destination = match file.destination.strip_prefix('/') {
        Some(relative) => plain(relative),
        None => None,
    };
    Ok(Mapping {
        source: plain(file.source.trim_start_matches('/')).ok_or_else(|| AppSpecError::Source(file.source.clone()))?,
        destination: destination.ok_or_else(|| AppSpecError::Destination(file.destination.clone()))?,
    })
}

fn hooks((event, files): (LifecycleEvent, Vec<FileHook>)) -> Result<(LifecycleEvent, Vec<Hook>), AppSpecError> {
    let mut hooks = Vec::new();
    let mut seconds = 0u64;
    for file in files {
        let location = plain(&file.location).filter(|path| !path.as_os_str().is_empty());
        let location = location.ok_or_else(|| AppSpecError::Source(file.location.clone()))?;
        seconds = seconds.saturating_add(file.timeout.unwrap_or(0));
        hooks.push(Hook { location, timeout: Duration::from_secs(file.timeout.unwrap_or(MAX_EVENT)) });
    }
    if seconds > MAX_EVENT { Err(AppSpecError::Timeout { event, seconds }) } else { Ok((event, hooks)) }
}

/// A relative path without `.` and `..`.
fn plain(path: &str) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => plain.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}
