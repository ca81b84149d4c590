//! The phases of a build, and how they follow each other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use stagegate_local_codepipeline::provider::{ActionSuccess, Progress, ProgressUpdate};

use super::buildspec::{Buildspec, OnFailure, Phase};
use super::engine::{Engine, Job, Specification};
use super::environment::{Facts, builtin, client_error, environment};
use super::record::{BuildPhase, BuildStatus, PhaseContext, PhaseType};
use super::shell::BuildShell;
use crate::archive::{ArchiveLimits, unpack};
use crate::log::Log;

/// What marks CodeBuild's own lines in a log.
const CONTAINER: &str = "Container";

/// The most bytes that are read of a buildspec.
const MAX_BUILDSPEC: u64 = 1 << 20;

/// A build that runs.
pub(super) struct Build<'a> {
    pub(super) engine: &'a Engine,
    pub(super) job: &'a Job,
    pub(super) id: &'a str,
    pub(super) arn: &'a str,
    pub(super) number: u64,
    pub(super) work: &'a Path,
    pub(super) log: Log,
    /// What the first command that failed had printed last.
    pub(super) failed_output: Option<String>,
    pub(super) progress: &'a Progress,
}

/// Why the build has failed, for the action.
pub(super) struct Failure {
    pub(super) status: BuildStatus,
    pub(super) message: String,
}

/// The folders and the buildspec, after DOWNLOAD_SOURCE.
struct Prepared {
    buildspec: Buildspec,
    source: PathBuf,
    shell: BuildShell,
}

