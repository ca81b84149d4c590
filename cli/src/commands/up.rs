//! `stagegate up`: the local AWS until Ctrl-C.

use std::path::Path;

use serde_json::Value;
use stagegate_local_aws::{LOCAL_ACCESS_KEY, LocalAws, actions};

use crate::args::{DEFAULT_PORT, UpOptions};
use crate::exit::{CommandError, Exit};
use crate::local::{self, Data, Definition, EXAMPLE, Local};
use crate::progress::Progress;
use crate::terminal::{Style, say};

pub(crate) fn run(options: &UpOptions) -> Result<Exit, CommandError> {
    let example = || local::template(&options.local).map(|template| local::beside_template(&template, EXAMPLE.0));
    let files = match options.pipelines.as_slice() {
        [] => vec![example()?],
        named => named.to_vec(),
    };
    let definitions = files.iter().map(|file| Definition::read(file)).collect::<Result<Vec<_>, _>>()?;
    let source = match (&options.source, definitions.as_slice()) {
        (Some(source), _) => source.clone(),
        (None, _) if options.pipelines.is_empty() => {
            local::beside_template(&local::template(&options.local)?, EXAMPLE.1)
        }
        (None, [first, ..]) => first.folder()?,
        (None, []) => ".".into(),
    };
    local::run(async |mut interrupt| {
        let data = Data::of(&options.local)?;
        let local = local::start(&options.local, data, source.clone(), DEFAULT_PORT, &definitions).await?;
        tokio::select! {
            () = serve(&local, &source) => {}
            () = interrupt.pressed() => {}
        }
        local.aws.shutdown().await;
        Ok(Exit::Passed)
    })
}

async fn serve(local: &Local, source: &Path) {
    let style = Style::of_stdout();
    say(format_args!("the local AWS serves {}; Ctrl-C ends it", style.strong(local.aws.endpoint_url())));
    say("");
    stacks(local, source);
    pages(local);
    say("");
    environment(&local.aws);
    for pipeline in &local.pipelines {
        let name = pipeline["name"].as_str().unwrap_or_default();
        say(format_args!("  aws codepipeline start-pipeline-execution --name {name}"));
    }
    say("");
    local.pipelines.iter().for_each(|pipeline| instances(&local.aws, pipeline));
    messages(&local.aws);
    say(format_args!("  logs and artifacts  {}", local.aws.data().display()));
    say("");
    let mut events = local.aws.codepipeline().subscribe();
    let mut progress = Progress::new(style);
    loop {
        match events.recv().await {
            Ok(event) => progress.show(&event),
            Err(tokio::sync::broadcast::error::RecvError::Lagged(missed)) => {
                say(format_args!("  ({missed} events were not shown)"));
            }
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Where a person can look and click.
pub(crate) fn pages(local: &Local) {
    say(format_args!("  console             {}", local.console.url()));
    say(format_args!("  local Slack         {}", local.slack.page_url()));
}

/// What a shell needs so that `aws` talks to the local AWS.
pub(crate) fn environment(aws: &LocalAws) {
    // The Python tools read the one name of the Region, the newer SDKs the other.
    let region = aws.region();
    say(format_args!(
        "  export AWS_ENDPOINT_URL={} AWS_REGION={region} AWS_DEFAULT_REGION={region}",
        aws.endpoint_url()
    ));
    say(format_args!("  export AWS_ACCESS_KEY_ID={LOCAL_ACCESS_KEY} AWS_SECRET_ACCESS_KEY={LOCAL_ACCESS_KEY}"));
    if let Some(bucket) = aws.bucket("State") {
        say(format_args!("  export STAGEGATE_STATE_BUCKET={bucket}"));
    }
}

/// Where functions answer and topics are published to.
pub(crate) fn messages(aws: &LocalAws) {
    for (function, url) in aws.function_urls() {
        say(format_args!("  {function:18}  {url}"));
    }
    for topic in aws.bus().topics() {
        say(format_args!("  {:18}  {topic}", "topic"));
    }
}

/// What was created from templates, and what of them is not there.
pub(crate) fn stacks(local: &Local, source: &Path) {
    for (template, stack) in &local.stacks {
        say(format_args!("{} is created as a stack on this machine:", template.display()));
        for pipeline in &stack.pipelines {
            let name = pipeline["name"].as_str().unwrap_or_default();
            let of_source = |action: &&Value| action["actionTypeId"]["category"] == "Source";
            let providers =
                actions(pipeline).filter(of_source).filter_map(|one| one["actionTypeId"]["provider"].as_str());
            let (from, providers) = (source.display(), providers.collect::<Vec<_>>().join(", "));
            say(format_args!("  the pipeline {name}; the files of {from} stand in for its source ({providers})"));
        }
        stack.build_projects.iter().for_each(|name| say(format_args!("  the CodeBuild project {name}")));
        for (application, group) in &stack.deployment_groups {
            let url = local.aws.instance_url(application, group).unwrap_or_default();
            say(format_args!("  the deployment group {application}/{group}  {url}"));
        }
        if !stack.absent.is_empty() {
            say(format_args!("  not on this machine: {}", stack.absent.join(", ")));
        }
        say("");
    }
}

/// Where the pipeline deploys to.
pub(crate) fn instances(aws: &LocalAws, pipeline: &Value) {
    let deploys = |action: &&Value| {
        ["CodeDeploy", "CodeDeployToECS"].iter().any(|provider| action["actionTypeId"]["provider"] == *provider)
    };
    for action in actions(pipeline).filter(deploys) {
        let setting = |key: &str| action["configuration"][key].as_str().unwrap_or_default();
        let (application, group) = (setting("ApplicationName"), setting("DeploymentGroupName"));
        if let Some(url) = aws.instance_url(application, group) {
            say(format_args!("  {:18}  {url}", format!("{application}/{group}")));
        }
    }
}
