//! What a target gets of an event (Amazon EventBridge guide, "Amazon EventBridge input transformation").
//!
//! AWS does not document what becomes of a path that names nothing in the event. Here `InputPath` gives `null` then, and
//! a variable of a template gives nothing between quotes and `null` elsewhere.

mod path;
mod template;

use jiff::Timestamp;
use serde_json::Value;
use stagegate_local_template::TargetInput;

use path::JsonPath;
use template::InputTemplate;

/// The greatest `Input` and `InputTemplate`, in characters (EventBridge API reference).
const MAX_CHARACTERS: usize = 8192;

/// A parsed target input.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    Event,
    Constant(String),
    Path(JsonPath),
    Template(InputTemplate),
}

/// What a template may name besides parts of the event.
pub(crate) struct RuleContext<'r> {
    pub(crate) rule_name: &'r str,
    pub(crate) rule_arn: &'r str,
    pub(crate) now: Timestamp,
}

impl Input {
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse(input: &TargetInput) -> Result<Self, String> {
        let short = |name: &str, text: &str| {
            let size = text.chars().count();
            if size > MAX_CHARACTERS {
                return Err(format!("{name} has {size} characters, {MAX_CHARACTERS} are allowed"));
            }
            Ok(())
        };
        match input {
            TargetInput::Event => Ok(Self::Event),
            TargetInput::Constant(text) => {
                short("Input", text)?;
                serde_json::from_str::<Value>(text).map_err(|error| format!("Input is no JSON: {error}"))?;
                Ok(Self::Constant(text.clone()))
            }
            TargetInput::Path(text) => Ok(Self::Path(JsonPath::parse(text)?)),
            TargetInput::Transformer { paths, template } => {
                short("InputTemplate", template)?;
                Ok(Self::Template(InputTemplate::parse(paths, template)?))
            }
        }
    }

    /// What the target gets of an event.
    pub(crate) fn apply(&self, event: &Value, rule: &RuleContext<'_>) -> String {
        match self {
            Self::Event => event.to_string(),
            Self::Constant(text) => text.clone(),
            Self::Path(path) => path.find(event).unwrap_or(&Value::Null).to_string(),
            Self::Template(template) => template.render(event, rule),
        }
    }
}
