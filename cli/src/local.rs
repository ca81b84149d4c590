//! Starting a local AWS from what the command line says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stagegate_local_aws::{Bootstraps, CreatedStack, LocalAws, Options, Stack, actions};
use stagegate_local_clock::Clock;
use stagegate_local_console::Console;
use stagegate_local_slack::Slack;
use stagegate_local_template::parameter_names;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::LocalOptions;
use crate::bootstrap;
use crate::exit::{CommandError, Exit};
use crate::local_slack;

/// Where the template is, seen from the folder of a project.
pub(crate) const TEMPLATE: &str = "infra/template.yaml";

/// Where the example pipeline is, seen from there, and the application that it releases.
pub(crate) const EXAMPLE: (&str, &str) = ("infra/example-pipeline.yaml", "examples/web");

/// The Region where neither the pipeline nor the environment names one.
const DEFAULT_REGION: &str = "us-east-1";

/// A file with a pipeline.
pub(crate) struct Definition {
    pub(crate) file: PathBuf,
    kind: Kind,
}

enum Kind {
    /// The JSON that `aws codepipeline get-pipeline` prints.
    Pipeline(Value),
    /// A CloudFormation template, which is created as a stack beside that of the functions.
    Template,
}

impl Definition {
    /// Reads a definition as `aws codepipeline get-pipeline` prints it, or takes note of a CloudFormation template.
    pub(crate) fn read(file: &Path) -> Result<Self, CommandError> {
        let failed = |error: &dyn std::fmt::Display| {
            CommandError::broken_input(format!("read the pipeline definition {}: {error}", file.display()))
        };
        let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
        let kind = match serde_json::from_str::<Value>(&text) {
            Ok(json) if json.get("Resources").is_none() => Kind::Pipeline(json),
            Ok(_) => Kind::Template,
            Err(error) if file.extension().is_some_and(|extension| extension == "json") => return Err(failed(&error)),
            Err(_) => Kind::Template,
        };
        Ok(Self { file: file.to_owned(), kind })
    }

    /// The folder that a definition lies in, which holds the source where nothing else is said. A template may lie anywhere.
    pub(crate) fn folder(&self) -> Result<PathBuf, CommandError> {
        if self.is_template() {
            let message = format!("find the source for {}: name its folder with --source", self.file.display());
            return Err(CommandError::wrong_call(message));
        }
        Ok(match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        })
    }

    fn is_template(&self) -> bool {
        matches!(self.kind, Kind::Template)
    }

    fn region(&self) -> Option<&str> {
        match &self.kind {
            Kind::Pipeline(json) => actions(pipeline_of(json)).find_map(|action| action["region"].as_str()),
            Kind::Template => None,
        }
    }

    /// Creates what is in the file, and gives the definitions of its pipelines.
    async fn create(&self, aws: &LocalAws, parameters: &Parameters<'_>) -> Result<Created, CommandError> {
        match &self.kind {
            Kind::Pipeline(json) => {
                let done = aws.put_pipeline(json).await;
                done.map_err(|error| CommandError::broken_input(format!("{error} ({})", self.file.display())))?;
                Ok(Created { pipelines: vec![pipeline_of(json).clone()], stack: None })
            }
            Kind::Template => {
                let name = self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let stack = Stack { template: self.file.clone(), name, parameters: parameters.of(&self.file)? };
                let created = aws.create_stack(&stack).await;
                let created = created.map_err(|error| CommandError::broken_input(error.to_string()))?;
                Ok(Created { pipelines: created.pipelines.clone(), stack: Some((self.file.clone(), created)) })
            }
        }
    }
}

/// The definition without the envelope of `get-pipeline`.
fn pipeline_of(json: &Value) -> &Value {
    json.get("pipeline").unwrap_or(json)
}

/// What was created from a file.
struct Created {
    pipelines: Vec<Value>,
    stack: Option<(PathBuf, CreatedStack)>,
}

/// The values of `--parameter`. Each template gets those that it declares, as it would with `--parameter-overrides`.
struct Parameters<'a> {
    given: &'a [(String, String)],
}

impl Parameters<'_> {
    fn of(&self, template: &Path) -> Result<BTreeMap<String, String>, CommandError> {
        let declared = declared(template)?;
        let own = self.given.iter().filter(|(name, _)| declared.contains(name));
        Ok(own.cloned().collect())
    }

    /// Refuses a parameter that no template declares.
    fn check<'t>(&self, templates: impl Iterator<Item = &'t Path>) -> Result<(), CommandError> {
        let mut known = Vec::new();
        for template in templates {
            let names = declared(template)?;
            known.extend(names.into_iter().filter(|name| !known.contains(name)).collect::<Vec<_>>());
        }
        match self.given.iter().find(|(name, _)| !known.contains(name)) {
            Some((name, _)) => Err(CommandError::wrong_call(format!(
                "set the parameter {name}: no template has one of that name; there are {}",
                known.join(", ")
            ))),
            None => Ok(()),
        }
    }
}

fn declared(template: &Path) -> Result<Vec<String>, CommandError> {
    parameter_names(template).map_err(|error| CommandError::broken_input(error.to_string()))
}

/// A local AWS with a Slack and a console, and the folder that is removed with it, if it is not to be kept.
pub(crate) struct Local {
    pub(crate) aws: LocalAws,
    pub(crate) slack: Slack,
    pub(crate) console: Console,
    /// The definitions of the pipelines that were created.
    pub(crate) pipelines: Vec<Value>,
    /// The stacks that were created, with their templates.
    pub(crate) stacks: Vec<(PathBuf, CreatedStack)>,
    _temporary: Option<TempDir>,
}

/// The folder for everything that a local AWS keeps.
pub(crate) struct Data {
    pub(crate) path: PathBuf,
    temporary: Option<TempDir>,
}

