//! The words for each kind of channel. Whatever comes from outside is shown as text: it can neither mention nor link nor
//! pretend.

use serde_json::{Value, json as object};
use stagegate_slack::blocks::Message;
use stagegate_slack::{Plain, Text};
use url::Url;

use crate::head::{Head, StageLine};
use crate::mark::Mark;
use crate::notice::Notice;
use crate::picture::Picture;

/// The longest subject that SNS takes; it must be ASCII without line ends (AWS SNS API reference, Publish).
const SUBJECT: usize = 100;
/// The most characters of one text in plain messages.
const LINE: usize = 600;

/// The head message for Slack.
pub fn slack_head(picture: &Picture, pipeline: &str, execution: &str) -> Message {
    let head = picture.head(pipeline, execution);
    let title = format!("{} {pipeline}: {}", head.status.sign(), head.status.word());
    let mut message = Message::new(Text::line(&title)).header(Plain::new(&title));
    if !head.stages.is_empty() {
        message = message.section(Text::join(head.stages.iter().map(slack_stage), &Text::literal("\n")));
    }
    let change = about(picture).into_iter().map(|(label, text, url)| {
        let shown = match link(url.as_deref()) {
            Some(url) => Text::link(&url, &text),
            None => Text::line(&text),
        };
        Text::bold(label) + Text::literal(" ") + shown.cut(LINE)
    });
    let execution = match console(picture, &head) {
        Some(url) => Text::link(&url, execution),
        None => Text::code(execution),
    };
    message.context(change.chain([execution]))
}

fn slack_stage(stage: &StageLine) -> Text {
    let mut text = Text::literal(stage.mark.sign()) + Text::literal(" ") + Text::bold(&stage.name);
    if stage.mark != Mark::Done && stage.mark != Mark::NotBegun {
        text += Text::literal(" ") + Text::literal(stage.mark.word());
    }
    for (name, mark) in &stage.actions {
        text += Text::literal("  ") + Text::literal(mark.sign()) + Text::literal(" ") + Text::line(name);
    }
    text
}

/// A notice for Slack. In a thread the head says what it is about; else `head` is shown with it.
pub fn slack_notice(picture: &Picture, notice: &Notice, head: &Head, in_thread: bool) -> Message {
    let title = format!("{}: {}", head.pipeline, notice.title);
    let mut message = Message::new(Text::line(&title)).section(Text::bold(&title));
    for line in &notice.lines {
        let shown = match link(line.url.as_deref()) {
            Some(url) => Text::link(&url, &line.text),
            None => Text::escaped(&line.text),
        };
        message = message.section(Text::bold(&line.label) + Text::literal(" ") + shown);
    }
    if in_thread {
        return message;
    }
    let stages = Text::join(head.stages.iter().map(slack_stage), &Text::literal("\n"));
    let change = about(picture)
        .into_iter()
        .map(|(label, text, _)| Text::bold(label) + Text::literal(" ") + Text::line(&text).cut(LINE));
    let execution =
        console(picture, head).map_or_else(|| Text::code(&head.execution), |url| Text::link(&url, &head.execution));
    message.section(stages).context(change.chain([execution]))
}

/// The subject of an e-mail.
pub fn subject(notice: &Notice, head: &Head) -> String {
    let title = format!("{}: {}", head.pipeline, notice.title);
    title.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(SUBJECT).collect()
}

/// A notice as text.
pub fn text(picture: &Picture, notice: &Notice, head: &Head) -> String {
    let mut lines = vec![plain(&format!("{}: {}", head.pipeline, notice.title)), String::new()];
    for line in &notice.lines {
        lines.push(format!("{}: {}", line.label, plain(line.url.as_deref().unwrap_or(&line.text))));
    }
    lines.extend(
        head.stages.iter().map(|stage| format!("{} {} {}", stage.mark.sign(), plain(&stage.name), stage.mark.word())),
    );
    lines.extend(about(picture).into_iter().map(|(label, text, _)| format!("{label}: {}", plain(&text))));
    lines.push(format!("Execution: {}", plain(&head.execution)));
    lines.extend(console(picture, head).map(|url| url.to_string()));
    lines.join("\n")
}

/// A notice for programs.
pub fn json(picture: &Picture, notice: &Notice, head: &Head) -> Value {
    object!({
        "version": 1,
        "kind": notice.kind,
        "key": notice.key,
        "pipeline": head.pipeline,
        "execution": head.execution,
        "stage": notice.stage,
        "status": head.status,
        "title": notice.title,
        "lines": notice.lines,
        "stages": head.stages,
        "revision": picture.about.revision,
        "author": picture.about.author,
        "url": console(picture, head).map(String::from),
    })
}

/// What the execution is about: label, text and where it leads.
fn about(picture: &Picture) -> Vec<(&'static str, String, Option<String>)> {
    let about = &picture.about;
    let mut lines = Vec::new();
    if let Some(revision) = &about.revision {
        let id: String = revision.id.chars().take(12).collect();
        let summary = revision.summary.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
        lines.push(("Change", format!("{id} {summary}").trim().to_owned(), revision.url.clone()));
    }
    let more = [("Author", &about.author), ("Started by", &about.trigger), ("Rolls back to", &about.rollback_to)];
    lines.extend(more.into_iter().filter_map(|(label, text)| Some((label, text.clone()?, None))));
    lines
}

/// The execution in the console of the standard partition.
fn console(picture: &Picture, head: &Head) -> Option<Url> {
    let region = picture.about.region.as_deref()?;
    let is_region = region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_region {
        return None;
    }
    let mut url: Url =
        format!("https://{region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/").parse().ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().extend([
        head.pipeline.as_str(),
        "executions",
        head.execution.as_str(),
        "timeline",
    ]);
    url.query_pairs_mut().append_pair("region", region);
    Some(url)
}

fn link(url: Option<&str>) -> Option<Url> {
    url.and_then(|url| url.parse().ok()).filter(|url: &Url| url.scheme() == "https")
}

/// Text from anywhere on one line: what would control a terminal or turn the direction of writing is replaced.
fn plain(text: &str) -> String {
    let shown = Plain::new(text);
    let shown = shown.as_str();
    if shown.chars().count() <= LINE { shown.to_owned() } else { shown.chars().take(LINE - 1).chain(['…']).collect() }
}
