//! The buildspec file, version 0.2, as the AWS CodeBuild guide ("Build specification reference") defines it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A buildspec that was read and checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Buildspec {
    pub(crate) env: Env,
    pub(crate) phases: Phases,
    /// By the report group's name or ARN.
    pub(crate) reports: BTreeMap<String, Report>,
    pub(crate) artifacts: Option<Artifacts>,
    /// What is valid on AWS and has no effect here, in words.
    pub(crate) notes: Vec<String>,
}

/// The shell that runs the commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shell {
    #[default]
    Sh,
    Bash,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Env {
    shell: Option<String>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) parameter_store: BTreeMap<String, String>,
    pub(crate) secrets_manager: BTreeMap<String, String>,
    pub(crate) exported_variables: Vec<String>,
    git_credential_helper: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Phases {
    pub(crate) install: Option<Phase>,
    pub(crate) pre_build: Option<Phase>,
    pub(crate) build: Option<Phase>,
    pub(crate) post_build: Option<Phase>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Phase {
    run_as: Option<String>,
    pub(crate) on_failure: Option<OnFailure>,
    runtime_versions: BTreeMap<String, String>,
    pub(crate) commands: Vec<String>,
    pub(crate) finally: Vec<String>,
}

/// What follows a failed phase. Without it, the phase transitions of the guide hold.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum OnFailure {
    Abort,
    Continue,
}

/// Which files, and under which names. The parts that artifacts and reports have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileSet {
    pub(crate) files: Vec<String>,
    pub(crate) exclude_paths: Vec<String>,
    pub(crate) base_directory: Option<String>,
    pub(crate) discard_paths: bool,
    pub(crate) enable_symlinks: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) file_set: FileSet,
    /// In upper case, as the API has it.
    pub(crate) file_format: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Artifacts {
    pub(crate) primary: FileSet,
    /// By artifact identifier.
    pub(crate) secondary: BTreeMap<String, FileSet>,
}

/// Why a buildspec cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildspecError {
    #[error("{0}")]
    Yaml(Box<serde_saphyr::Error>),
    #[error("version {0:?} is not supported here; write `version: 0.2`")]
    Version(String),
    #[error("the shell {0:?} is not supported here; use sh or bash")]
    Shell(String),
    #[error("{place}: {value:?} is not the name of an environment variable")]
    VariableName { place: &'static str, value: String },
    #[error("the variable {0} cannot be set: names that start with CODEBUILD_ are reserved")]
    Reserved(String),
    #[error("the variable {0} cannot be exported: names that start with AWS_ are not allowed")]
    Exported(String),
    #[error("the phases have no commands; write at least one under phases.build.commands")]
    NoCommands,
    #[error("report {name:?}: the file format {format:?} is not one of {}", FILE_FORMATS.join(", "))]
    FileFormat { name: String, format: String },
}

/// The values of `file-format`.
const FILE_FORMATS: [&str; 10] = [
    "JUNITXML",
    "CUCUMBERJSON",
    "NUNITXML",
    "NUNIT3XML",
    "TESTNGXML",
    "VISUALSTUDIOTRX",
    "CLOVERXML",
    "COBERTURAXML",
    "JACOCOXML",
    "SIMPLECOV",
];

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: String,
    run_as: Option<String>,
    #[serde(default)]
    env: Env,
    proxy: Option<Proxy>,
    phases: Phases,
    #[serde(default)]
    reports: BTreeMap<String, ReportFile>,
    artifacts: Option<ArtifactsFile>,
    cache: Option<Cache>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[derive(Default)]
struct Proxy {
    #[serde(rename = "upload-artifacts")]
    _upload_artifacts: Option<bool>,
    #[serde(rename = "logs")]
    _logs: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Cache {
    #[serde(rename = "paths")]
    _paths: Vec<String>,
    #[serde(rename = "key")]
    _key: Option<String>,
    #[serde(rename = "fallback-keys")]
    _fallback_keys: Vec<String>,
    #[serde(rename = "action")]
    _action: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ReportFile {
    files: Vec<String>,
    base_directory: Option<String>,
    #[serde(default)]
    discard_paths: bool,
    file_format: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ArtifactsFile {
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    exclude_paths: Vec<String>,
    base_directory: Option<String>,
    #[serde(default)]
    discard_paths: bool,
    #[serde(default)]
    enable_symlinks: bool,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "s3-prefix")]
    _s3_prefix: Option<String>,
    #[serde(default)]
    secondary_artifacts: BTreeMap<String, SecondaryFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SecondaryFile {
    files: Vec<String>,
    #[serde(default)]
    exclude_paths: Vec<String>,
    base_directory: Option<String>,
    #[serde(default)]
    discard_paths: bool,
    #[serde(default)]
    enable_symlinks: bool,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "s3-prefix")]
    _s3_prefix: Option<String>,
}

