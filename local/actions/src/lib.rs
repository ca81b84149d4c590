//! Action providers of the local CodePipeline: source, CodeBuild, CodeDeploy, S3 and Commands.
//!
//! Each provider carries out the actions of one action type with real processes and real files on this machine, the
//! way the AWS service does it, and leaves no process and no half-written target behind when its future is dropped.

mod archive;
mod codebuild;
mod codedeploy;
mod commands;
mod log;
mod names;
mod process;
mod s3_deploy;
mod service_event;
mod source;
mod work_folder;

pub use archive::{ArchiveError, ArchiveLimits, unpack};
pub use codebuild::{
    BuildOrder, BuildPhase, BuildRecord, BuildStatus, Builds, CodeBuildProvider, PhaseContext, PhaseType, Project,
    ReportFile, ReportRecord,
};
pub use codedeploy::{
    CodeDeployProvider, DeploymentRecord, DeploymentStatus, Deployments, FolderServer, InstanceServer, InstanceServers,
    LifecycleEventRecord, LifecycleEventStatus, ServeError, deployment_state_change,
};
pub use commands::CommandsProvider;
pub use log::{LogLine, LogListener};
pub use s3_deploy::S3DeployProvider;
pub use service_event::{ServiceEvent, ServiceEvents};
pub use source::SourceProvider;

/// The account that everything local belongs to.
const ACCOUNT_ID: &str = "111122223333";