impl Data {
    pub(crate) fn of(options: &LocalOptions) -> Result<Self, CommandError> {
        let failed =
            |error: std::io::Error| CommandError::unavailable(format!("make a folder for the local AWS: {error}"));
        match &options.data {
            Some(path) => {
                std::fs::create_dir_all(path).map_err(failed)?;
                Ok(Self { path: std::path::absolute(path).map_err(failed)?, temporary: None })
            }
            None => {
                let temporary = tempfile::Builder::new().prefix("stagegate-").tempdir().map_err(failed)?;
                Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) })
            }
        }
    }
}

/// Starts the local AWS and creates the pipelines in it. Their sources are the files below `source`.
pub(crate) async fn start(
    options: &LocalOptions,
    data: Data,
    source: PathBuf,
    port: u16,
    definitions: &[Definition],
) -> Result<Local, CommandError> {
    let region = definitions.iter().find_map(Definition::region).map(str::to_owned);
    let region = region.or_else(|| std::env::var("AWS_REGION").ok()).unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let (template, port) = (template(options)?, options.port.unwrap_or(port));
    let given = Parameters { given: &options.parameters };
    let templates = definitions.iter().filter(|one| one.is_template()).map(|one| one.file.as_path());
    given.check(templates.chain([template.as_path()]))?;
    let mut parameters = local_slack::parameters(&template);
    parameters.extend(given.of(&template)?);
    let slack = local_slack::start(beside(port, 2), &template).await?;
    let aws = LocalAws::start(Options {
        source: Some(source),
        port,
        region,
        parameters,
        environment: local_slack::environment(&slack),
        clock: Clock::scaled(options.speed),
        ..Options::new(data.path, &template, bootstraps(options)?)
    });
    let aws = aws.await.map_err(|error| CommandError::unavailable(format!("start the local AWS: {error}")))?;
    local_slack::connect(&slack, &aws, &template)?;
    let config = local_slack::config(&template).unwrap_or_default();
    let console = Console::start(beside(port, 1), &aws, Some(slack.clone()), config).await;
    let console = console.map_err(|error| CommandError::unavailable(error.to_string()))?;
    let (mut pipelines, mut stacks) = (Vec::new(), Vec::new());
    for definition in definitions {
        let created = definition.create(&aws, &given).await?;
        pipelines.extend(created.pipelines);
        stacks.extend(created.stack);
    }
    Ok(Local { aws, slack, console, pipelines, stacks, _temporary: data.temporary })
}

impl Local {
    /// The name of the only pipeline.
    pub(crate) fn pipeline(&self) -> Result<&str, CommandError> {
        match self.pipelines.as_slice() {
            [pipeline] => Ok(pipeline["name"].as_str().unwrap_or_default()),
            pipelines => Err(CommandError::broken_input(format!(
                "run the pipeline of the template: it declares {} pipelines, and one is wanted",
                pipelines.len()
            ))),
        }
    }
}

/// The ports after that of the endpoint, so that they are known as well; any free one where that is.
fn beside(port: u16, distance: u16) -> u16 {
    if port == 0 { 0 } else { port.checked_add(distance).unwrap_or_default() }
}

fn bootstraps(options: &LocalOptions) -> Result<Bootstraps, CommandError> {
    if let Some(folder) = &options.functions {
        return Ok(Bootstraps::Folder(folder.clone()));
    }
    let program = std::env::current_exe();
    let program = program.map_err(|error| CommandError::unavailable(format!("find this program: {error}")))?;
    let functions = bootstrap::FUNCTIONS.map(str::to_owned).to_vec();
    Ok(Bootstraps::Program { program, arguments: vec![bootstrap::SUBCOMMAND.to_owned()], functions })
}

/// The template named on the command line, or the nearest `infra/template.yaml` in this folder and those above it.
pub(crate) fn template(options: &LocalOptions) -> Result<PathBuf, CommandError> {
    if let Some(template) = &options.template {
        return Ok(template.clone());
    }
    let here =
        std::env::current_dir().map_err(|error| CommandError::unavailable(format!("find this folder: {error}")))?;
    let found = here.ancestors().map(|folder| folder.join(TEMPLATE)).find(|template| template.is_file());
    found.ok_or_else(|| {
        let place = here.display();
        CommandError::wrong_call(format!("find {TEMPLATE} in {place} or above it; name a SAM template with --template"))
    })
}

/// A file of the project whose template this is: the template lies one folder below the project's.
pub(crate) fn beside_template(template: &Path, file: &str) -> PathBuf {
    let folder = template.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match folder.parent() {
        Some(root) if folder != Path::new(".") => root.join(file),
        _ => Path::new("..").join(file),
    }
}

/// Runs a command on a runtime of its own, and hands it the means to notice Ctrl-C.
pub(crate) fn run<F>(command: impl FnOnce(Interrupt) -> F) -> Result<Exit, CommandError>
where
    F: Future<Output = Result<Exit, CommandError>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::unavailable(format!("start threads: {error}")))?;
    let done = runtime.block_on(async { command(Interrupt::expect()?).await });
    // A thread may still wait for a line of standard input; nothing else is left that could not be ended.
    runtime.shutdown_background();
    done
}

/// Ctrl-C, or the polite request to end. From its making on, neither kills the process.
pub(crate) struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupt {
    fn expect() -> Result<Self, CommandError> {
        let expect =
            |kind| signal(kind).map_err(|error| CommandError::unavailable(format!("wait for signals: {error}")));
        Ok(Self { interrupt: expect(SignalKind::interrupt())?, terminate: expect(SignalKind::terminate())? })
    }

    /// Waits for it.
    pub(crate) async fn pressed(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
