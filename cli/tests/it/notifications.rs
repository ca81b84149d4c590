//! Routes and templates, as `stagegate check` and `stagegate notify-preview` see them.

use std::path::Path;

use serde_json::json;

use crate::{root, run, stagegate};

const CONFIG: &str = "\
channels:
  releases: {slack: C0123456789}
notifications:
  - {pipeline: web, stages: [Producton], on: [failed], channel: releases}
  - {pipeline: wob, on: [failed], channel: releases}
  - {pipeline: web, on: [failed], channel: releases}
  - {pipeline: web, on: [failed], channel: releases}
templates:
  failed:
    slack: 'Oh: {{ titel }}'
    teams: {file: templates/failed.md}
";

fn pipeline() -> String {
    let action = json!({"name": "Source", "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}});
    let stages = ["Source", "Production"].map(|name| json!({"name": name, "actions": [action]}));
    json!({"pipeline": {"name": "web", "stages": stages}}).to_string()
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn check_names_routes_that_match_nothing_and_templates_that_fail() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "stagegate.yaml", CONFIG);
    write(folder.path(), "pipeline.json", &pipeline());
    write(folder.path(), "template.yaml", "Transform: AWS::Serverless-2016-10-31\nResources: {}\n");
    let arguments = ["check", "--config", "stagegate.yaml", "--template", "template.yaml", "pipeline.json"];
    let (code, said) = run(stagegate().args(arguments).current_dir(folder.path()));
    assert_eq!(code, 65, "{said}");
    for (message, place) in [
        ("\"Producton\" matches no stage of the pipelines that \"web\" matches", "stagegate.yaml:4:30"),
        ("\"wob\" matches none of these pipelines", "stagegate.yaml:5:6"),
        ("notification 4 stands here twice", "stagegate.yaml:7:5"),
        (
            "the template of `failed` for `slack`: there is no variable \"titel\" (did you mean \"title\"?)",
            "stagegate.yaml:10:5",
        ),
    ] {
        let at = said.find(message).unwrap_or_else(|| panic!("{message} is not in {said}"));
        let line = said[at..].lines().nth(1).unwrap_or_default();
        assert!(line.trim_end().ends_with(place), "{message}: {line}");
    }
    write(folder.path(), "templates/failed.md", "**{{ name }}** {{ title }}");
    write(folder.path(), "stagegate.yaml", &CONFIG.replace("titel", "title"));
    let (code, said) = run(stagegate().args(["check", "--config", "stagegate.yaml"]).current_dir(folder.path()));
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_preview_shows_what_a_channel_gets() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "stagegate.yaml", "templates: {failed: {slack: '{{ name }} {{ title }}!'}}");
    let config = folder.path().join("stagegate.yaml");
    let preview =
        |arguments: &[&str]| run(stagegate().arg("notify-preview").args(arguments).arg("--config").arg(&config));
    let (code, said) = preview(&["failed", "--channel", "slack"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("\"text\": \"web Deploy has failed in Production!\""), "{said}");
    let event = root().join("events/eventbridge/action-failed.json");
    let (code, said) = preview(&[event.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    for part in
        ["== status:", "== failed:", "a channel of the kind sns\nSubject: ", "AdaptiveCard", "\"kind\": \"failed\""]
    {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    // By the name that the function has for it.
    let event = root().join("events/eventbridge/deployment-failure.json");
    let (code, said) = preview(&[event.to_str().unwrap(), "--channel", "sns"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("deployment web/production: has failed"), "{said}");
    let job = root().join("events/codepipeline-job.json");
    for (arguments, code, message) in [
        (vec!["faild"], 65, "did you mean \"failed\"?"),
        (vec!["failed", "--channel", "mail"], 64, "slack, slack_webhook, sns, teams, webhook"),
        (vec![job.to_str().unwrap()], 65, "it has no \"detail-type\""),
    ] {
        let (found, said) = preview(&arguments);
        assert_eq!(found, code, "{arguments:?}: {said}");
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
}
