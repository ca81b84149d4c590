//! The template of this repository: all of it is understood.

use std::path::Path;

use stagegate_local_template::{Settings, read_template};

#[test]
fn the_deployed_template_is_understood() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let template = read_template(&path, &Settings::default()).unwrap();
    let gate = template.function("TestGate").unwrap();
    assert_eq!((gate.function_name.as_str(), gate.build.binary.as_deref()), ("stagegate-test-gate", Some("test-gate")));
    for function in &template.functions {
        let code = template.folder.join(&function.code_uri);
        assert!(code.join("Cargo.toml").is_file(), "{}: no package at {}", function.logical_id, code.display());
        assert_eq!(function.handler, "bootstrap", "{}", function.logical_id);
        assert_eq!(function.logging.format, "JSON", "{}", function.logical_id);
        for layer in &function.layers {
            assert!(template.layers.iter().any(|known| known.arn == *layer), "{}: {layer}", function.logical_id);
        }
    }
    for layer in &template.layers {
        let content = template.folder.join(&layer.content_uri);
        assert!(content.is_dir(), "{}: no folder at {}", layer.logical_id, content.display());
    }
    assert!(template.outputs.values().all(|output| output.value.is_some()), "{:?}", template.outputs);
}

#[test]
fn custom_action_types_are_read_in_the_form_of_the_api() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let without = read_template(&path, &Settings::default()).unwrap();
    assert!(without.custom_action_types.is_empty() && without.function("JobWorker").is_none());
    let on = [("CustomActions", "on"), ("CustomActionVersion", "7")];
    let parameters = on.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let template = read_template(&path, &Settings { parameters, ..Settings::default() }).unwrap();
    let gate = &template.custom_action_types[0].input;
    assert_eq!(
        (&gate["category"], &gate["provider"], &gate["version"]),
        (&"Test".into(), &"Stagegate-TestGate".into(), &"7".into())
    );
    assert_eq!(gate["inputArtifactDetails"], serde_json::json!({"minimumCount": 0, "maximumCount": 5}));
    let property = &gate["configurationProperties"][0];
    assert_eq!((&property["name"], &property["required"]), (&"Gate".into(), &true.into()));
    assert!(gate["settings"]["executionUrlTemplate"].as_str().unwrap().contains("{ExternalExecutionId}"));
    // The worker serves each of them, in whatever version.
    let worker = template.function("JobWorker").unwrap();
    for custom in &template.custom_action_types {
        let id =
            format!("{}/{}/*=", custom.input["category"].as_str().unwrap(), custom.input["provider"].as_str().unwrap());
        assert!(worker.environment["STAGEGATE_CUSTOM_ACTIONS"].contains(&id), "{id}");
    }
}

/// The template's optional parts, all of them at once.
pub(crate) fn everything_on() -> Settings {
    let on = [
        ("CustomActions", "on"),
        ("SlackAppId", "A0123456789"),
        ("SlackTeamId", "T0123456789"),
        ("AlarmTopicArn", "arn:aws:sns:eu-west-1:111122223333:oncall"),
        ("KmsKeyArn", "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555"),
        ("SubnetIds", "subnet-01234567,subnet-89abcdef"),
        ("HurlBucket", "hurl-files"),
        ("SecurityGroupIds", "sg-01234567"),
    ];
    let parameters = on.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Settings { parameters, ..Settings::default() }
}

#[test]
fn every_function_has_a_role_of_its_own_that_is_written_out() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    for settings in [Settings::default(), everything_on()] {
        let template = read_template(&path, &settings).unwrap();
        let mut roles = Vec::new();
        for function in &template.functions {
            let role = template.role_of(function).unwrap_or_else(|| panic!("{} has no role", function.logical_id));
            assert!(role.unread.is_empty(), "{}: {:?}", role.logical_id, role.unread);
            assert!(!roles.contains(&role.logical_id), "{} is the role of two functions", role.logical_id);
            roles.push(role.logical_id.clone());
            for statement in role.statements.iter().filter(|statement| statement.allows) {
                assert!(statement.sid.is_some(), "{}: {statement:?}", role.logical_id);
                assert!(!statement.actions.iter().any(|action| action.contains('*')), "{statement:?}");
            }
        }
        assert_eq!(roles.len(), template.roles.len(), "a role that no function has");
    }
}

#[test]
fn a_right_on_everything_has_its_reason_beside_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let everything = lines.iter().enumerate().filter(|(_, line)| **line == "Resource: \"*\"");
    let bare = everything.filter(|(at, _)| ![at - 1, at + 1].iter().any(|near| lines[*near].starts_with("# ")));
    assert_eq!(bare.map(|(at, _)| at + 1).collect::<Vec<_>>(), Vec::<usize>::new(), "lines without a reason");
}

#[test]
fn every_log_is_kept_for_a_time_and_every_function_is_watched() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let template = read_template(&path, &everything_on()).unwrap();
    let alarms: Vec<String> = template
        .other_resources
        .iter()
        .filter(|other| other.resource_type == "AWS::CloudWatch::Alarm")
        .map(|other| other.properties.to_string())
        .collect();
    for function in &template.functions {
        let (id, group) = (&function.logical_id, &function.logging.log_group);
        let kept = template.log_groups.iter().find(|known| known.name == *group);
        assert!(kept.is_some_and(|group| group.retention_days == Some(90)), "{id}: {group}");
        let reference = format!("\"Value\":{{\"Ref\":\"{id}\"}}");
        assert!(alarms.iter().any(|alarm| alarm.contains(&reference)), "nobody watches {id}");
    }
    for queue in template.queues.iter().filter(|queue| queue.name.ends_with("-failed")) {
        let reference = format!("\"Fn::GetAtt\":[\"{}\",\"QueueName\"]", queue.logical_id);
        let named = format!("\"Fn::GetAtt\":\"{}.QueueName\"", queue.logical_id);
        let is_watched = alarms.iter().any(|alarm| alarm.contains(&reference) || alarm.contains(&named));
        assert!(is_watched, "nobody watches {}", queue.name);
    }
}
