//! For Slack.

use stagegate_notice::{Bulletin, Line, Mark, StageLine};
use stagegate_slack::blocks::Message;
use stagegate_slack::{Plain, Text, UserId};
use url::Url;

use super::{LINE, LINES, title};

/// The most characters of a title or a name that are looked at. More are never shown.
const NAME: usize = 4 * LINE;
/// The most characters of a line's text that are looked at: what several sections take.
const TEXT: usize = 20 * LINE;
/// The most characters of a link in a section of its own.
const SECTION: usize = 5 * LINE;

/// The head message.
pub(super) fn head(bulletin: &Bulletin) -> Message {
    let title = title(bulletin);
    let title = start(&title, NAME);
    let mut message = Message::new(Text::line(title)).header(Plain::new(title));
    if !bulletin.stages.is_empty() {
        message = message.section(stages(bulletin));
    }
    message.context(about(bulletin))
}

/// A notice. In a thread the head says what it is about.
pub(super) fn notice(bulletin: &Bulletin) -> Message {
    let title = title(bulletin);
    let title = start(&title, NAME);
    let mention = bulletin.mention.as_deref().and_then(|user| user.parse::<UserId>().ok());
    let mut first = Text::bold(title);
    if let Some(user) = &mention {
        first += Text::literal(" ") + Text::user(user);
    }
    let mut message = Message::new(Text::line(title)).section(first);
    for line in bulletin.lines.iter().take(LINES) {
        message = message.section(labelled(line, said(start(&line.text, TEXT)), SECTION));
    }
    if bulletin.is_reply {
        return message;
    }
    if !bulletin.stages.is_empty() {
        message = message.section(stages(bulletin));
    }
    message.context(about(bulletin))
}

/// What somebody else has said. Of several lines none can be taken for one of ours.
fn said(text: &str) -> Text {
    match text.trim().contains(['\n', '\r']) {
        true => Text::literal("\n") + Text::preformatted(text.trim()),
        false => Text::escaped(text),
    }
}

fn stages(bulletin: &Bulletin) -> Text {
    Text::join(bulletin.stages.iter().map(stage), &Text::literal("\n"))
}

fn stage(stage: &StageLine) -> Text {
    let mut text = Text::literal(stage.mark.sign()) + Text::literal(" ") + Text::bold(start(&stage.name, NAME));
    if stage.mark != Mark::Done && stage.mark != Mark::NotBegun {
        text += Text::literal(" ") + Text::literal(stage.mark.word());
    }
    for (name, mark) in &stage.actions {
        text += Text::literal("  ") + Text::literal(mark.sign()) + Text::literal(" ") + Text::line(start(name, NAME));
    }
    text
}

fn about(bulletin: &Bulletin) -> Vec<Text> {
    let line = |line: &Line| labelled(line, Text::line(start(&line.text, NAME)), LINE).cut(LINE);
    let mut lines: Vec<_> = bulletin.about.iter().map(line).collect();
    lines.push(match link(bulletin.url.as_deref()) {
        Some(url) => Text::link(&url, start(&bulletin.execution, NAME)),
        None => Text::code(start(&bulletin.execution, NAME)),
    });
    lines
}

/// A label and what it says, in which a link takes no more than `longest` together with the label: what is longer would be
/// left out.
fn labelled(line: &Line, text: Text, longest: usize) -> Text {
    let label = Text::bold(&line.label) + Text::literal(" ");
    let shown = match link(line.url.as_deref()) {
        Some(url) => Text::link_within(&url, start(&line.text, LINE), longest.saturating_sub(label.length())),
        None => text,
    };
    label + shown
}

fn link(url: Option<&str>) -> Option<Url> {
    url.and_then(|url| url.parse().ok()).filter(|url: &Url| url.scheme() == "https")
}

/// The beginning of a text: what is far too long is not even looked at.
fn start(text: &str, longest: usize) -> &str {
    text.char_indices().nth(longest).map_or(text, |(end, _)| &text[..end])
}
