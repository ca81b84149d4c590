//! A route as it is written.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::{Notification, NotificationSource, OncePer, QuietHours};
use crate::approval::{at_least_a_minute, filled_pattern};
use crate::channel::Channel;
use crate::gate::Fault;
use crate::{Config, Length, NamePattern, NoticeKind};

/// What a build or a deployment by itself can be told of.
const BY_ITSELF: [NoticeKind; 4] =
    [NoticeKind::Started, NoticeKind::Failed, NoticeKind::Succeeded, NoticeKind::Stopped];

/// Who hears of what. Every entry that matches counts, and a channel hears of each thing once.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::notification))]
#[serde(deny_unknown_fields)]
pub(crate) struct NotificationEntry {
    /// The pipelines: a name, in which `*` stands for any characters and `?` for one.
    #[serde(default, deserialize_with = "pattern")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::optional_name_pattern"))]
    pipeline: Option<NamePattern>,
    /// In place of `pipeline`: CodeBuild projects, written like `pipeline`. Meant are builds that no pipeline has started.
    #[serde(default, deserialize_with = "pattern")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::optional_name_pattern"))]
    project: Option<NamePattern>,
    /// In place of `pipeline`: CodeDeploy applications, written like `pipeline`. Meant are deployments that no pipeline has
    /// started.
    #[serde(default, deserialize_with = "pattern")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::optional_name_pattern"))]
    application: Option<NamePattern>,
    /// The stages of a pipeline, each written like `pipeline`. What belongs to another stage is not told; what belongs to
    /// the execution as a whole is.
    #[serde(default, deserialize_with = "patterns")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::name_patterns"))]
    stages: Option<Vec<NamePattern>>,
    /// What is told. Of builds and deployments by themselves: `started`, `failed`, `succeeded`, `stopped`.
    #[serde(deserialize_with = "some_kinds")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::kinds"))]
    on: Vec<NoticeKind>,
    /// Where: a name under `channels`.
    #[serde(default)]
    channel: Option<String>,
    /// In place of `channel`: several of them.
    #[serde(default, deserialize_with = "names")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::channel_names"))]
    channels: Option<Vec<String>>,
    /// Whether an execution has one message that is kept current, with what people must see in replies to it. Only a
    /// `slack` channel has threads; elsewhere each notice is a message of its own.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = true)))]
    thread: Option<bool>,
    /// Whether of several failed executions in a row only the first failure is told, until one has succeeded.
    #[serde(default)]
    first_failure_only: bool,
    /// Of what only the first notice of each kind is told.
    #[serde(default)]
    once_per: Option<OncePer>,
    /// When notices are kept, to be told together when these hours are over.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::quiet_hours::QuietHoursEntry>"))]
    quiet_hours: Option<QuietHours>,
    /// Whether a failure mentions the author of the change, where their e-mail address is that of somebody in Slack. Only a
    /// `slack` channel has mentions.
    #[serde(default)]
    mention_author: bool,
    /// After how long without progress an execution is stuck; with `stuck` in `on`. Waiting for an approval is not being
    /// stuck. At least a minute.
    #[serde(default, deserialize_with = "minutes")]
    stuck_after: Option<Length>,
}

impl NotificationEntry {
    /// The route that the keys make.
    pub(crate) fn notification(self, config: &Config) -> Result<Notification, Fault> {
        let explicit_thread = self.thread;
        let channels = channels(self.channel, self.channels)?;
        let source = source(self.pipeline, self.project, self.application, self.stages)?;
        let route = Notification {
            source,
            on: self.on,
            channels,
            thread: explicit_thread.unwrap_or(true),
            first_failure_only: self.first_failure_only,
            once_per: self.once_per,
            quiet_hours: self.quiet_hours,
            mention_author: self.mention_author,
            stuck_after: self.stuck_after,
        };
        check_kinds(&route)?;
        check_channels(&route, explicit_thread == Some(true), config)?;
        Ok(route)
    }
}

fn channels(one: Option<String>, several: Option<Vec<String>>) -> Result<Vec<String>, Fault> {
    match (one, several) {
        (Some(channel), None) => Ok(vec![channel]),
        (None, Some(channels)) => Ok(channels),
        (None, None) => Err(Fault::new(&[], "goes nowhere; add `channel` or `channels`")),
        (Some(_), Some(_)) => Err(Fault::new(&["channels"], "has both `channel` and `channels`; keep one of them")),
    }
}

