//! Slack's limits, as it refuses what is over them.

use std::collections::HashSet;

use serde_json::Value;

/// The most blocks of a message.
pub(crate) const MESSAGE_BLOCKS: usize = 50;
/// The most blocks of a modal.
const MODAL_BLOCKS: usize = 100;
/// Not documented; seen at about this many characters.
const MESSAGE_SIZE: usize = 13_000;
/// The most bytes of a view.
const VIEW_SIZE: usize = 250_000;

/// Why something is refused: Slack's word, and the places.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) errors: Vec<String>,
}

/// Checks the blocks of a message.
pub(crate) fn message_blocks(blocks: &[Value]) -> Result<(), Refusal> {
    let mut check = Check::default();
    check.blocks("/blocks", blocks, MESSAGE_BLOCKS);
    check.done("invalid_blocks")?;
    let size: usize = blocks.iter().map(|block| block.to_string().chars().count()).sum();
    if size > MESSAGE_SIZE {
        return Err(Refusal { code: "msg_blocks_too_long", errors: Vec::new() });
    }
    Ok(())
}

/// Checks a modal view.
pub(crate) fn view(view: &Value) -> Result<(), Refusal> {
    if view.to_string().len() > VIEW_SIZE {
        return Err(Refusal { code: "view_too_large", errors: Vec::new() });
    }
    let mut check = Check::default();
    if view["type"] != "modal" {
        check.fail("must be modal", "/view/type");
    }
    check.plain("/view/title", &view["title"], 24, true);
    let blocks = view["blocks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let has_inputs = blocks.iter().any(|block| block["type"] == "input");
    check.plain("/view/submit", &view["submit"], 24, has_inputs);
    check.plain("/view/close", &view["close"], 24, false);
    check.string("/view/private_metadata", &view["private_metadata"], 3000, false);
    check.string("/view/callback_id", &view["callback_id"], 255, false);
    if blocks.is_empty() {
        check.fail("must provide at least one block", "/view/blocks");
    }
    check.blocks("/view/blocks", blocks, MODAL_BLOCKS);
    check.done("invalid_arguments")
}

#[derive(Default)]
struct Check {
    errors: Vec<String>,
    block_ids: HashSet<String>,
}

impl Check {
    fn done(&mut self, code: &'static str) -> Result<(), Refusal> {
        let errors = std::mem::take(&mut self.errors);
        if errors.is_empty() { Ok(()) } else { Err(Refusal { code, errors }) }
    }

    fn fail(&mut self, what: &str, place: &str) {
        self.errors.push(format!("{what} [json-pointer:{place}]"));
    }

    fn blocks(&mut self, place: &str, blocks: &[Value], max: usize) {
        if blocks.len() > max {
            self.fail(&format!("no more than {max} items allowed"), place);
        }
        for (number, block) in blocks.iter().enumerate() {
            self.block(&format!("{place}/{number}"), block);
        }
    }

    fn block(&mut self, place: &str, block: &Value) {
        self.string(&format!("{place}/block_id"), &block["block_id"], 255, false);
        if let Some(id) = block["block_id"].as_str()
            && !self.block_ids.insert(id.to_owned())
        {
            self.fail("block_id must be unique", &format!("{place}/block_id"));
        }
        match block["type"].as_str().unwrap_or_default() {
            "header" => self.plain(&format!("{place}/text"), &block["text"], 150, true),
            "section" => self.section(place, block),
            "context" => self.items(place, block, "elements", 10, |check, place, element| {
                check.text(place, element, 3000, true);
            }),
            "actions" => {
                self.items(place, block, "elements", 25, Self::button);
                self.unique_actions(place, block);
            }
            "input" => self.input(place, block),
            "divider" => {}
            other => self.fail(&format!("unsupported type: {other}"), &format!("{place}/type")),
        }
    }

    fn section(&mut self, place: &str, block: &Value) {
        let has_fields = block["fields"].is_array();
        self.text(&format!("{place}/text"), &block["text"], 3000, !has_fields);
        if has_fields {
            self.items(place, block, "fields", 10, |check, place, field| check.text(place, field, 2000, true));
        }
    }

    fn input(&mut self, place: &str, block: &Value) {
        self.plain(&format!("{place}/label"), &block["label"], 2000, true);
        self.plain(&format!("{place}/hint"), &block["hint"], 2000, false);
        let (element, at) = (&block["element"], format!("{place}/element"));
        if element["type"] != "plain_text_input" {
            self.fail("unsupported type", &format!("{at}/type"));
        }
        self.string(&format!("{at}/action_id"), &element["action_id"], 255, true);
        self.plain(&format!("{at}/placeholder"), &element["placeholder"], 150, false);
        if element["max_length"].as_u64().is_some_and(|max| !(1..=3000).contains(&max)) {
            self.fail("must be between 1 and 3000", &format!("{at}/max_length"));
        }
    }

    fn button(&mut self, place: &str, button: &Value) {
        if button["type"] != "button" {
            return self.fail("unsupported type", &format!("{place}/type"));
        }
        self.plain(&format!("{place}/text"), &button["text"], 75, true);
        self.string(&format!("{place}/action_id"), &button["action_id"], 255, true);
        self.string(&format!("{place}/value"), &button["value"], 2000, false);
        self.string(&format!("{place}/url"), &button["url"], 3000, false);
        if !matches!(button["style"].as_str(), None | Some("primary" | "danger")) {
            self.fail("must be primary or danger", &format!("{place}/style"));
        }
        let confirm = &button["confirm"];
        if confirm.is_object() {
            let at = format!("{place}/confirm");
            self.plain(&format!("{at}/title"), &confirm["title"], 100, true);
            self.text(&format!("{at}/text"), &confirm["text"], 300, true);
            self.plain(&format!("{at}/confirm"), &confirm["confirm"], 30, true);
            self.plain(&format!("{at}/deny"), &confirm["deny"], 30, true);
        }
    }

    fn unique_actions(&mut self, place: &str, block: &Value) {
        let mut seen = HashSet::new();
        for element in block["elements"].as_array().into_iter().flatten() {
            if !seen.insert(element["action_id"].as_str().unwrap_or_default()) {
                self.fail("action_id must be unique in its block", place);
            }
        }
    }

    fn items(&mut self, place: &str, block: &Value, name: &str, max: usize, check: fn(&mut Self, &str, &Value)) {
        let items = block[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let at = format!("{place}/{name}");
        if items.is_empty() {
            self.fail("must provide at least one item", &at);
        }
        if items.len() > max {
            self.fail(&format!("no more than {max} items allowed"), &at);
        }
        for (number, item) in items.iter().enumerate() {
            check(self, &format!("{at}/{number}"), item);
        }
    }

    fn plain(&mut self, place: &str, text: &Value, max: usize, is_needed: bool) {
        if !text.is_null() && text["type"] != "plain_text" {
            return self.fail("must be plain_text", &format!("{place}/type"));
        }
        self.text(place, text, max, is_needed);
    }

    fn text(&mut self, place: &str, text: &Value, max: usize, is_needed: bool) {
        if text.is_null() {
            if is_needed {
                self.fail("missing required field", place);
            }
            return;
        }
        if !matches!(text["type"].as_str(), Some("plain_text" | "mrkdwn")) {
            self.fail("must be plain_text or mrkdwn", &format!("{place}/type"));
        }
        if text["text"] == "" {
            self.fail("must be more than 0 characters", &format!("{place}/text"));
        }
        self.string(&format!("{place}/text"), &text["text"], max, true);
    }

    fn string(&mut self, place: &str, value: &Value, max: usize, is_needed: bool) {
        match value {
            Value::Null if is_needed => self.fail("missing required field", place),
            Value::Null => {}
            Value::String(text) if text.chars().count() > max => {
                self.fail(&format!("must be less than {} characters", max + 1), place);
            }
            Value::String(_) => {}
            _ => self.fail("must be a string", place),
        }
    }
}
