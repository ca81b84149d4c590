//! What a build leaves behind: its output artifacts and its reports.

use std::path::Path;

use stagegate_local_codepipeline::provider::Artifact;
use uuid::Uuid;

use super::buildspec::{Artifacts, Buildspec, FileSet, Report};
use super::collect::{CollectError, Collected, collect};
use super::environment::client_error;
use super::phases::Build;
use super::record::{PhaseContext, ReportFile, ReportRecord};
use crate::ACCOUNT_ID;
use crate::archive::{ArchiveError, ArchiveLimits, Member, at, pack};

impl Build<'_> {
    /// Collects the reports, of a failed build too, and stores the output artifacts of a build that succeeded.
    pub(super) async fn upload(
        &mut self,
        buildspec: &Buildspec,
        source: &Path,
        succeeded: bool,
    ) -> Result<Vec<PhaseContext>, PhaseContext> {
        let mut contexts = Vec::new();
        for (name, report) in &buildspec.reports {
            contexts.extend(self.collect_report(name, report, source)?);
        }
        if !succeeded {
            self.log.note("Container", "the build has failed: no output artifacts are stored");
            return Ok(contexts);
        }
        let outputs = &self.job.request.output_artifacts;
        for output in outputs {
            let set = file_set(buildspec.artifacts.as_ref(), output, outputs.len())?;
            let body = self.archive(source, set, &output.name).await?;
            self.engine.bucket.put(&output.bucket, &output.key, body).await.map_err(|error| {
                client_error(format!("the output artifact {} could not be stored: {error}", output.name))
            })?;
        }
        Ok(contexts)
    }

    async fn archive(&mut self, source: &Path, set: &FileSet, name: &str) -> Result<Vec<u8>, PhaseContext> {
        let (folder, set) = (source.to_owned(), set.clone());
        let packed = tokio::task::spawn_blocking(move || {
            let collected = collect(&folder, &set).map_err(|error| error.to_string())?;
            let packed = pack(&collected.members, ArchiveLimits::default()).map_err(|error| error.to_string())?;
            Ok::<_, String>((packed.body, collected.members.len(), collected.notes))
        });
        let packed = packed.await.map_err(|error| client_error(error.to_string()))?;
        let (body, files, notes) = packed.map_err(|error| client_error(format!("artifact {name}: {error}")))?;
        for note in notes {
            self.log.note("Container", &format!("artifact {name}: {note}"));
        }
        self.log.note("Container", &format!("artifact {name}: {files} files, {} bytes", body.len()));
        Ok(body)
    }

    /// Copies the files of a report to where they are kept. A report without files does not fail the build, as on
    /// AWS: whoever judges the report finds nothing in it.
    fn collect_report(
        &mut self,
        name: &str,
        report: &Report,
        source: &Path,
    ) -> Result<Option<PhaseContext>, PhaseContext> {
        let collected = match collect(source, &report.file_set) {
            Ok(collected) => Ok(collected),
            Err(CollectError::NoFiles(_) | CollectError::NoBaseDirectory(_)) => {
                Err("report files not found in build".to_owned())
            }
            Err(error) => Err(error.to_string()),
        };
        let (collected, context) = match collected {
            Ok(collected) => (collected, None),
            Err(reason) => (Collected::default(), Some(client_error(format!("report {name}: {reason}")))),
        };
        for note in &collected.notes {
            self.log.note("Container", &format!("report {name}: {note}"));
        }
        let region = &self.job.request.region;
        // The buildspec may name an existing report group by its ARN instead.
        let report_group = match name.rsplit_once(":report-group/") {
            Some((_, group)) => group.to_owned(),
            None => format!("{}-{name}", self.job.project),
        };
        crate::names::check_folder_name("the report group's name", &report_group).map_err(client_error)?;
        let uuid = Uuid::new_v4().to_string();
        let folder = self.engine.reports_folder(&report_group, &uuid);
        let files = copy_files(&collected, &folder)
            .map_err(|error| client_error(format!("report {name} could not be kept: {error}")))?;
        self.log.note("Container", &format!("report {name}: {} files", files.len()));
        let record = ReportRecord {
            arn: format!("arn:aws:codebuild:{region}:{ACCOUNT_ID}:report/{report_group}:{uuid}"),
            report_group_arn: format!("arn:aws:codebuild:{region}:{ACCOUNT_ID}:report-group/{report_group}"),
            report_group,
            file_format: report.file_format.clone(),
            files,
            created: self.engine.now(),
        };
        self.engine.builds.update(self.id, |build| build.reports.push(record));
        Ok(context)
    }
}

/// Which files make up an output artifact: those of `artifacts` itself where the action has one output artifact, those
/// of the secondary artifact with the output's name where it has several.
fn file_set<'a>(
    artifacts: Option<&'a Artifacts>,
    output: &Artifact,
    outputs: usize,
) -> Result<&'a FileSet, PhaseContext> {
    let secondary = artifacts.and_then(|artifacts| artifacts.secondary.get(&output.name));
    let primary = artifacts.map(|artifacts| &artifacts.primary).filter(|primary| !primary.files.is_empty());
    let set = if outputs == 1 { primary.or(secondary) } else { secondary };
    set.ok_or_else(|| {
        let wanted = if outputs == 1 {
            "artifacts.files".to_owned()
        } else {
            format!("artifacts.secondary-artifacts.{}", output.name)
        };
        client_error(format!("the action has the output artifact {}, but the buildspec has no {wanted}", output.name))
    })
}

fn copy_files(collected: &Collected, folder: &Path) -> Result<Vec<ReportFile>, ArchiveError> {
    let mut files = Vec::new();
    for (name, member) in &collected.members {
        let Member::File { path, .. } = member else { continue };
        let copy = folder.join(name);
        if let Some(above) = copy.parent() {
            std::fs::create_dir_all(above).map_err(at(above))?;
        }
        let size = std::fs::copy(path, &copy).map_err(at(path))?;
        files.push(ReportFile { name: name.clone(), path: copy, size });
    }
    Ok(files)
}
