//! `docs/stagegate-yaml.md`: its tables are made from the JSON Schema, its examples are read as a function reads them.

use serde_json::Value;
use stagegate_config::{Config, json_schema};

use crate::kept::check_kept;
use crate::schema::repository;

const PAGE: &str = "docs/stagegate-yaml.md";

/// The parts of the file that have a table on the page, by the way that leads to them.
const TABLES: &[(&str, &[&str])] = &[
    ("file", &[]),
    ("channel", &["channels", "*"]),
    ("webhook", &["channels", "*", "webhook"]),
    ("approval", &["approvals", "[]"]),
    ("approvers", &["approvals", "[]", "approvers"]),
    ("escalate", &["approvals", "[]", "escalate"]),
    ("notification", &["notifications", "[]"]),
    ("quiet_hours", &["notifications", "[]", "quiet_hours"]),
    ("templates", &["templates"]),
    ("forms", &["templates", "failed"]),
    ("template", &["templates", "failed", "slack"]),
    ("delivery", &["delivery", "[]"]),
    ("gate", &["gates", "*"]),
    ("tests", &["gates", "*", "tests"]),
    ("reports", &["gates", "*", "tests", "reports", "[]"]),
    ("rule", &["gates", "*", "tests", "max_failed"]),
    ("quarantine", &["gates", "*", "tests", "quarantine", "[]"]),
    ("codebuild", &["gates", "*", "tests", "codebuild"]),
    ("coverage", &["gates", "*", "coverage"]),
    ("sarif", &["gates", "*", "sarif"]),
    ("provenance", &["gates", "*", "provenance"]),
    ("hurl", &["gates", "*", "hurl", "[]"]),
    ("degraded", &["gates", "*", "hurl", "[]", "degraded"]),
    ("checks", &["gates", "*", "checks", "[]"]),
    ("retry", &["gates", "*", "retry"]),
    ("steady", &["gates", "*", "steady"]),
    ("network", &["gates", "*", "network"]),
    ("windows", &["gates", "*", "windows", "[]"]),
    ("freezes", &["gates", "*", "freezes", "[]"]),
    ("except", &["gates", "*", "freezes", "[]", "except"]),
    ("calendars", &["gates", "*", "calendars", "[]"]),
    ("alarms", &["gates", "*", "alarms"]),
    ("soak", &["gates", "*", "soak"]),
    ("verdicts", &["gates", "*", "verdicts"]),
    ("metrics", &["gates", "*", "metrics", "[]"]),
    ("queries", &["gates", "*", "metrics", "[]", "queries", "*"]),
    ("probes", &["gates", "*", "probes", "[]"]),
    ("sampling", &["gates", "*", "sampling"]),
];

#[test]
fn the_tables_are_those_of_the_schema() {
    let file = repository().join(PAGE);
    let mut page = std::fs::read_to_string(&file).unwrap();
    let schema = json_schema();
    for (name, way) in TABLES {
        let (begin, end) = (format!("<!-- keys of {name} -->\n"), "<!-- end of keys -->");
        let from = page.find(&begin).unwrap_or_else(|| panic!("{PAGE} lacks {begin}")) + begin.len();
        let to = from + page[from..].find(end).unwrap_or_else(|| panic!("{PAGE} lacks {end} after {begin}"));
        page.replace_range(from..to, &table(map_at(&schema, way)));
    }
    let (begin, end) = ("<!-- kinds -->\n", "<!-- end of kinds -->");
    let from = page.find(begin).expect(begin) + begin.len();
    let to = from + page[from..].find(end).expect(end);
    let kinds = map_at(&schema, &["notifications", "[]"])["properties"]["on"]["items"]["oneOf"].as_array().unwrap();
    let rows = kinds
        .iter()
        .map(|kind| format!("| `{}` | {} |\n", kind["const"].as_str().unwrap(), kind["description"].as_str().unwrap()));
    page.replace_range(from..to, &format!("| notice | meaning |\n|---|---|\n{}", rows.collect::<String>()));
    check_kept(&file, &page);
}

