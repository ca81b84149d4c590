//! `stagegate run PIPELINE`: one execution on this machine.

use std::path::Path;

use crate::args::RunOptions;
use crate::commands::up;
use crate::execution::{self, Approver};
use crate::exit::{CommandError, Exit};
use crate::local::{self, Data, Definition, Local};
use crate::progress::Progress;
use crate::terminal::{Style, say};

pub(crate) fn run(options: &RunOptions) -> Result<Exit, CommandError> {
    let definition = Definition::read(&options.pipeline)?;
    let variables = options.variables.iter().map(|variable| split(variable)).collect::<Result<Vec<_>, _>>()?;
    let source = options.source.clone().map_or_else(|| definition.folder(), Ok)?;
    local::run(async |mut interrupt| {
        let data = Data::of(&options.local)?;
        let local = local::start(&options.local, data, source.clone(), 0, std::slice::from_ref(&definition)).await?;
        let done = tokio::select! {
            done = release(options, &local, &source, &variables) => done,
            () = interrupt.pressed() => Ok(Exit::Interrupted),
        };
        local.aws.shutdown().await;
        done
    })
}

async fn release(
    options: &RunOptions,
    local: &Local,
    source: &Path,
    variables: &[(String, String)],
) -> Result<Exit, CommandError> {
    let name = local.pipeline()?;
    let style = Style::of_stdout();
    say(format_args!("{} at {}", style.strong(name), local.aws.endpoint_url()));
    up::stacks(local, source);
    let approver = if options.yes { Approver::Always } else { Approver::Terminal };
    let mut progress = Progress::new(style);
    let status = execution::follow(local.aws.codepipeline(), name, variables, approver, &mut progress).await?;
    say(format_args!("{name}: {}", status.as_str()));
    Ok(execution::exit(status))
}

fn split(variable: &str) -> Result<(String, String), CommandError> {
    let pair = variable.split_once('=').filter(|(name, _)| !name.is_empty());
    let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| CommandError::wrong_call(format!("read --variable {variable:?}: write NAME=VALUE")))
}
