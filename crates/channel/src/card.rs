//! Adaptive Cards, of the parts that show text as it is.
//!
//! Text stands in the runs of rich text blocks, which know no markup (Adaptive Cards schema 1.2, TextRun: "Markdown is not
//! supported"), so that nothing in it can link or mention.

use serde_json::{Value, json};

use crate::inert::inert_line;

/// The most bytes of a card. Teams takes 28 KB for a message (Microsoft's documentation, "Create Incoming Webhooks"); the
/// makers of the library `msteams_hermes` have seen it refuse more than 21 KB.
const LARGEST: usize = 20 * 1024;

/// A card.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    summary: String,
    body: Vec<Value>,
    actions: Vec<Value>,
}

/// A piece of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    text: String,
    is_bold: bool,
    is_subtle: bool,
    color: Option<&'static str>,
    url: Option<String>,
}

impl Run {
    /// Foreign text on one line, of at most `longest` characters.
    pub fn new(text: &str, longest: usize) -> Self {
        // Between double braces a card writes dates.
        Self { text: inert_line(text, longest).replace('{', "{\u{200b}"), ..Self::default() }
    }

    /// A word of the program.
    pub fn literal(text: &'static str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// In bold.
    #[must_use]
    pub fn bold(mut self) -> Self {
        self.is_bold = true;
        self
    }

    /// As small print.
    #[must_use]
    pub fn subtle(mut self) -> Self {
        self.is_subtle = true;
        self
    }

    /// In a colour of the schema: `good`, `warning`, `attention`, `accent`.
    #[must_use]
    pub fn color(mut self, color: &'static str) -> Self {
        self.color = Some(color);
        self
    }

    /// As a link, where it is one to a page.
    #[must_use]
    pub fn link(mut self, url: Option<&str>) -> Self {
        self.url = url.filter(|url| url.starts_with("https://")).map(str::to_owned);
        self
    }

    fn to_json(&self) -> Value {
        let mut run = json!({"type": "TextRun", "text": self.text});
        if self.is_bold {
            run["weight"] = "bolder".into();
        }
        if self.is_subtle {
            run["isSubtle"] = true.into();
        }
        if let Some(color) = self.color {
            run["color"] = color.into();
        }
        if let Some(url) = &self.url {
            run["selectAction"] = json!({"type": "Action.OpenUrl", "url": url});
        }
        run
    }
}

impl Card {
    /// A card with a title; `color` as for [`Run::color`].
    pub fn new(title: &str, color: Option<&'static str>) -> Self {
        let mut run = Run::new(title, 300).bold();
        run.color = color;
        let summary = run.text.clone();
        let mut json = run.to_json();
        json["size"] = "large".into();
        let block = json!({"type": "RichTextBlock", "inlines": [json]});
        Self { summary, body: vec![block], actions: Vec::new() }
    }

    /// Adds a line.
    #[must_use]
    pub fn line(mut self, runs: impl IntoIterator<Item = Run>) -> Self {
        let inlines: Vec<_> = runs.into_iter().filter(|run| !run.text.is_empty()).map(|run| run.to_json()).collect();
        if !inlines.is_empty() {
            self.body.push(json!({"type": "RichTextBlock", "inlines": inlines, "spacing": "small"}));
        }
        self
    }

    /// Adds text in the Markdown of cards (bold, italics, lists, links), in which all that is foreign was escaped.
    #[must_use]
    pub(crate) fn markdown(mut self, text: &str) -> Self {
        let mut spacing = "medium";
        for line in text.lines() {
            if line.trim().is_empty() {
                spacing = "medium";
                continue;
            }
            self.body.push(json!({"type": "TextBlock", "text": line, "wrap": true, "spacing": spacing}));
            spacing = "none";
        }
        self
    }

    /// Adds a button that opens a page, where the URL is one.
    #[must_use]
    pub fn button(mut self, title: &'static str, url: Option<&str>) -> Self {
        if let Some(url) = url.filter(|url| url.starts_with("https://")) {
            self.actions.push(json!({"type": "Action.OpenUrl", "title": title, "url": url}));
        }
        self
    }

    /// The message that a workflow of Teams takes. Lines for which there is no room are left out, and that is said.
    pub fn to_json(&self) -> Value {
        let size = |value: &Value| value.to_string().len();
        let mut room = LARGEST.saturating_sub(self.actions.iter().map(size).sum::<usize>());
        let mut body = Vec::new();
        for block in &self.body {
            let needed = size(block);
            if needed > room {
                let rest = Run::literal("The rest is too long and is not shown.").subtle().to_json();
                body.push(json!({"type": "RichTextBlock", "inlines": [rest]}));
                break;
            }
            room -= needed;
            body.push(block.clone());
        }
        json!({
            "type": "message",
            "summary": self.summary,
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "body": body,
                    "actions": self.actions,
                    "msteams": {"width": "Full"},
                },
            }],
        })
    }
}
