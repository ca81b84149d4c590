//! `stagegate demo`: the example application through a gated pipeline, in one command.

use std::path::{Path, PathBuf};

use stagegate_local_codepipeline::engine::ExecutionStatus;

use crate::args::DemoOptions;
use crate::commands::up;
use crate::example::{self, Example};
use crate::execution::{self, Approver};
use crate::exit::{CommandError, Exit};
use crate::http;
use crate::local::{self, Data, Definition, EXAMPLE, Local};
use crate::progress::Progress;
use crate::terminal::{self, Style, say};

/// What the demo deploys to, as the template of the example names it.
const PRODUCTION: (&str, &str) = ("web", "Production");

pub(crate) fn run(options: &DemoOptions) -> Result<Exit, CommandError> {
    let template = local::template(&options.local)?;
    let (pipeline, original) = example_beside(&template)?;
    let data = Data::of(&options.local)?;
    let example = Example::copy(&original, &data.path.join("source/web")).map_err(CommandError::unavailable)?;
    let definition = Definition::read(&pipeline)?;
    local::run(async |mut interrupt| {
        let local = local::start(&options.local, data, example.folder.clone(), 0, std::slice::from_ref(&definition));
        let local = local.await?;
        let done = tokio::select! {
            done = show(options, &local, &example) => done,
            () = interrupt.pressed() => Ok(Exit::Interrupted),
        };
        local.aws.shutdown().await;
        done
    })
}

/// The example pipeline lies beside the template, and the application that it releases beside its folder.
fn example_beside(template: &Path) -> Result<(PathBuf, PathBuf), CommandError> {
    let (pipeline, folder) = (EXAMPLE.0, EXAMPLE.1);
    let found = [pipeline, folder].map(|file| local::beside_template(template, file));
    let [pipeline, folder] = &found;
    if pipeline.is_file() && folder.join("VERSION").is_file() {
        return Ok((pipeline.clone(), folder.clone()));
    }
    let (pipeline, folder) = (pipeline.display(), folder.display());
    Err(CommandError::wrong_call(format!(
        "find the example {pipeline} and its application {folder}; run the demo in a clone"
    )))
}

async fn show(options: &DemoOptions, local: &Local, example: &Example) -> Result<Exit, CommandError> {
    let style = Style::of_stdout();
    let name = local.pipeline()?;
    say(format_args!(
        "{} a CodePipeline on this machine, {}",
        style.strong("Stagegate demo:"),
        local.aws.endpoint_url()
    ));
    say(format_args!("Watch it, and answer it, in a browser: {}", style.strong(local.console.url())));
    say("");

    let before = example.version().map_err(CommandError::unavailable)?;
    say(format_args!("Version {before} goes to production first, without questions."));
    release(local, name, Approver::Always, style).await.and_then(|status| match status {
        ExecutionStatus::Succeeded => Ok(()),
        other => {
            Err(CommandError::unavailable(format!("prepare the demo: the first release ended {}", other.as_str())))
        }
    })?;
    let version = example.next_version().map_err(CommandError::unavailable)?;
    if options.break_tests {
        example.break_a_test().map_err(CommandError::unavailable)?;
    }
    if options.break_staging {
        example.break_the_page().map_err(CommandError::unavailable)?;
    }
    say("");
    say(match options {
        DemoOptions { break_tests: true, .. } => {
            format!("Version {version} follows, with a change that breaks a test:")
        }
        DemoOptions { break_staging: true, .. } => {
            format!("Version {version} follows, with a change that breaks the page where no test of the build looks:")
        }
        _ => format!("Version {version} follows:"),
    });
    let approver = if options.yes { Approver::Always } else { Approver::Terminal };
    let status = release(local, name, approver, style).await?;

    let url = local.aws.instance_url(PRODUCTION.0, PRODUCTION.1).unwrap_or_default();
    let served = http::get(&format!("{url}/version.json")).await.map_err(CommandError::unavailable)?;
    let served = example::version_in(&served).map_err(CommandError::unavailable)?;
    say("");
    let ended = match status {
        ExecutionStatus::Succeeded => style.good("released"),
        _ => style.bad("not released"),
    };
    say(format_args!("{ended}: production serves {}, {url}", style.strong(&served)));
    let expected = if status == ExecutionStatus::Succeeded { &version } else { &before };
    if served != *expected {
        return Err(CommandError::unavailable(format!("deploy what was released: production should serve {expected}")));
    }
    if !options.yes {
        look_further(local, name);
        terminal::enter().await;
    }
    Ok(execution::exit(status))
}

async fn release(local: &Local, name: &str, approver: Approver, style: Style) -> Result<ExecutionStatus, CommandError> {
    execution::follow(local.aws.codepipeline(), name, &[], approver, &mut Progress::new(style)).await
}

fn look_further(local: &Local, name: &str) {
    say("");
    say("Look further, in another terminal; Enter or Ctrl-C here ends everything:");
    say("");
    up::pages(local);
    up::environment(&local.aws);
    say(format_args!("  aws codepipeline get-pipeline-state --name {name}"));
    say(format_args!("  aws codepipeline list-action-executions --pipeline-name {name}"));
    say("");
    local.pipelines.iter().for_each(|pipeline| up::instances(&local.aws, pipeline));
    say(format_args!("  logs and artifacts  {}", local.aws.data().display()));
}
