//! Starting a local AWS from what the command line says.

use std::path::{Path, PathBuf};

use serde_json::Value;
use stagegate_local_aws::{Bootstraps, LocalAws, Options, actions};
use stagegate_local_clock::Clock;
use stagegate_local_console::Console;
use stagegate_local_slack::Slack;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::LocalOptions;
use crate::bootstrap;
use crate::exit::{CommandError, Exit};
use crate::local_slack;

/// Where the template is, seen from the folder of a project.
pub(crate) const TEMPLATE: &str = "infra/template.yaml";

/// The Region where neither the pipeline nor the environment names one.
const DEFAULT_REGION: &str = "us-east-1";

/// A pipeline definition and the file that it came from.
pub(crate) struct Definition {
    pub(crate) file: PathBuf,
    pub(crate) json: Value,
}

impl Definition {
    /// Reads a definition as `aws codepipeline get-pipeline` prints it.
    pub(crate) fn read(file: &Path) -> Result<Self, CommandError> {
        let failed = |error: &dyn std::fmt::Display| {
            CommandError::broken_input(format!("read the pipeline definition {}: {error}", file.display()))
        };
        let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
        let json = serde_json::from_str(&text).map_err(|error| failed(&error))?;
        Ok(Self { file: file.to_owned(), json })
    }

    /// The definition without the envelope of `get-pipeline`.
    pub(crate) fn pipeline(&self) -> &Value {
        self.json.get("pipeline").unwrap_or(&self.json)
    }

    /// The folder that the definition lies in.
    pub(crate) fn folder(&self) -> PathBuf {
        match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    fn region(&self) -> Option<&str> {
        actions(self.pipeline()).find_map(|action| action["region"].as_str())
    }
}

/// A local AWS with a Slack and a console, and the folder that is removed with it, if it is not to be kept.
pub(crate) struct Local {
    pub(crate) aws: LocalAws,
    pub(crate) slack: Slack,
    pub(crate) console: Console,
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
    let slack = local_slack::start(beside(port, 2), &template).await?;
    let aws = LocalAws::start(Options {
        source: Some(source),
        port,
        region,
        parameters: local_slack::parameters(&template),
        environment: local_slack::environment(&slack),
        clock: Clock::scaled(options.speed),
        ..Options::new(data.path, &template, bootstraps(options)?)
    });
    let aws = aws.await.map_err(|error| CommandError::unavailable(format!("start the local AWS: {error}")))?;
    local_slack::connect(&slack, &aws, &template)?;
    let console = Console::start(beside(port, 1), &aws, Some(slack.clone())).await;
    let console = console.map_err(|error| CommandError::unavailable(error.to_string()))?;
    for definition in definitions {
        let created = aws.put_pipeline(&definition.json).await;
        created.map_err(|error| CommandError::broken_input(format!("{error} ({})", definition.file.display())))?;
    }
    Ok(Local { aws, slack, console, _temporary: data.temporary })
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
