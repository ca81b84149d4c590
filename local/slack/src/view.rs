//! Modal views.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::state::{APP, BOT, TEAM, secret};

/// How many modals may lie on top of each other.
pub(crate) const MAX_STACK: usize = 3;

/// An open modal.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Its id.
    pub id: String,
    /// Who sees it.
    pub user: String,
    /// What the app sent.
    pub view: Value,
    /// What the person has written, by block and element.
    pub values: BTreeMap<(String, String), String>,
    /// What the app said about the last submission, by block.
    pub errors: BTreeMap<String, String>,
    /// Changes with each update.
    pub(crate) hash: String,
}

impl View {
    pub(crate) fn new(user: &str, view: Value) -> Self {
        let id = format!("V{}", secret(10).to_uppercase());
        Self { id, user: user.to_owned(), view, values: BTreeMap::new(), errors: BTreeMap::new(), hash: hash() }
    }

    pub(crate) fn replace(&mut self, view: Value) {
        self.view = view;
        self.errors.clear();
        self.hash = hash();
    }

    /// Which modal it is.
    pub fn callback_id(&self) -> &str {
        self.view["callback_id"].as_str().unwrap_or_default()
    }

    /// The blocks.
    pub fn blocks(&self) -> &[Value] {
        self.view["blocks"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The inputs: block, element, and the block as it was sent.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.blocks().iter().filter(|block| block["type"] == "input").map(|block| {
            (block["block_id"].as_str().unwrap_or(""), block["element"]["action_id"].as_str().unwrap_or(""), block)
        })
    }

    /// What Slack's own client says before anything is sent: which inputs are empty or too long.
    pub(crate) fn complaints(&self) -> BTreeMap<String, String> {
        let mut complaints = BTreeMap::new();
        for (block_id, action_id, block) in self.inputs() {
            let value = self.values.get(&(block_id.to_owned(), action_id.to_owned())).map_or("", String::as_str);
            let max = block["element"]["max_length"].as_u64().and_then(|max| usize::try_from(max).ok()).unwrap_or(3000);
            if value.trim().is_empty() && block["optional"] != true {
                complaints.insert(block_id.to_owned(), "Please complete this required field.".to_owned());
            } else if value.chars().count() > max {
                complaints.insert(block_id.to_owned(), format!("Must be at most {max} characters."));
            }
        }
        complaints
    }

    /// The view as it stands in a payload or an answer.
    pub(crate) fn to_json(&self) -> Value {
        let mut values: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for (block_id, action_id, block) in self.inputs() {
            let value = self.values.get(&(block_id.to_owned(), action_id.to_owned())).filter(|value| !value.is_empty());
            let state = json!({"type": block["element"]["type"], "value": value});
            values.entry(block_id).or_default().insert(action_id.to_owned(), state);
        }
        let mut json = self.view.as_object().cloned().unwrap_or_default();
        for (name, value) in [("id", &self.id), ("hash", &self.hash), ("root_view_id", &self.id)] {
            json.insert(name.into(), value.clone().into());
        }
        for (name, value) in [("team_id", TEAM), ("app_id", APP), ("bot_id", BOT)] {
            json.insert(name.into(), value.into());
        }
        json.insert("state".into(), json!({"values": values}));
        json.entry("private_metadata").or_insert("".into());
        json.entry("callback_id").or_insert("".into());
        Value::Object(json)
    }
}

fn hash() -> String {
    secret(16)
}
