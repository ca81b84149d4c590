//! The JSON Schema of `stagegate.yaml`, by which editors complete keys and check values.
//!
//! It is made from the types that read the file. What their own code checks beyond a type (a percentage, a length of
//! time, a gate without a rule) is said here once more, in the words of JSON Schema; tests hold the two together.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::{Document, Length, NamePattern, Percentage, ReportFiles, Rule};

/// The schema, of JSON Schema's draft 7, which all editors know. It holds no references.
///
/// What it does not check, the reader does: whether braces in a glob are closed, and whether a day is in the calendar.
pub fn json_schema() -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<Document>().to_value();
    tidy(&mut schema);
    let mut sorted = serde_json::Map::new();
    if let Value::Object(mut members) = schema {
        sorted.extend(["$schema", "title", "description"].iter().filter_map(|key| members.shift_remove_entry(*key)));
        sorted.extend(members);
    }
    Value::Object(sorted)
}

/// Takes out what says nothing: `default: null`, formats that only name Rust's types, choices within choices, and the
/// ends of lines in descriptions.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(description)) = map.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                *choices = choices.drain(..).flat_map(flattened).collect();
            }
            if map.get("default").is_some_and(Value::is_null) {
                map.shift_remove("default");
            }
            if map
                .get("format")
                .and_then(Value::as_str)
                .is_some_and(|format| ["uint64", "uint32", "double"].contains(&format))
            {
                map.shift_remove("format");
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// The choices of a schema that is nothing but a choice.
fn flattened(schema: Value) -> Vec<Value> {
    match schema {
        Value::Object(mut map) if map.len() == 1 && map.contains_key("anyOf") => match map.remove("anyOf") {
            Some(Value::Array(choices)) => choices,
            other => other.into_iter().collect(),
        },
        other => vec![other],
    }
}

fn schema(value: Value) -> Schema {
    Schema::try_from(value).expect("a JSON object is a schema")
}

/// A schema that a type gives by itself.
macro_rules! written_schema {
    ($type:ty, $name:literal, $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

mod notification;
mod smoke;

pub(crate) use notification::*;
pub(crate) use smoke::*;

written_schema!(
    Percentage,
    "Percentage",
    json_schema!({
        "title": "percentage",
        "description": "A percentage from 0 to 100: 95, not 0.95.",
        "type": "number",
        "minimum": 0,
        "maximum": 100,
        "not": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    })
);

written_schema!(
    Length,
    "Length",
    json_schema!({
        "title": "length of time",
        "description": "A length of time in days, hours, minutes, seconds and milliseconds, such as 400ms, 90s, 10m or 1h30m.",
        "type": "string",
        "pattern": "^(?=.*[1-9])(?:[0-9]{1,6}d)?(?:[0-9]{1,6}h)?(?:[0-9]{1,6}m)?(?:[0-9]{1,6}s)?(?:[0-9]{1,6}ms)?$",
    })
);

written_schema!(
    NamePattern,
    "NamePattern",
    json_schema!({
        "title": "name of tests",
        "description": "The name of a test or suite; `*` stands for any characters, `?` for one.",
        "type": "string",
        "minLength": 1,
    })
);

written_schema!(ReportFiles, "ReportFiles", report_files());

/// A glob is relative to the artifact, and its character classes are closed.
fn glob() -> Value {
    json!({
        "title": "glob",
        "description": "A glob over the paths in the artifact; `**` crosses folders, `*` and `?` do not.",
        "type": "string",
        "minLength": 1,
        "pattern": r"^(?!/|\./)(?:[^\[\\]|\\[^\n]|\[[!^]?\]?[^\]]*\])+$",
    })
}

fn report_files() -> Schema {
    let glob = glob();
    let map = json!({
        "title": "map of a glob",
        "type": "object",
        "properties": {
            "files": glob.clone(),
            "min_files": {
                "description": "How many files must match at the least; the policy's `min_files` if absent.",
                "type": ["integer", "null"],
                "minimum": 0,
            },
            "format": {
                "description": "The format of the files, where it is not to be recognised from their content.",
                "type": ["string", "null"],
            },
        },
        "required": ["files"],
        "additionalProperties": false,
    });
    schema(json!({"anyOf": [glob, map]}))
}

impl<T: JsonSchema> JsonSchema for Rule<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("RuleOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        rule(generator.subschema_for::<T>().to_value())
    }
}

/// A limit, or a map with the limit.
fn rule(limit: Value) -> Schema {
    schema(json!({"anyOf": [limit.clone(), {
        "title": "rule",
        "type": "object",
        "properties": {
            "limit": limit,
            "shadow": {
                "description": "Whether the rule is only measured and reported, and does not decide.",
                "type": "boolean",
                "default": false,
            },
        },
        "required": ["limit"],
        "additionalProperties": false,
    }]}))
}

fn optional(rule: Schema) -> Schema {
    let mut rule = rule.to_value();
    if let Some(choices) = rule["anyOf"].as_array_mut() {
        choices.push(json!({"type": "null"}));
    }
    schema(rule)
}

/// A rule over percentage points.
pub(crate) fn points(_: &mut SchemaGenerator) -> Schema {
    optional(rule(json!({"type": "number", "minimum": 0, "maximum": 100})))
}

/// A text that says something.
pub(crate) fn filled(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": r"\S"})
}

/// A day.
pub(crate) fn day(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"title": "day", "type": "string", "format": "date", "pattern": "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"})
}

/// The whole file.
pub(crate) fn root(schema: &mut Schema) {
    schema.insert("title".to_owned(), json!("stagegate.yaml"));
}