impl Buildspec {
    /// A buildspec with nothing but the commands of the build phase.
    pub(crate) fn of_commands(commands: Vec<String>) -> Self {
        let build = Phase { commands, ..Phase::default() };
        Self { phases: Phases { build: Some(build), ..Phases::default() }, ..Self::default() }
    }

    /// Reads a buildspec file.
    pub(crate) fn parse(text: &str) -> Result<Self, BuildspecError> {
        let version: Version = serde_saphyr::from_str(text).map_err(|error| BuildspecError::Yaml(Box::new(error)))?;
        if version.version != "0.2" {
            return Err(BuildspecError::Version(version.version));
        }
        let file: File = serde_saphyr::from_str(text).map_err(|error| BuildspecError::Yaml(Box::new(error)))?;
        file.env.check()?;
        if file.phases.each().all(|(_, phase)| phase.commands.is_empty()) {
            return Err(BuildspecError::NoCommands);
        }
        Ok(Self {
            notes: file.notes(),
            env: file.env,
            phases: file.phases,
            reports: file.reports.into_iter().map(report).collect::<Result<_, _>>()?,
            artifacts: file.artifacts.map(artifacts),
        })
    }
}

/// Read first: a file of another version has other keys, and the version is the better explanation.
#[derive(Deserialize)]
struct Version {
    version: String,
}

impl Env {
    pub(crate) fn shell(&self) -> Shell {
        match self.shell.as_deref() {
            Some("bash") => Shell::Bash,
            _ => Shell::Sh,
        }
    }

    fn check(&self) -> Result<(), BuildspecError> {
        if let Some(shell) = self.shell.as_deref().filter(|name| !["sh", "/bin/sh", "bash"].contains(name)) {
            return Err(BuildspecError::Shell(shell.to_owned()));
        }
        let set = self.variables.keys().chain(self.parameter_store.keys()).chain(self.secrets_manager.keys());
        for name in set {
            check_variable("env", name)?;
            if name.starts_with("CODEBUILD_") {
                return Err(BuildspecError::Reserved(name.clone()));
            }
        }
        for name in &self.exported_variables {
            check_variable("env.exported-variables", name)?;
            if name.starts_with("AWS_") {
                return Err(BuildspecError::Exported(name.clone()));
            }
        }
        Ok(())
    }
}

/// Whether a name can be a shell's variable.
pub(crate) fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|each| each == '_' || each.is_ascii_alphanumeric())
}

fn check_variable(place: &'static str, name: &str) -> Result<(), BuildspecError> {
    if is_variable_name(name) { Ok(()) } else { Err(BuildspecError::VariableName { place, value: name.to_owned() }) }
}

impl Phases {
    fn each(&self) -> impl Iterator<Item = (&'static str, &Phase)> {
        let phases = [
            ("install", &self.install),
            ("pre_build", &self.pre_build),
            ("build", &self.build),
            ("post_build", &self.post_build),
        ];
        phases.into_iter().filter_map(|(name, phase)| Some((name, phase.as_ref()?)))
    }
}

impl File {
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let mut note = |ignored: bool, what: &str| {
            if ignored {
                notes.push(format!("{what} has no effect in a local build"));
            }
        };
        note(self.run_as.is_some(), "run-as");
        note(self.proxy.is_some(), "proxy");
        note(self.cache.is_some(), "cache");
        note(self.env.git_credential_helper.is_some(), "env.git-credential-helper");
        for (name, phase) in self.phases.each() {
            note(phase.run_as.is_some(), &format!("phases.{name}.run-as"));
            note(!phase.runtime_versions.is_empty(), &format!("phases.{name}.runtime-versions"));
        }
        notes
    }
}

fn report((name, file): (String, ReportFile)) -> Result<(String, Report), BuildspecError> {
    let written = file.file_format.unwrap_or_else(|| "JUNITXML".to_owned());
    let file_format = written.to_ascii_uppercase();
    if !FILE_FORMATS.contains(&file_format.as_str()) {
        return Err(BuildspecError::FileFormat { name, format: written });
    }
    let file_set = FileSet {
        files: file.files,
        base_directory: file.base_directory,
        discard_paths: file.discard_paths,
        ..FileSet::default()
    };
    Ok((name, Report { file_set, file_format }))
}

fn artifacts(file: ArtifactsFile) -> Artifacts {
    let primary = FileSet {
        files: file.files,
        exclude_paths: file.exclude_paths,
        base_directory: file.base_directory,
        discard_paths: file.discard_paths,
        enable_symlinks: file.enable_symlinks,
    };
    let secondary = file.secondary_artifacts.into_iter().map(|(name, file)| {
        let set = FileSet {
            files: file.files,
            exclude_paths: file.exclude_paths,
            base_directory: file.base_directory,
            discard_paths: file.discard_paths,
            enable_symlinks: file.enable_symlinks,
        };
        (name, set)
    });
    Artifacts { primary, secondary: secondary.collect() }
}