impl Build<'_> {
    /// Runs all phases.
    pub(super) async fn run(&mut self) -> Result<ActionSuccess, Failure> {
        self.enter(PhaseType::DownloadSource);
        let prepared = self.download_source().await;
        let Prepared { buildspec, source, mut shell } = match prepared {
            Ok(prepared) => prepared,
            Err(context) => return Err(self.leave_failed(PhaseType::DownloadSource, context)),
        };
        self.leave(PhaseType::DownloadSource, vec![]);

        let mut failure = None;
        let phases = &buildspec.phases;
        let order = [
            (PhaseType::Install, &phases.install),
            (PhaseType::PreBuild, &phases.pre_build),
            (PhaseType::Build, &phases.build),
            (PhaseType::PostBuild, &phases.post_build),
        ];
        let mut reached = PhaseType::Install;
        for (phase_type, phase) in order {
            reached = phase_type;
            let Err(context) = self.run_phase(&mut shell, phase_type, phase.as_ref()).await else { continue };
            let failed = self.leave_failed(phase_type, context);
            failure.get_or_insert(failed);
            let go_on = match phase.as_ref().and_then(|phase| phase.on_failure) {
                Some(on_failure) => on_failure == OnFailure::Continue,
                None => phase_type == PhaseType::Build,
            };
            if !go_on {
                break;
            }
        }
        let exported = shell.variables(&buildspec.env.exported_variables).await.unwrap_or_default();
        // Nothing may still write while the files are collected.
        drop(shell);
        if reached >= PhaseType::Build {
            self.enter(PhaseType::UploadArtifacts);
            match self.upload(&buildspec, &source, failure.is_none()).await {
                Ok(contexts) => self.leave(PhaseType::UploadArtifacts, contexts),
                Err(context) => {
                    let failed = self.leave_failed(PhaseType::UploadArtifacts, context);
                    failure.get_or_insert(failed);
                }
            }
        }
        self.engine.change(self.id, |record| record.exported_variables = exported.iter().cloned().collect());
        match failure {
            Some(failure) => Err(failure),
            None => Ok(ActionSuccess { output_variables: exported.into_iter().collect(), ..ActionSuccess::default() }),
        }
    }

    /// The build's time is up. Its commands have been killed by then.
    pub(super) fn time_out(&mut self, limit: Duration) -> Failure {
        let message = format!(
            "Build terminated with state: TIMED_OUT. The build ran longer than {} s, the timeout of project {}{}",
            limit.as_secs(),
            self.job.project,
            self.log.tail()
        );
        self.log.note(CONTAINER, "the build is stopped because its time is up");
        Failure { status: BuildStatus::TimedOut, message }
    }

    async fn download_source(&mut self) -> Result<Prepared, PhaseContext> {
        let mut folders = Vec::new();
        for (index, input) in self.job.request.input_artifacts.iter().enumerate() {
            let folder = if index == self.job.primary {
                self.work.join("src")
            } else {
                self.work.join("inputs").join(&input.name)
            };
            let body = self.engine.bucket.get(&input.bucket, &input.key).await.map_err(|error| {
                client_error(format!("the input artifact {} could not be read: {error}", input.name))
            })?;
            let into = folder.clone();
            let unpacked = tokio::task::spawn_blocking(move || unpack(&body, &into, ArchiveLimits::default())).await;
            unpacked
                .map_err(|error| client_error(error.to_string()))?
                .map_err(|error| client_error(format!("the input artifact {}: {error}", input.name)))?;
            folders.push((input.name.clone(), folder));
        }
        let source = self.work.join("src");
        if folders.is_empty() {
            let created = std::fs::create_dir_all(&source);
            created.map_err(|error| client_error(format!("the build's folder could not be created: {error}")))?;
            folders.push((String::new(), source.clone()));
        }
        let buildspec = self.buildspec(&source)?;
        for note in &buildspec.notes {
            self.log.note(CONTAINER, note);
        }
        let shell = self.shell(&buildspec, &source, &folders)?;
        Ok(Prepared { buildspec, source, shell })
    }

    fn buildspec(&self, source: &Path) -> Result<Buildspec, PhaseContext> {
        let path = match &self.job.specification {
            Specification::Inline(buildspec) => return Ok(buildspec.as_ref().clone()),
            Specification::Text(text) => {
                return Buildspec::parse(text).map_err(|reason| PhaseContext {
                    status_code: "YAML_FILE_ERROR".to_owned(),
                    message: format!("the buildspec of the project {}: {reason}", self.job.project),
                });
            }
            Specification::File(path) => path,
        };
        let error = |reason: String| PhaseContext {
            status_code: "YAML_FILE_ERROR".to_owned(),
            message: format!("{path}: {reason}"),
        };
        let plain = !path.starts_with('/') && path.split('/').all(|part| part != "..");
        let file = source.join(path);
        if !plain || !file.exists() {
            return Err(error(
                "there is no such file in the source; add it, or set the project's buildspec path".to_owned(),
            ));
        }
        if std::fs::metadata(&file).is_ok_and(|metadata| metadata.len() > MAX_BUILDSPEC) {
            return Err(error(format!("it is larger than {MAX_BUILDSPEC} bytes")));
        }
        let text = std::fs::read_to_string(&file).map_err(|reason| error(reason.to_string()))?;
        Buildspec::parse(&text).map_err(|reason| error(reason.to_string()))
    }

    fn shell(
        &mut self,
        buildspec: &Buildspec,
        source: &Path,
        folders: &[(String, PathBuf)],
    ) -> Result<BuildShell, PhaseContext> {
        let settings = &self.job.settings;
        let values = &self.engine.stored;
        let own = environment(&buildspec.env, &settings.environment, self.job.action_variables.as_deref(), values)?;
        own.stored.iter().filter_map(|name| own.variables.get(name)).for_each(|secret| self.log.mask(secret));
        let facts = Facts {
            id: self.id,
            arn: self.arn,
            number: self.number,
            start_millisecond: self.engine.now().as_millisecond(),
            initiator: &self.job.origin.initiator,
            request: &self.job.request,
            primary: self.job.primary,
            folders,
            home: &self.work.join("home"),
        };
        let mut variables = builtin(&facts);
        variables.extend(own.variables);
        let io = |error: std::io::Error| client_error(format!("the build's folders could not be created: {error}"));
        std::fs::create_dir_all(facts.home).map_err(io)?;
        BuildShell::new(buildspec.env.shell(), self.work.join("shell"), source.to_owned(), variables).map_err(io)
    }

    async fn run_phase(
        &mut self,
        shell: &mut BuildShell,
        phase_type: PhaseType,
        phase: Option<&Phase>,
    ) -> Result<(), PhaseContext> {
        self.enter(phase_type);
        if let Some(phase) = phase {
            let commands = self.run_commands(shell, &phase.commands).await;
            if commands.is_err() {
                self.tell_failing(shell).await;
            }
            let finally = self.run_commands(shell, &phase.finally).await;
            if commands.is_ok() && finally.is_err() {
                self.tell_failing(shell).await;
            }
            commands.and(finally)?;
        }
        self.leave(phase_type, vec![]);
        Ok(())
    }

    async fn run_commands(&mut self, shell: &mut BuildShell, commands: &[String]) -> Result<(), PhaseContext> {
        for command in commands {
            self.log.note(CONTAINER, &format!("Running command {}", command.trim_end()));
            self.log.start_tail();
            let log = &mut self.log;
            let status = shell.run(command, &mut |line| log.output(&line)).await;
            let reason = match status {
                Ok(0) => continue,
                Ok(status) => format!("exit status {status}"),
                Err(error) => error.to_string(),
            };
            self.log.note(CONTAINER, &format!("Command did not exit successfully {} {reason}", command.trim_end()));
            self.failed_output.get_or_insert(self.log.tail());
            return Err(PhaseContext {
                status_code: "COMMAND_EXECUTION_ERROR".to_owned(),
                message: format!("Error while executing command: {}. Reason: {reason}", command.trim_end()),
            });
        }
        Ok(())
    }

    /// From now on the commands see that the build fails.
    async fn tell_failing(&self, shell: &mut BuildShell) {
        // The shell may have gone; then a new one starts here, and tells it to the commands that follow.
        let _ = shell.run("export CODEBUILD_BUILD_SUCCEEDING=0", &mut |_| ()).await;
    }

    fn enter(&mut self, phase_type: PhaseType) {
        self.log.note(CONTAINER, &format!("Entering phase {}", phase_type.as_str()));
        let phase = BuildPhase {
            phase_type,
            status: BuildStatus::InProgress,
            start_time: self.engine.now(),
            end_time: None,
            contexts: Vec::new(),
        };
        self.engine.change(self.id, |record| record.phases.push(phase));
        self.progress.report(ProgressUpdate {
            summary: Some(format!("phase {}", phase_type.as_str())),
            ..ProgressUpdate::default()
        });
    }

    fn leave(&mut self, phase_type: PhaseType, contexts: Vec<PhaseContext>) {
        self.finish(phase_type, BuildStatus::Succeeded, contexts);
    }

    fn leave_failed(&mut self, phase_type: PhaseType, context: PhaseContext) -> Failure {
        let tail = self.failed_output.as_deref().unwrap_or_default();
        let message = format!(
            "Build terminated with state: FAILED. Phase: {}, Code: {}, Message: {}{tail}",
            phase_type.as_str(),
            context.status_code,
            self.log.masked(&context.message),
        );
        self.finish(phase_type, BuildStatus::Failed, vec![context]);
        Failure { status: BuildStatus::Failed, message }
    }

    fn finish(&mut self, phase_type: PhaseType, status: BuildStatus, mut contexts: Vec<PhaseContext>) {
        // The record and the events show what the log shows.
        for context in &mut contexts {
            context.message = self.log.masked(&context.message);
        }
        self.log.note(CONTAINER, &format!("Phase complete: {} State: {}", phase_type.as_str(), status.as_str()));
        for context in &contexts {
            let text = format!("Phase context status code: {} Message: {}", context.status_code, context.message);
            self.log.note(CONTAINER, &text);
        }
        let now = self.engine.now();
        self.engine.change(self.id, |record| {
            if let Some(phase) = record.phases.iter_mut().rev().find(|phase| phase.phase_type == phase_type) {
                phase.status = status;
                phase.end_time = Some(now);
                phase.contexts = contexts;
            }
        });
    }
}
