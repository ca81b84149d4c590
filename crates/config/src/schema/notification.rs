//! What the JSON Schema says of channels and notifications beyond their types.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{or_null, schema, text};
use crate::{ChannelKind, NoticeKind, TemplateSource};

fn given(key: &str, kind: &str) -> Value {
    json!({"required": [key], "properties": {key: {"type": kind}}})
}

/// A channel is one thing.
pub(crate) fn channel(schema: &mut Schema) {
    let kinds =
        ChannelKind::ALL.map(|kind| given(kind.name(), if kind == ChannelKind::Webhook { "object" } else { "string" }));
    schema.insert("oneOf".to_owned(), json!(kinds));
}

/// A webhook is in one place.
pub(crate) fn webhook(schema: &mut Schema) {
    schema.insert("oneOf".to_owned(), json!([given("url", "string"), given("url_parameter", "string")]));
}

/// The URL of a webhook.
pub(crate) fn webhook_url(_: &mut SchemaGenerator) -> Schema {
    let authority = r"[^/?@]+(?:[/?]|$)";
    let loopback = r"(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]{1,5})?(?:[/?]|$)";
    let text_of_it = r##"(?!.*[^!-~])(?!.*[#"<>\\^`{|}])"##;
    or_null(text("URL", &format!("^{text_of_it}(?:https://{authority}|http://{loopback})")))
}

fn name() -> Value {
    text("name with `*` and `?`", r"\S")
}

/// A name of pipelines, projects or applications, or nothing.
pub(crate) fn optional_name_pattern(_: &mut SchemaGenerator) -> Schema {
    or_null(name())
}

/// Names of stages.
pub(crate) fn name_patterns(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["array", "null"], "items": name(), "minItems": 1})
}

/// Names of channels.
pub(crate) fn channel_names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1, "uniqueItems": true})
}

/// Kinds of notices, at least one.
pub(crate) fn kinds(generator: &mut SchemaGenerator) -> Schema {
    let kind = NoticeKind::json_schema(generator).to_value();
    schema(json!({"type": "array", "items": kind, "minItems": 1, "uniqueItems": true}))
}

/// Kinds of notices, or none.
pub(crate) fn some_kinds(generator: &mut SchemaGenerator) -> Schema {
    let kind = NoticeKind::json_schema(generator).to_value();
    schema(json!({"type": "array", "items": kind, "uniqueItems": true, "default": []}))
}

impl JsonSchema for TemplateSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TemplateSource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = json!({"title": "template", "type": "string", "pattern": r"\S"});
        let map = json!({
            "title": "map of a file",
            "type": "object",
            "properties": {
                "file": {
                    "description": "The path of the file, beside `stagegate.yaml`.",
                    "title": "path",
                    "type": "string",
                    "pattern": r"^(?!.*\\)(?!/)(?!(?:.*/)?\.{0,2}(?:/|$))(?=.*\S).+$",
                },
            },
            "required": ["file"],
            "additionalProperties": false,
        });
        schema(json!({"anyOf": [text, map]}))
    }
}

/// A route has one source, and goes somewhere.
pub(crate) fn notification(schema: &mut Schema) {
    let sources = ["pipeline", "project", "application"].map(|key| given(key, "string"));
    schema.insert("oneOf".to_owned(), json!(sources));
    let channels = json!({"oneOf": [given("channel", "string"), given("channels", "array")]});
    schema.insert("allOf".to_owned(), json!([channels]));
}
