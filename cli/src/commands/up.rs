//! `stagegate up`: the local AWS until Ctrl-C.

use stagegate_local_aws::{LOCAL_ACCESS_KEY, LocalAws, actions};

use crate::args::{DEFAULT_PORT, UpOptions};
use crate::exit::{CommandError, Exit};
use crate::local::{self, Data, Definition, Local};
use crate::progress::Progress;
use crate::terminal::{Style, say};

pub(crate) fn run(options: &UpOptions) -> Result<Exit, CommandError> {
    let definitions = options.pipelines.iter().map(|file| Definition::read(file)).collect::<Result<Vec<_>, _>>()?;
    let folder = definitions.first().map(Definition::folder);
    let source = options.source.clone().or(folder).unwrap_or_else(|| ".".into());
    local::run(async |mut interrupt| {
        let local = local::start(&options.local, Data::of(&options.local)?, source, DEFAULT_PORT, &definitions).await?;
        tokio::select! {
            () = serve(&local, &definitions) => {}
            () = interrupt.pressed() => {}
        }
        local.aws.shutdown().await;
        Ok(Exit::Passed)
    })
}

async fn serve(local: &Local, definitions: &[Definition]) {
    let style = Style::of_stdout();
    say(format_args!("the local AWS serves {}; Ctrl-C ends it", style.strong(local.aws.endpoint_url())));
    say("");
    pages(local);
    say("");
    environment(&local.aws);
    for definition in definitions {
        let name = definition.pipeline()["name"].as_str().unwrap_or_default();
        say(format_args!("  aws codepipeline start-pipeline-execution --name {name}"));
    }
    say("");
    for definition in definitions {
        instances(&local.aws, definition);
    }
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

/// Where the pipeline deploys to.
pub(crate) fn instances(aws: &LocalAws, definition: &Definition) {
    for action in actions(definition.pipeline()).filter(|action| action["actionTypeId"]["provider"] == "CodeDeploy") {
        let setting = |key: &str| action["configuration"][key].as_str().unwrap_or_default();
        let (application, group) = (setting("ApplicationName"), setting("DeploymentGroupName"));
        if let Some(url) = aws.instance_url(application, group) {
            say(format_args!("  {:18}  {url}", format!("{application}/{group}")));
        }
    }
}
