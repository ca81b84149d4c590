//! What the JSON Schema says of a release gate beyond its types.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{Day, MetricQuery, Verdicts};
use crate::Length;

pub(crate) fn zone(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"title": "time zone", "type": "string", "minLength": 1, "examples": ["Europe/Berlin", "UTC"]})
}

pub(super) fn pipelines(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {"title": "name with `*` and `?`", "type": "string", "minLength": 1},
        "default": [],
    })
}

const TIME: &str = "^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";

pub(crate) fn opening(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"title": "time of the day", "type": "string", "pattern": TIME, "default": "00:00"})
}

pub(crate) fn closing(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"title": "time of the day", "type": "string", "pattern": TIME, "default": "24:00"})
}

pub(crate) fn days(generator: &mut SchemaGenerator) -> Schema {
    let day = generator.subschema_for::<Day>().to_value();
    json_schema!({"type": "array", "items": day, "minItems": 1})
}

pub(super) fn moment(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "title": "day or time",
        "type": "string",
        "pattern": "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:[ T](?:[01][0-9]|2[0-3]):[0-5][0-9])?$",
    })
}

pub(super) fn path(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"title": "path", "type": "string", "pattern": r"^(?!.*\\)(?!/)(?!(?:.*/)?\.{0,2}(?:/|$))(?=.*\S).+$"})
}

pub(super) fn artifact(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": r"\S"})
}

pub(super) fn alarm_names(_: &mut SchemaGenerator) -> Schema {
    let name = json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^(?!arn:)"});
    json_schema!({"type": "array", "items": name, "minItems": 1, "maxItems": 100})
}

pub(super) fn url(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"title": "URL", "type": "string", "pattern": r"^https?://[^/\s{}][^\s{}]*$"})
}

pub(super) fn one_line(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": r"^(?!.*\{\{)(?=.*\S)[^\u0000-\u001f\u007f-\u009f]+$"})
}

pub(super) fn queries(generator: &mut SchemaGenerator) -> Schema {
    let query = generator.subschema_for::<MetricQuery>().to_value();
    json_schema!({
        "type": "object",
        "additionalProperties": query,
        "propertyNames": {"pattern": "^[a-z][A-Za-z0-9_]{0,254}$"},
    })
}

/// A metric has a limit.
pub(super) fn limits(schema: &mut Schema) {
    let given = |key: &str| json!({"required": [key], "properties": {key: {"type": "number"}}});
    schema.insert("anyOf".to_owned(), json!([given("max"), given("min")]));
}

impl JsonSchema for Verdicts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Verdicts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let gates = json!({
            "title": "gates",
            "description": "The names of the gates.",
            "type": "array",
            "items": {"type": "string", "pattern": r"\S"},
            "minItems": 1,
        });
        let max_age: Value = generator.subschema_for::<Length>().to_value();
        let map = json!({
            "title": "map of gates",
            "type": "object",
            "properties": {
                "gates": gates.clone(),
                "max_age": {
                    "description": "How old a verdict may be.",
                    "type": "string",
                    "pattern": max_age["pattern"],
                },
            },
            "required": ["gates"],
            "additionalProperties": false,
        });
        Schema::try_from(json!({"anyOf": [gates, map]})).expect("a JSON object is a schema")
    }
}
