//! From the functions of the template to functions that run here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use stagegate_local_lambda::{EventInvokeConfig, FunctionCommand, FunctionConfig};
use stagegate_local_template::{Function, Template};

use crate::credentials::Credentials;
use crate::options::{Bootstraps, Options};

/// Where Lambda mounts the layers of a function.
const LAYERS: &str = "/opt/";

/// The functions of the template with their settings, told where the local AWS is.
///
/// # Errors
///
/// If a function cannot be started here.
pub(crate) fn configure(
    template: &Template,
    options: &Options,
    endpoint_url: &str,
    credentials: &mut Credentials,
) -> Result<Vec<FunctionConfig>, String> {
    let hosted = template.functions.iter().map(|function| {
        let mut config = hosted(template, function, &options.bootstraps)?;
        config.environment.extend(options.environment.clone());
        config.environment.insert("AWS_ENDPOINT_URL".to_owned(), endpoint_url.to_owned());
        config.environment.insert("STAGEGATE_LOCAL_CLOCK".to_owned(), "client-context".to_owned());
        config.credentials = credentials.for_function(&config.name);
        Ok(config)
    });
    hosted.collect()
}

fn hosted(template: &Template, function: &Function, bootstraps: &Bootstraps) -> Result<FunctionConfig, String> {
    let command = command(function, bootstraps)?;
    let mut config = FunctionConfig::new(&function.function_name, &function.arn, command);
    config.handler.clone_from(&function.handler);
    config.timeout = Duration::from_secs(function.timeout_seconds.into());
    config.memory_mb = function.memory_mb;
    config.event_invoke = event_invoke(function);
    if let Some(reserved) = function.reserved_concurrency.and_then(|reserved| usize::try_from(reserved).ok()) {
        config.max_concurrency = reserved;
    }
    let layers: Vec<PathBuf> = layers(template, function);
    let variables = function.environment.iter();
    config.environment = variables.map(|(name, value)| (name.clone(), mounted(value, &layers))).collect();
    // Lambda tells a function how to log by its environment.
    config.environment.insert("AWS_LAMBDA_LOG_FORMAT".to_owned(), function.logging.format.clone());
    if let Some(level) = &function.logging.application_log_level {
        config.environment.insert("AWS_LAMBDA_LOG_LEVEL".to_owned(), level.clone());
    }
    Ok(config)
}

fn event_invoke(function: &Function) -> EventInvokeConfig {
    let (stated, default) = (&function.event_invoke, EventInvokeConfig::default());
    let age = stated.maximum_event_age_seconds.map(|seconds| Duration::from_secs(seconds.into()));
    EventInvokeConfig {
        maximum_retry_attempts: stated.maximum_retry_attempts.unwrap_or(default.maximum_retry_attempts),
        maximum_event_age: age.unwrap_or(default.maximum_event_age),
        on_failure: stated.on_failure.clone(),
        on_success: stated.on_success.clone(),
        dead_letter: function.dead_letter_arn.clone(),
    }
}

fn command(function: &Function, bootstraps: &Bootstraps) -> Result<FunctionCommand, String> {
    let id = &function.logical_id;
    let Some(binary) = &function.build.binary else {
        return Err(format!("start the function {id}: its Metadata names no binary (BuildProperties, Binary)"));
    };
    match bootstraps {
        Bootstraps::Program { program, arguments, functions } if functions.contains(binary) => {
            Ok(FunctionCommand::new(program).args(arguments.iter().chain([binary])))
        }
        Bootstraps::Program { functions, .. } => {
            let known = functions.join(", ");
            Err(format!(
                "start the function {id}: this program cannot play {binary}, only {known}; name a folder of built functions"
            ))
        }
        Bootstraps::Partial(folder) => {
            let places = [folder.join(binary).join("bootstrap"), folder.join(binary)];
            let program = places.iter().find(|place| place.is_file()).unwrap_or(&places[1]);
            let program = std::path::absolute(program).map_err(|error| format!("start the function {id}: {error}"))?;
            Ok(FunctionCommand::new(program))
        }
        Bootstraps::Folder(folder) => {
            let places = [folder.join(binary).join("bootstrap"), folder.join(binary)];
            // One that is not built yet fails when it is called; the others work without it.
            let program = places.iter().find(|place| place.is_file()).unwrap_or(&places[0]);
            if !program.is_file() {
                let (first, second) = (places[0].display(), places[1].display());
                tracing::warn!("the function {id} cannot be called: there is neither {first} nor {second}");
            }
            Ok(FunctionCommand::new(
                std::path::absolute(program).map_err(|error| format!("start the function {id}: {error}"))?,
            ))
        }
    }
}

/// The folders of the function's layers, the one that wins first: Lambda lays later layers over earlier ones.
fn layers(template: &Template, function: &Function) -> Vec<PathBuf> {
    let folder = |arn: &String| {
        let layer = template.layers.iter().find(|layer| layer.arn == *arn)?;
        Some(template.folder.join(&layer.content_uri))
    };
    function.layers.iter().rev().filter_map(folder).collect()
}

/// A path below `/opt` as the path in the layer that holds the file. Nothing can be mounted there on this machine.
fn mounted(value: &str, layers: &[PathBuf]) -> String {
    let Some(inside) = value.strip_prefix(LAYERS) else { return value.to_owned() };
    let found = layers.iter().map(|layer| layer.join(inside)).find(|file| file.exists());
    let absolute = found.and_then(|file| std::path::absolute(file).ok());
    absolute.as_deref().and_then(Path::to_str).map_or_else(|| value.to_owned(), str::to_owned)
}