/// The keys of each kind of gate: those of which one must be there, and the others.
const KINDS_OF_GATES: [(&[&str], &[&str]); 3] = [
    (&["tests", "coverage", "sarif"], &["provenance", "without_baseline"]),
    (
        &["hurl", "checks"],
        &[
            "always",
            "source",
            "variables",
            "secrets",
            "retry",
            "steady",
            "network",
            "parallel",
            "request_timeout",
            "timeout",
        ],
    ),
    (
        &["windows", "freezes", "calendars", "alarms", "soak", "verdicts", "metrics", "probes"],
        &["sampling", "otherwise", "overriders"],
    ),
];

/// A gate has a rule, and is of one kind.
pub(crate) fn gate(schema: &mut Schema) {
    let mut choices = Vec::new();
    for (kind, (rules, _)) in KINDS_OF_GATES.iter().enumerate() {
        let others = KINDS_OF_GATES.iter().enumerate().filter(|(other, _)| *other != kind);
        let foreign: Vec<_> = others.flat_map(|(_, (rules, rest))| rules.iter().chain(*rest)).collect();
        for rule in *rules {
            let absent = foreign.iter().map(|key| ((**key).to_owned(), json!({"type": "null"})));
            let mut properties: serde_json::Map<String, Value> = absent.collect();
            properties.insert((*rule).to_owned(), json!({"type": ["object", "array"], "minItems": 1}));
            choices.push(json!({"required": [rule], "properties": properties}));
        }
    }
    schema.insert("anyOf".to_owned(), Value::Array(choices));
    // Provenance is that of files.
    let given = |key: &str| json!({"required": [key], "properties": {key: {"type": "object"}}});
    let reports = json!({"type": "object", "required": ["reports"]});
    let files = json!([{"required": ["tests"], "properties": {"tests": reports}}, given("coverage"), given("sarif")]);
    schema.insert("if".to_owned(), given("provenance"));
    schema.insert("then".to_owned(), json!({"anyOf": files}));
}

/// Tests come from somewhere.
pub(crate) fn tests(schema: &mut Schema) {
    let from_files = json!({"required": ["reports"], "properties": {"reports": {"minItems": 1}}});
    let from_codebuild = json!({"required": ["codebuild"], "properties": {"codebuild": {"type": "object"}}});
    schema.insert("anyOf".to_owned(), json!([from_files, from_codebuild]));
}

/// Provenance asks for something.
pub(crate) fn provenance(schema: &mut Schema) {
    let since = json!({"required": ["since_execution"], "properties": {"since_execution": {"const": true}}});
    let age = json!({"required": ["max_age"], "properties": {"max_age": {"type": "string"}}});
    schema.insert("anyOf".to_owned(), json!([since, age]));
}

/// A text of a form.
fn text(title: &str, pattern: &str) -> Value {
    json!({"title": title, "type": "string", "pattern": pattern})
}

fn or_null(mut text: Value) -> Schema {
    text["type"] = json!(["string", "null"]);
    schema(text)
}

/// The id of a Slack channel.
pub(crate) fn slack_channel(_: &mut SchemaGenerator) -> Schema {
    or_null(text("Slack channel id", "^[CGD][A-Z0-9]{2,63}$"))
}

fn ssm_parameter() -> Value {
    text("name of an SSM parameter", "^/[A-Za-z0-9_./-]{1,1010}$")
}

/// The name of an SSM parameter.
pub(crate) fn parameter_name(_: &mut SchemaGenerator) -> Schema {
    schema(ssm_parameter())
}

/// The name of an SSM parameter, or nothing.
pub(crate) fn optional_parameter_name(_: &mut SchemaGenerator) -> Schema {
    or_null(ssm_parameter())
}

/// The ARN of an SNS topic.
pub(crate) fn topic_arn(_: &mut SchemaGenerator) -> Schema {
    or_null(text("ARN of an SNS topic", "^arn:aws[^:]*:sns:[^:]+:[^:]+:[^:]+$"))
}

/// A name of pipelines, stages or actions.
pub(crate) fn name_pattern(_: &mut SchemaGenerator) -> Schema {
    schema(text("name with `*` and `?`", r"\S"))
}

/// How many people.
pub(crate) fn count(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "minimum": 1, "maximum": u32::MAX})
}

fn list(item: Value) -> Schema {
    schema(json!({"type": "array", "items": item, "uniqueItems": true, "default": []}))
}

/// People.
pub(crate) fn slack_users(_: &mut SchemaGenerator) -> Schema {
    list(text("Slack user id", "^[UW][A-Z0-9]{2,63}$"))
}

/// User groups.
pub(crate) fn slack_groups(_: &mut SchemaGenerator) -> Schema {
    list(text("Slack user group id", "^S[A-Z0-9]{2,63}$"))
}

/// Names of actions.
pub(crate) fn names(_: &mut SchemaGenerator) -> Schema {
    schema(json!({"type": "array", "items": text("name with `*` and `?`", r"\S"), "default": []}))
}

/// Domains of e-mail addresses.
pub(crate) fn domains(_: &mut SchemaGenerator) -> Schema {
    list(text("domain", r"^(?=.{3,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)+$"))
}

/// Somebody may decide.
pub(crate) fn approvers(schema: &mut Schema) {
    let given = |key: &str| json!({"required": [key], "properties": {key: {"minItems": 1}}});
    schema.insert("anyOf".to_owned(), json!([given("users"), given("groups"), given("email_domains")]));
}