/// Every map of the schema has a table, so that no key is missing from the page.
#[test]
fn every_map_has_a_table() {
    let schema = json_schema();
    let mut described: Vec<_> = TABLES.iter().map(|(_, way)| keys(map_at(&schema, way))).collect();
    described.sort();
    fn collect(value: &Value, found: &mut Vec<Vec<String>>) {
        if value["type"] == "object" || value["type"][0] == "object" {
            found.push(keys(value));
        }
        match value {
            Value::Object(members) => members.values().for_each(|member| collect(member, found)),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    collect(&schema, &mut all);
    let missing: Vec<_> = all.iter().filter(|keys| !keys.is_empty() && !described.contains(keys)).collect();
    assert!(missing.is_empty(), "no table has the keys {missing:?}");
}

#[test]
fn the_examples_are_read() {
    let page = std::fs::read_to_string(repository().join(PAGE)).unwrap();
    let mut examples = 0;
    for block in page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        // An example of one policy stands for the gate that holds it.
        let indented =
            || format!("gates:\n  example:\n{}", block.lines().map(|line| format!("    {line}\n")).collect::<String>());
        let keys = ["gates:", "channels:", "approvals:", "notifications:", "templates:", "delivery:"];
        let is_file = keys.iter().any(|key| block.contains(key));
        let text = if is_file { block.to_owned() } else { indented() };
        Config::parse(PAGE, &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        examples += 1;
    }
    assert!(examples > 5, "{examples}");
}

fn keys(map: &Value) -> Vec<String> {
    map["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

/// The map at the end of a way: below keys, the values of a map with free keys (`*`), and the items of a list (`[]`).
fn map_at<'a>(schema: &'a Value, way: &[&str]) -> &'a Value {
    let mut here = schema;
    for step in way {
        here = match *step {
            "*" => &here["additionalProperties"],
            "[]" => &here["items"],
            key => &here["properties"][key],
        };
        let choices = here["anyOf"].as_array().into_iter().flatten();
        here = choices.into_iter().find(|choice| choice["type"] == "object").unwrap_or(here);
    }
    assert!(here["properties"].is_object(), "{way:?} leads to no map");
    here
}

/// One line for each key.
fn table(map: &Value) -> String {
    let required = |key: &str| map["required"].as_array().is_some_and(|all| all.iter().any(|one| one == key));
    let mut text = "| key | value | if absent | meaning |\n|---|---|---|---|\n".to_owned();
    for (key, value) in map["properties"].as_object().into_iter().flatten() {
        let absent = match &value["default"] {
            _ if required(key) => "must be there".to_owned(),
            Value::Null => "–".to_owned(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        let meaning = value["description"].as_str().unwrap_or("The limit.").replace('|', "\\|");
        text += &format!("| `{key}` | {} | {absent} | {meaning} |\n", kind(value));
    }
    text
}

/// What a value is, in words.
fn kind(schema: &Value) -> String {
    if let Some(title) = schema["title"].as_str() {
        return title.to_owned();
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let values: Vec<_> =
            choices.iter().filter_map(|choice| choice["const"].as_str()).map(|text| format!("`{text}`")).collect();
        return values.join(", ");
    }
    if let Some(choices) = schema["anyOf"].as_array().filter(|_| schema["type"].is_null()) {
        let mut kinds: Vec<_> = choices.iter().map(kind).filter(|kind| !kind.is_empty()).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    let name = schema["type"].as_str().or(schema["type"][0].as_str()).unwrap_or_default();
    match name {
        "array" => format!("list of: {}", kind(&schema["items"])),
        "integer" => "whole number".to_owned(),
        "number" => "number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "object" => "map".to_owned(),
        "string" => "text".to_owned(),
        _ => String::new(),
    }
}
