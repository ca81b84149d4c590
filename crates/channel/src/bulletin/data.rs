//! For programs.

use serde_json::{Value, json};
use stagegate_notice::{Bulletin, Line, Mark, StageLine, Subject};

/// The most characters of one text.
const TEXT: usize = 2000;

/// The version of the form below. It is raised where something is taken away or changes its meaning.
const VERSION: u32 = 1;

/// A notice or the head message, as JSON.
pub(crate) fn data(bulletin: &Bulletin) -> Value {
    let name = match bulletin.subject {
        Subject::Pipeline => "pipeline",
        Subject::Build => "project",
        Subject::Deployment => "deployment",
    };
    json!({
        "version": VERSION,
        "kind": bulletin.kind.map_or("status", |kind| kind.name()),
        "key": text(&bulletin.key),
        "subject": bulletin.subject,
        name: text(&bulletin.name),
        "execution": text(&bulletin.execution),
        "stage": bulletin.stage.as_deref().map(text),
        "status": bulletin.status,
        "title": text(&bulletin.title),
        "lines": bulletin.lines.iter().map(line).collect::<Vec<_>>(),
        "stages": bulletin.stages.iter().map(stage).collect::<Vec<_>>(),
        "revision": bulletin.revision.as_ref().map(|revision| json!({
            "id": text(&revision.id),
            "summary": revision.summary.as_deref().map(text),
            "url": revision.url.as_deref().map(text),
        })),
        "author": bulletin.author.as_deref().map(text),
        "trigger": bulletin.trigger.as_deref().map(text),
        "region": bulletin.region.as_deref().map(text),
        "url": bulletin.url.as_deref().map(text),
    })
}

fn line(line: &Line) -> Value {
    json!({"label": line.label, "text": text(&line.text), "url": line.url.as_deref().map(text)})
}

fn stage(stage: &StageLine) -> Value {
    let action = |(name, mark): &(String, Mark)| json!({"name": text(name), "mark": mark});
    let actions: Vec<_> = stage.actions.iter().map(action).collect();
    json!({"name": text(&stage.name), "mark": stage.mark, "actions": actions})
}

fn text(text: &str) -> String {
    text.chars().take(TEXT).collect()
}
