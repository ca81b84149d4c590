//! The schemas of smoke tests.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{glob, schema};
use crate::smoke::{
    CheckEntry, FilePattern, HurlFiles, HurlFilesMap, KEYS_OF_KINDS, MAX_PARALLEL, MAX_REPEAT, ParameterName, Share,
    Source, VariableValue,
};

written_schema!(FilePattern, "FilePattern", schema(glob()));

impl JsonSchema for HurlFiles {
    fn schema_name() -> Cow<'static, str> {
        "HurlFiles".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut map = generator.subschema_for::<HurlFilesMap>().to_value();
        map["title"] = json!("map of a glob");
        schema(json!({"anyOf": [glob(), map]}))
    }
}

impl JsonSchema for crate::smoke::Check {
    fn schema_name() -> Cow<'static, str> {
        "Check".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<CheckEntry>()
    }
}

written_schema!(
    Share,
    "Share",
    json_schema!({"title": "share from 0 to 1", "type": "number", "minimum": 0, "maximum": 1})
);

written_schema!(
    Source,
    "Source",
    json_schema!({
        "title": "`artifact`, `layer` or `s3://bucket/file.zip`",
        "type": "string",
        "pattern": "^(?:artifact|layer|s3://[a-z0-9.-]{3,63}/(?:.*[^/])?)$",
    })
);

written_schema!(
    VariableValue,
    "VariableValue",
    json_schema!({"title": "text, number, `true` or `false`", "type": ["string", "number", "boolean"]})
);

written_schema!(
    ParameterName,
    "ParameterName",
    json_schema!({
        "title": "name of an SSM parameter",
        "type": "string",
        "pattern": "^[A-Za-z0-9_./-]+(?::[A-Za-z0-9_./-]+)?$",
    })
);

/// A text that must match unless it holds a variable.
fn text_or_variable(pattern: &str) -> Schema {
    schema(json!({"type": ["string", "null"], "pattern": format!(r"\{{\{{|^(?:{pattern})$")}))
}

const HOST: &str = r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+|\[[0-9A-Fa-f:.]+\]";

/// `host:port`.
pub(crate) fn endpoint_with_port(_: &mut SchemaGenerator) -> Schema {
    text_or_variable(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
}

/// `host:port`, or a host.
pub(crate) fn endpoint(_: &mut SchemaGenerator) -> Schema {
    text_or_variable(&format!(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{{1,5}}|{HOST}"))
}

/// A host.
pub(crate) fn host(_: &mut SchemaGenerator) -> Schema {
    text_or_variable(HOST)
}

/// A URL.
pub(crate) fn url(_: &mut SchemaGenerator) -> Schema {
    text_or_variable(r"https?://\S+")
}

/// Addresses of a name.
pub(crate) fn addresses(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["array", "null"],
        "items": {"title": "address", "type": "string", "pattern": "^[0-9A-Fa-f:.]+$"},
    })
}

/// A status of HTTP.
pub(crate) fn status(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["integer", "null"], "minimum": 100, "maximum": 599})
}

/// A number of runs.
pub(crate) fn repeat(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["integer", "null"], "minimum": 1, "maximum": MAX_REPEAT, "default": 1})
}

/// A number of attempts.
pub(crate) fn attempts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["integer", "null"], "minimum": 2, "maximum": 1000, "default": 5})
}

/// What runs at a time.
pub(crate) fn parallel(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["integer", "null"], "minimum": 1, "maximum": MAX_PARALLEL, "default": 8})
}

/// Hosts, each with or without a port.
pub(crate) fn host_patterns(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {
            "title": "host",
            "type": "string",
            "pattern": r"^(?:\*\.)?(?:[A-Za-z0-9._-]+|\[[0-9A-Za-z._:-]+\]|[0-9A-Za-z._:-]+)(?::[0-9]{1,5})?$",
        },
    })
}

/// Networks.
pub(crate) fn networks(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {"title": "network", "type": "string", "pattern": "^[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?$"},
    })
}

/// A rate of errors needs several runs.
pub(crate) fn thresholds(schema: &mut Schema) {
    schema.insert("anyOf".to_owned(), json!([SEVERAL_RUNS.clone(), ONE_RUN.clone()]));
}

static SEVERAL_RUNS: std::sync::LazyLock<Value> = std::sync::LazyLock::new(
    || json!({"required": ["repeat"], "properties": {"repeat": {"type": "integer", "minimum": 2}}}),
);
static ONE_RUN: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| {
    json!({"properties": {
        "error_rate": {"type": "null"},
        "degraded": {"properties": {"error_rate": {"type": "null"}}},
    }})
});

/// Degraded sets a limit.
pub(crate) fn degraded(schema: &mut Schema) {
    let given = |key: &str, kind: &str| json!({"required": [key], "properties": {key: {"type": kind}}});
    schema.insert("anyOf".to_owned(), json!([given("p95", "string"), given("error_rate", "number")]));
}

/// A check is of one kind and has the keys of that kind.
pub(crate) fn check(schema: &mut Schema) {
    let choice = |(kind, _): &(&str, &[&str])| {
        let foreign = KEYS_OF_KINDS.iter().filter(|(other, _)| other != kind);
        let foreign = foreign.flat_map(|(other, own)| std::iter::once(other).chain(own.iter()));
        let absent = foreign.map(|key| ((*key).to_owned(), json!({"type": "null"})));
        let mut properties: serde_json::Map<String, Value> = absent.collect();
        properties.insert((*kind).to_owned(), json!({"type": "string"}));
        json!({"required": [kind], "properties": properties})
    };
    let choices: Vec<_> = KEYS_OF_KINDS.iter().map(choice).collect();
    schema.insert("anyOf".to_owned(), Value::Array(choices));
    schema.insert("allOf".to_owned(), json!([{"anyOf": [SEVERAL_RUNS.clone(), ONE_RUN.clone()]}]));
}
