//! The pipelines in the files that are checked: a definition is one, a template may declare several.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stagegate_local_template::{Settings, TemplateError, parameter_names, parse_template, read_template};

use super::problem::{Problem, Problems};
use super::read;

/// The pipelines of one file.
pub(super) struct Definitions {
    /// The file's name.
    pub(super) file: String,
    /// Each pipeline as JSON text whose places are those of the file.
    pub(super) texts: Vec<String>,
    /// Why it could not be read.
    pub(super) problems: Vec<Problem>,
}

/// Reads all files. Templates import what that of the functions exports.
pub(super) fn read_all(files: &[PathBuf], functions: Option<&Path>, settings: &Settings) -> Vec<Definitions> {
    let own = functions.and_then(|file| read_template(file, &settings_of(file, files, settings)).ok());
    let imports = own.map(|template| template.exports()).unwrap_or_default();
    files.iter().map(|file| read_file(file, settings, &imports)).collect()
}

/// The settings for the functions' template: without the parameters that only others declare.
pub(super) fn settings_of(functions: &Path, others: &[PathBuf], settings: &Settings) -> Settings {
    let own = parameter_names(functions).unwrap_or_default();
    let others: Vec<_> = others
        .iter()
        .filter(|file| is_template(file))
        .filter_map(|file| parameter_names(file).ok())
        .flatten()
        .collect();
    let mut settings = settings.clone();
    settings.parameters.retain(|name, _| own.contains(name) || !others.contains(name));
    settings
}

/// Whether a file is no JSON definition but a CloudFormation template.
fn is_template(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "template")
}

fn read_file(file: &Path, settings: &Settings, imports: &BTreeMap<String, String>) -> Definitions {
    let name = file.display().to_string();
    let mut problems = Problems::of(&name);
    let text = read(file, &mut problems);
    let texts = match text {
        None => Vec::new(),
        Some(text) if !is_template(file) => vec![text],
        Some(text) => from_template(&text, file, settings, imports, &mut problems),
    };
    Definitions { file: name, texts, problems: problems.sorted() }
}

fn from_template(
    text: &str,
    file: &Path,
    settings: &Settings,
    imports: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Vec<String> {
    let declared = parameter_names(file).unwrap_or_default();
    let given = settings.parameters.iter().filter(|(name, _)| declared.contains(name));
    let parameters = given.map(|(name, value)| (name.clone(), value.clone())).collect();
    let own = Settings { parameters, imports: imports.clone(), made_up_networks: true, ..settings.clone() };
    match parse_template(text, &file.display().to_string(), &own) {
        Ok(template) if template.pipelines.is_empty() => {
            problems.error(Some((1, 1)), "there is no AWS::CodePipeline::Pipeline in it");
            Vec::new()
        }
        Ok(template) => template.pipelines.into_iter().map(|pipeline| pipeline.text).collect(),
        Err(TemplateError::Invalid { position, message, .. }) => {
            problems.error(Some((position.line as u64, position.column as u64)), message);
            Vec::new()
        }
        Err(TemplateError::Setting { message, .. }) => {
            problems.error(None, message);
            Vec::new()
        }
        Err(TemplateError::Io { source, .. }) => {
            problems.error(None, format!("the template cannot be read: {source}"));
            Vec::new()
        }
    }
}
