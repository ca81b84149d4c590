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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    const RULE: RuleContext<'_> =
        RuleContext { rule_name: "failed", rule_arn: "arn:aws:events:r:a:rule/failed", now: Timestamp::UNIX_EPOCH };

    fn transformer(paths: &[(&str, &str)], template: &str) -> TargetInput {
        let paths = paths.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned()));
        TargetInput::Transformer { paths: paths.collect::<BTreeMap<_, _>>(), template: template.to_owned() }
    }

    #[test]
    fn targets_get_what_they_ask_for() {
        let event =
            json!({"detail": {"pipeline": "web", "execution-id": "1\"2", "attempt": 1.0}, "resources": ["a", "b"]});
        let paths = [("p", "$.detail.pipeline"), ("id", "$.detail['execution-id']"), ("n", "$.detail.attempt")];
        let paths = [&paths[..], &[("r", "$.resources[1]"), ("d", "$.detail"), ("gone", "$.detail.gone")]].concat();
        for (input, expected) in [
            (TargetInput::Event, event.to_string()),
            (TargetInput::Constant(r#"{"a": 1}"#.into()), r#"{"a": 1}"#.into()),
            (TargetInput::Path("$.detail.pipeline".into()), "\"web\"".into()),
            (TargetInput::Path("$".into()), event.to_string()),
            (TargetInput::Path("$.detail.gone".into()), "null".into()),
            (transformer(&paths, r#""<p> <n> failed: <id>""#), r#""web 1.0 failed: 1\"2""#.into()),
            (transformer(&paths, r#"{"p": <p>, "n": <n>, "r": "<r>"}"#), r#"{"p": "web", "n": 1.0, "r": "b"}"#.into()),
            (transformer(&paths, r#"{"gone": <gone>, "text": "<gone>"}"#), r#"{"gone": null, "text": ""}"#.into()),
            (transformer(&paths, r#""\"<p>\" <not a name>""#), r#""\"web\" <not a name>""#.into()),
            (
                transformer(&[], r#"{"rule": "<aws.events.rule-name>", "at": <aws.events.event.ingestion-time>}"#),
                r#"{"rule": "failed", "at": "1970-01-01T00:00:00Z"}"#.into(),
            ),
            (transformer(&[], "<aws.events.event>"), event.to_string()),
        ] {
            assert_eq!(Input::parse(&input).unwrap().apply(&event, &RULE), expected, "{input:?}");
        }
    }

    #[test]
    fn mistakes_are_refused() {
        for (input, expected) in [
            (TargetInput::Constant("{".into()), "Input is no JSON"),
            (TargetInput::Constant(format!("\"{}\"", "x".repeat(9000))), "8192 are allowed"),
            (TargetInput::Path("detail".into()), "does not begin with $"),
            (TargetInput::Path("$.detail.*".into()), "is not supported here"),
            (TargetInput::Path("$.a[x]".into()), "is not supported here"),
            (transformer(&[("p", "$.a")], "<q>"), "names <q>, but InputPathsMap has p"),
            (transformer(&[("aws.x", "$.a")], "x"), "is reserved"),
        ] {
            let error = Input::parse(&input).unwrap_err();
            assert!(error.contains(expected), "{input:?}: {error}");
        }
    }
}
