//! `stagegate notify-preview`: how notices look in a channel, with the templates of the configuration.

use std::path::Path;

use serde_json::Value;
use stagegate_channel::{Say, Templates, samples};
use stagegate_config::{ChannelKind, Config, NoticeKind};
use stagegate_notice::{Bulletin, Picture};
use stagegate_pipeline_event::{Change, Event};

use super::check;
use crate::args::NotifyPreviewOptions;
use crate::exit::{CommandError, Exit};
use crate::terminal::{put, say};

/// What is known of the message that is kept current.
const STATUS: &str = "status";

pub(crate) fn run(options: &NotifyPreviewOptions) -> Result<Exit, CommandError> {
    let bulletins = bulletins(&options.event)?;
    let templates = templates(options.config.as_deref())?;
    let kinds: Vec<_> = options.channel.map_or_else(|| ChannelKind::ALL.to_vec(), |kind| vec![kind]);
    for bulletin in &bulletins {
        let told = bulletin.kind.map_or(STATUS, NoticeKind::name);
        for kind in &kinds {
            say(format_args!(
                "== {told}: {} in a channel of the kind {}",
                bulletin.subject.title(&bulletin.name),
                kind.name()
            ));
            put(rendered(&templates.say(bulletin), *kind)?);
            say("");
        }
    }
    Ok(Exit::Passed)
}

/// What is told: of an event in a file, all that follows from it; of a kind, a sample.
fn bulletins(event: &str) -> Result<Vec<Bulletin>, CommandError> {
    let kind = NoticeKind::ALL.into_iter().find(|kind| kind.name() == event);
    if kind.is_some() || event == STATUS {
        // The first sample of a kind is that of a pipeline, with everything that it can have.
        return Ok(samples().into_iter().filter(|sample| sample.kind == kind).take(1).collect());
    }
    let path = Path::new(event);
    let text = std::fs::read_to_string(path).map_err(|error| {
        let known = NoticeKind::ALL.map(NoticeKind::name);
        let near = stagegate_config::nearest(event, known.into_iter().chain([STATUS]));
        let meant = near.map(|near| format!(" (did you mean {near:?}?)")).unwrap_or_default();
        CommandError::broken_input(format!(
            "read the event {event}: {error}{meant}; name a file with an event of EventBridge, or one of {STATUS}, {}",
            known.join(", ")
        ))
    })?;
    let event: Value = serde_json::from_str(&text)
        .map_err(|error| CommandError::broken_input(format!("read {}: {error}", path.display())))?;
    let event = Event::read(&event).map_err(CommandError::broken_input)?;
    let (name, execution) = match &event.change {
        Change::Build(build) => (build.project.clone(), build.build_id()),
        Change::Deployment(deployment) => (deployment.name(), deployment.deployment.as_deref()),
        _ => event.execution().map(|(name, execution)| (name.to_owned(), execution)).unzip(),
    };
    let (Some(name), Some(execution)) = (name, execution) else {
        let message =
            "show the event: it is none of an execution, a build or a deployment, so nothing follows from it alone";
        return Err(CommandError::broken_input(message));
    };
    let picture = Picture::of(&event, jiff::Timestamp::now());
    let head = picture.head(&name, execution);
    let notices = picture.notices();
    let notices = notices.iter().map(|notice| Bulletin::notice(&picture, notice, &head, false));
    Ok(std::iter::once(Bulletin::head(&picture, &head)).chain(notices).collect())
}

/// The templates of the configuration that is named, or that of the project; none where there is no configuration.
fn templates(named: Option<&Path>) -> Result<Templates, CommandError> {
    let path = match (named, check::config(named)) {
        (_, Ok(path)) => path,
        (None, Err(_)) => return Ok(Templates::default()),
        (Some(_), Err(error)) => return Err(error),
    };
    let config = Config::load(&path).map_err(CommandError::broken_input)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    Templates::load(&config, folder).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        CommandError::broken_input(format!("use the templates of {}: {}", path.display(), errors.join("; ")))
    })
}

fn rendered(say: &dyn Say, kind: ChannelKind) -> Result<String, CommandError> {
    let json = |value: &Value| serde_json::to_string_pretty(value).map(|text| text + "\n");
    let text = match kind {
        ChannelKind::Slack | ChannelKind::SlackWebhook => {
            let message = say.slack(kind == ChannelKind::Slack).map_err(CommandError::broken_input)?;
            json(&message.to_json())
        }
        ChannelKind::Teams => json(&say.card().map_err(CommandError::broken_input)?.to_json()),
        ChannelKind::Webhook => json(&say.webhook_data()),
        ChannelKind::Sns => {
            let mail = say.mail().map_err(CommandError::broken_input)?;
            Ok(format!("Subject: {}\n\n{}\n", mail.subject(), mail.text()))
        }
    };
    text.map_err(CommandError::broken_input)
}
