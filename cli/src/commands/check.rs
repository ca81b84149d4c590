//! `stagegate check`: configuration, template and pipelines against each other.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use stagegate_local_template::Settings;

use crate::args::CheckOptions;
use crate::check::{self, Files, Severity};
use crate::exit::{CommandError, Exit};
use crate::local::{EXAMPLE, TEMPLATE};
use crate::terminal::{Style, put, say};

/// The configuration, seen from the folder of a project.
const CONFIG: &str = "infra/config/stagegate.yaml";

pub(crate) fn run(options: &CheckOptions) -> Result<Exit, CommandError> {
    let project = project();
    let named =
        |file: &Option<PathBuf>, default: &str| file.clone().or_else(|| in_project(project.as_deref(), default));
    let config = named(&options.config, CONFIG).ok_or_else(|| not_found(CONFIG, "--config"))?;
    // A configuration alone can be checked alone.
    let template = named(&options.template, TEMPLATE);
    let pipelines = match options.pipelines.as_slice() {
        [] if options.config.is_none() && options.template.is_none() => {
            in_project(project.as_deref(), EXAMPLE.0).into_iter().collect()
        }
        named => named.to_vec(),
    };
    if template.is_none() && !pipelines.is_empty() {
        return Err(not_found(TEMPLATE, "--template"));
    }
    let settings = Settings { parameters: options.parameters.iter().cloned().collect(), ..Settings::default() };
    let today = || TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let source = options.source.as_deref();
    let files = Files { config: &config, template: template.as_deref(), pipelines: &pipelines, source };
    let problems = check::check(&files, &settings, options.at.unwrap_or_else(today));
    let style = Style::of_stdout();
    problems.iter().for_each(|problem| put(problem.render(style)));
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let checked = [Some(&config), template.as_ref()].into_iter().flatten().chain(&pipelines);
    let checked: Vec<_> = checked.map(|file| file.display().to_string()).collect();
    say(format_args!("checked {}: {}, {}", listed(&checked), plural(errors, "error"), plural(warnings, "warning")));
    let bad = errors > 0 || (options.deny_warnings && warnings > 0);
    Ok(if bad { Exit::BrokenInput } else { Exit::Passed })
}

/// The configuration that is named, or that of the project.
pub(crate) fn config(named: Option<&Path>) -> Result<PathBuf, CommandError> {
    let found = named.map(Path::to_owned).or_else(|| in_project(project().as_deref(), CONFIG));
    found.ok_or_else(|| not_found(CONFIG, "--policy"))
}

/// This folder or the nearest one above it that has a template in its place.
fn project() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().find(|folder| folder.join(TEMPLATE).is_file()).map(Path::to_owned)
}

/// A file of the project, as seen from this folder where it is below it.
fn in_project(project: Option<&Path>, file: &str) -> Option<PathBuf> {
    let project = project?;
    let found = project.join(file);
    let here = std::env::current_dir().unwrap_or_default();
    found.is_file().then(|| found.strip_prefix(&here).map(Path::to_owned).unwrap_or(found))
}

fn not_found(file: &str, option: &str) -> CommandError {
    CommandError::wrong_call(format!("find {file} in this folder or above it; name another with {option}"))
}

fn listed(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Reads the day of `--at`.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "a day such as 2026-12-31 is wanted".to_owned())
}

/// Reads a parameter of the template.
pub(crate) fn parameter(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| "NAME=VALUE is wanted".to_owned())
}
