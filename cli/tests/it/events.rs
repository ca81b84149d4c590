//! Every recorded event, handed to every function of the template as `cargo lambda invoke` hands it over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, LocalAws, Options};
use stagegate_local_lambda::{InvocationType, InvokeError};
use stagegate_local_slack::{Channel, Options as SlackOptions, Slack};

use crate::root;

/// The recorded events, by their paths below `events`.
fn events() -> BTreeMap<String, String> {
    fn below(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.path() {
                path if path.is_dir() => below(&path, &format!("{name}/"), found),
                path if name.ends_with(".json") => drop(found.insert(name, fs::read_to_string(path).unwrap())),
                _ => {}
            }
        }
    }
    let mut found = BTreeMap::new();
    below(&root().join("events"), "", &mut found);
    found
}

async fn functions(data: &Path, slack: &Slack) -> LocalAws {
    let template = root().join("infra/template.yaml");
    let text = fs::read_to_string(&template).unwrap();
    let played = text.lines().filter_map(|line| line.trim().strip_prefix("Binary: ").map(str::to_owned)).collect();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_stagegate"));
    let bootstraps = Bootstraps::Program { program, arguments: vec!["bootstrap".to_owned()], functions: played };
    let set = [("SlackAppId", "A0001"), ("SlackTeamId", "T0001"), ("CustomActions", "on")];
    let aws = LocalAws::start(Options {
        parameters: set.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        environment: [("STAGEGATE_SLACK_URL".to_owned(), slack.api_url())].into(),
        ..Options::new(data, template, bootstraps)
    });
    let aws = aws.await.unwrap();
    for (name, value) in [("signing-secret", slack.signing_secret()), ("bot-token", slack.bot_token())] {
        let parameter = json!({"Name": format!("/stagegate/slack/{name}"), "Value": value, "Type": "SecureString"});
        aws.ssm().call("PutParameter", &parameter).unwrap();
    }
    aws
}

/// What a function makes of an event, in a word.
async fn outcome(aws: &LocalAws, function: &str, event: &str) -> String {
    let done = loop {
        match aws.lambda().invoke(function, event.to_owned(), InvocationType::RequestResponse).await {
            Ok(done) => break done,
            // Some functions run once at a time, and their schedule may be first.
            Err(InvokeError::TooManyRequests { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    };
    match done.function_error {
        None => match serde_json::from_slice::<Value>(&done.payload).unwrap_or_default()["statusCode"].as_u64() {
            Some(status) => format!("HTTP {status}"),
            None => "done".to_owned(),
        },
        // An error of Rust, without a name of its own.
        Some(error) if error.error_type.contains("::") => "an error".to_owned(),
        Some(error) => error.error_type,
    }
}

/// A row of the table "What each function answers".
struct Row {
    events: Vec<String>,
    functions: Vec<String>,
    answer: String,
}

impl Row {
    fn read(line: &str) -> Self {
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let [events, functions, answer] = line.split(" | ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        Self { events: quoted(events), functions: quoted(functions), answer: quoted(answer).remove(0) }
    }

    fn is_about(&self, file: &str, function: &str) -> bool {
        let is_it = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => file.starts_with(start),
            None => file == pattern,
        };
        self.functions.iter().any(|name| name == function) && self.events.iter().any(is_it)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_answers_every_recorded_event() {
    let page = fs::read_to_string(root().join("events/README.md")).unwrap();
    let section = page.split("\n## What each function answers").nth(1).expect("the table");
    let rows: Vec<Row> = section.lines().filter(|line| line.starts_with("| `")).map(Row::read).collect();
    let data = tempfile::tempdir().unwrap();
    let channels = vec![Channel::new("C0123456789", "releases")];
    let slack = Slack::start(SlackOptions { channels, ..SlackOptions::default() }).await.unwrap();
    let aws = functions(data.path(), &slack).await;
    let names = aws.lambda().function_names();
    let (mut used, mut wrong) = (BTreeSet::new(), Vec::new());
    for (file, event) in events() {
        for name in &names {
            let function = name.replacen("stagegate-", "", 1);
            let answer = outcome(&aws, name, &event).await;
            // Such errors come from Lambda, about a function that has ended without an answer.
            assert!(
                !answer.starts_with("Runtime.") && !answer.starts_with("Sandbox."),
                "{function} dies of {file}: {answer}"
            );
            let row = rows.iter().position(|row| row.is_about(&file, &function));
            match row.map(|row| (row, &rows[row].answer)) {
                Some((row, expected)) if *expected == answer => drop(used.insert(row)),
                Some((_, expected)) => wrong.push(format!("{file}: {function} answers {answer}, not {expected}")),
                // A function that the table does not name yet must only live.
                None if !rows.iter().any(|row| row.functions.contains(&function)) => {}
                None => wrong.push(format!("{file}: no row says that {function} answers {answer}")),
            }
        }
    }
    aws.shutdown().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    let unused: Vec<_> = (0..rows.len()).filter(|row| !used.contains(row)).collect();
    assert!(unused.is_empty(), "rows that are about nothing: {unused:?}");
}

#[test]
fn every_recorded_event_is_listed() {
    let page = |folder: &str| fs::read_to_string(root().join("events").join(folder).join("README.md")).unwrap();
    for file in events().into_keys() {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", &file));
        let page = page(folder);
        let kind = name.split('-').next().unwrap_or_default();
        assert!(
            page.contains(&format!("`{name}`")) || page.contains(&format!("`{kind}-*.json`")),
            "{file} is not listed"
        );
    }
}