fn source(
    pipeline: Option<NamePattern>,
    project: Option<NamePattern>,
    application: Option<NamePattern>,
    stages: Option<Vec<NamePattern>>,
) -> Result<NotificationSource, Fault> {
    let has_stages = stages.is_some();
    let source = match (pipeline, project, application) {
        (Some(pipeline), None, None) => NotificationSource::Pipeline { pipeline, stages: stages.unwrap_or_default() },
        (None, Some(project), None) => NotificationSource::Project(project),
        (None, None, Some(application)) => NotificationSource::Application(application),
        _ => return Err(Fault::new(&[], "must have exactly one of `pipeline`, `project` and `application`")),
    };
    if has_stages && !matches!(source, NotificationSource::Pipeline { .. }) {
        return Err(Fault::new(&["stages"], "names stages, and only a pipeline has some"));
    }
    Ok(source)
}

fn check_kinds(route: &Notification) -> Result<(), Fault> {
    let has = |kind| route.on.contains(&kind);
    if !matches!(route.source, NotificationSource::Pipeline { .. }) {
        let known = BY_ITSELF.map(NoticeKind::name).join(", ");
        if let Some(number) = route.on.iter().position(|kind| !BY_ITSELF.contains(kind)) {
            let kind = route.on[number].name();
            let what = format!("asks for `{kind}`, of which only a pipeline tells; of these there are: {known}");
            return Err(Fault::new(&["on", &number.to_string()], what));
        }
        for (key, given) in [
            ("first_failure_only", route.first_failure_only),
            ("once_per", route.once_per.is_some()),
            ("mention_author", route.mention_author),
        ] {
            if given {
                return Err(Fault::new(&[key], format!("has `{key}`, which is for pipelines only")));
            }
        }
    }
    match (has(NoticeKind::Stuck), route.stuck_after) {
        (true, None) => {
            Err(Fault::new(&["on"], "asks for `stuck` and does not say when; add `stuck_after`, such as 30m"))
        }
        (false, Some(_)) => Err(Fault::new(&["stuck_after"], "says when an execution is stuck; add `stuck` to `on`")),
        _ if route.first_failure_only && !has(NoticeKind::Failed) => {
            Err(Fault::new(&["first_failure_only"], "is about failures; add `failed` to `on`"))
        }
        _ => Ok(()),
    }
}

fn check_channels(route: &Notification, must_have_threads: bool, config: &Config) -> Result<(), Fault> {
    for (number, name) in route.channels.iter().enumerate() {
        if let Err(unknown) = config.channel(name) {
            // Where there is one channel, the last key of the way is not there, and the place is that of the list.
            let number = number.to_string();
            let path: &[&str] = if route.channels.len() == 1 { &["channel"] } else { &["channels", &number] };
            return Err(Fault::new(path, format!("names a channel that is not there: failed to {unknown}")));
        }
    }
    let are_interactive =
        route.channels.iter().filter_map(|name| config.channel(name).ok()).any(Channel::is_interactive);
    for (key, given, what) in
        [("thread", must_have_threads, "threads"), ("mention_author", route.mention_author, "mentions")]
    {
        if given && !are_interactive {
            return Err(Fault::new(&[key], format!("asks for {what}, and only a `slack` channel has some")));
        }
    }
    Ok(())
}

fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NamePattern>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(|text| filled_pattern(&text)).transpose()
}

fn patterns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<NamePattern>>, D::Error> {
    let Some(texts) = Option::<Vec<String>>::deserialize(deserializer)? else { return Ok(None) };
    if texts.is_empty() {
        return Err(D::Error::custom("a list without a stage; leave `stages` out for all of them"));
    }
    texts.iter().map(|text| filled_pattern(text)).collect::<Result<_, _>>().map(Some)
}

fn minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Length>, D::Error> {
    Option::<Length>::deserialize(deserializer)?.map(at_least_a_minute).transpose()
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let Some(names) = Option::<Vec<String>>::deserialize(deserializer)? else { return Ok(None) };
    if names.is_empty() {
        return Err(D::Error::custom("a list without a channel; nobody would hear of anything"));
    }
    each_once(&names, |name| name)?;
    Ok(Some(names))
}

pub(super) fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NoticeKind>, D::Error> {
    let kinds = Vec::<NoticeKind>::deserialize(deserializer)?;
    each_once(&kinds, |kind| kind.name())?;
    Ok(kinds)
}

fn some_kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NoticeKind>, D::Error> {
    let kinds = kinds(deserializer)?;
    if kinds.is_empty() {
        return Err(D::Error::custom("an empty list tells nothing; write what is told, such as [failed, recovered]"));
    }
    Ok(kinds)
}

fn each_once<T: PartialEq, E: Error>(items: &[T], name: impl Fn(&T) -> &str) -> Result<(), E> {
    match items.iter().enumerate().find(|(number, item)| items[..*number].contains(item)) {
        Some((_, item)) => Err(E::custom(format!("{:?} stands here twice", name(item)))),
        None => Ok(()),
    }
}
