//! The example pipeline's template, run on this machine as it would be deployed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use stagegate_local_aws::{Options, Stack};
use stagegate_local_slack::Channel;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::approvals::world::{ADA, ANYBODY, World};
use crate::{root, run, stagegate};

const TEMPLATE: &str = "infra/example-pipeline.yaml";

/// Runs a template with the example application; gives the exit code, what was printed, and the folder with what was kept.
fn release(template: &Path, source: &Path, parameters: &[&str]) -> (i32, String, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let mut command = stagegate();
    command.arg("run").arg(template).arg("--source").arg(source).arg("--data").arg(data.path()).arg("--yes");
    for parameter in parameters {
        command.args(["--parameter", parameter]);
    }
    let (code, text) = run(&mut command);
    (code, text, data)
}

/// The files below a folder, relative to it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => found.push(path.strip_prefix(folder).unwrap().display().to_string()),
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.path() {
            path if path.is_dir() => copy(&path, &target),
            path => drop(fs::copy(path, target).unwrap()),
        }
    }
}

/// A template with changes, in a folder of its own.
fn changed(changes: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = fs::read_to_string(root().join(TEMPLATE)).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in {TEMPLATE}");
        text = text.replace(from, to);
    }
    let file = folder.path().join("pipeline.yaml");
    fs::write(&file, text).unwrap();
    (folder, file)
}

/// Build, gate, staging with its hook, smoke test, release gate, approval and production, with the gates called in each of
/// the three ways.
#[test]
fn the_whole_workflow_runs_as_it_would_be_deployed() {
    let actions = [
        "✓ TestGate",
        "web-tests passed: 17 tests: 17 passed",
        "✓ SmokeTest",
        "web-smoke passed: 2 smoke tests",
        "✓ ReleaseGate",
    ];
    for (parameters, words, absent) in [
        (vec![], actions.to_vec(), vec![]),
        (vec!["Gates=CustomActions", "CustomActions=on"], actions.to_vec(), vec![]),
        (vec!["Gates=StageConditions"], vec![], vec!["TestGate", "SmokeTest", "ReleaseGate"]),
    ] {
        let (code, text, data) = release(Path::new(TEMPLATE), Path::new("examples/web"), &parameters);
        assert_eq!(code, 0, "{parameters:?}: {text}");
        let all = [
            "infra/example-pipeline.yaml is created as a stack on this machine:",
            "the files of examples/web stand in for its source (CodeStarSourceConnection)",
            "the deployment group web/Staging  http://127.0.0.1:",
            "✓ Source",
            "✓ Build",
            "build 1 of web succeeded with 4 report files",
            "web is deployed to Staging, after the hook AfterAllowTestTraffic: http://127.0.0.1:",
            "✓ Approve             approved by --yes",
            "web is deployed to Production: http://127.0.0.1:",
            "web: Succeeded",
        ];
        for word in all.into_iter().chain(words) {
            assert!(text.contains(word), "{parameters:?} lacks {word:?}: {text}");
        }
        for word in absent {
            assert!(!text.contains(&format!("✓ {word}")), "{parameters:?} has an action {word}: {text}");
        }
        // Each gate has judged, the one of the hook for its deployment.
        let kept = files(&data.path().join("s3"));
        let ends: Vec<_> = ["web-tests", "web-smoke", "web-ready", "web-hook"]
            .into_iter()
            .filter(|gate| !kept.iter().any(|file| file.ends_with(&format!("/verdicts/{gate}.json"))))
            .collect();
        assert!(ends.is_empty(), "{parameters:?}: no verdict of {ends:?}: {kept:#?}");
        assert!(
            kept.iter().any(|file| file.contains("/executions/d-") && file.ends_with("web-hook.json")),
            "{kept:#?}"
        );
    }
}

/// The whole workflow with people who decide where `infra/config/stagegate.yaml` says.
#[tokio::test(flavor = "multi_thread")]
async fn people_approve_the_release_of_the_example_in_slack() {
    const CHANNEL: &str = "C0123456789";
    let with_example = |options| Options {
        template: root().join("infra/template.yaml"),
        source: Some(root().join("examples/web")),
        ..options
    };
    let world = World::with(ANYBODY, with_example).await;
    world.slack.add_channel(Channel::new(CHANNEL, "releases"));
    let stack = Stack { template: root().join(TEMPLATE), name: "web".to_owned(), parameters: BTreeMap::new() };
    let created = world.aws.create_stack(&stack).await.unwrap();
    assert_eq!(created.deployment_groups.len(), 2);
    let started = world.call("StartPipelineExecution", json!({"name": "web"})).await;
    let execution = started["pipelineExecutionId"].as_str().unwrap();
    let request = world.message_that(CHANNEL, "web", |message| !message.buttons().is_empty()).await;
    for text in ["17 tests: 17 passed", "2 smoke tests: 2 passed", "Release version 1.4.0"] {
        assert!(request.says(text), "the request lacks {text:?}: {}", world.said(CHANNEL));
    }
    let production = || world.aws.instance_url("web", "Production").unwrap();
    assert_eq!(status(&production()).await, 503, "nothing is deployed before somebody has approved");
    assert!(world.slack.click(ADA, CHANNEL, &request.ts, "approve").await.unwrap().is_acknowledged());
    assert!(world.slack.submit(ADA, &[]).await.unwrap().is_acknowledged());
    assert_eq!(world.status(execution).await, "Succeeded", "{}", world.logs());
    assert_eq!(status(&production()).await, 200);
    // Nobody has said so in the pipeline's template: the rules of the functions' template see every pipeline.
    world.message(CHANNEL, "web: succeeded").await;
    world.aws.shutdown().await;
}

/// The status that a URL answers with.
async fn status(url: &str) -> u16 {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap()
}

/// What the template says about a gate is what happens.
#[test]
fn a_gate_that_is_changed_in_the_template_is_changed_here() {
    let gate = r#"{"gate":"${TestGate}","pipeline":"${PipelineName}","stage":"TestGate""#;
    let strict =
        r#"{"tests":{"reports":["**/TEST-*.xml"],"min_total":1000},"pipeline":"${PipelineName}","stage":"TestGate""#;
    let hook = "            TestTrafficRoute: {ListenerArns: [!Ref StagingTestListener]}\n";
    for (changes, parameters, words) in [
        (vec![(gate, strict)], vec![], vec!["✗ TestGate", "17 tests", "1,000", "web: Failed"]),
        (vec![], vec!["TestGate=web-tets"], vec!["✗ TestGate", "ConfigurationError", "did you mean \"web-tests\"?"]),
        (vec![], vec!["SmokeGate=web-tests"], vec!["✓ Staging/Deploy", "✗ SmokeTest", "ConfigurationError"]),
        (vec![], vec!["ReleaseGate=web-tests"], vec!["✓ SmokeTest", "✗ ReleaseGate", "ConfigurationError"]),
        // Without a test listener, the hook reaches nobody, and no visitor gets the new version.
        (
            vec![(hook, "")],
            vec![],
            vec!["✗ Staging/Deploy", "AfterAllowTestTraffic", "has answered Failed", "web: Failed"],
        ),
    ] {
        let (_folder, template) = changed(&changes);
        let (code, text, _data) = release(&template, &root().join("examples/web"), &parameters);
        assert_eq!(code, 1, "{parameters:?}: {text}");
        for word in words {
            assert!(text.contains(word), "{parameters:?} lacks {word:?}: {text}");
        }
        assert!(!text.contains("? Approve"), "{parameters:?}: nobody may be asked about it: {text}");
    }
    let smoke =
        ["          - Name: SmokeTest\n            Actions:\n", "          - Name: SmokeAgain\n            Actions:\n"];
    let (_folder, template) = changed(&[(smoke[0], smoke[1])]);
    let (code, text, _data) = release(&template, &root().join("examples/web"), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("✓ SmokeAgain/SmokeTest") && !text.contains("✓ SmokeTest "), "{text}");
}

/// A version whose page is another than its version.json says passes every test of the build; the hook stops it.
#[test]
fn the_hook_stops_a_version_before_anybody_sees_it() {
    let source = tempfile::tempdir().unwrap();
    let folder = source.path().join("web");
    copy(&root().join("examples/web"), &folder);
    let build = fs::read_to_string(folder.join("build.sh")).unwrap();
    let broken = build.replace(r#""$version" "$commit" "$built" >"#, r#""9.9.9" "$commit" "$built" >"#);
    assert_ne!(broken, build);
    fs::write(folder.join("build.sh"), broken).unwrap();
    let (code, text, data) = release(&root().join(TEMPLATE), &folder, &[]);
    assert_eq!(code, 1, "{text}");
    for word in ["17 tests: 17 passed", "✗ Staging/Deploy", "rolled back by the deployment d-", "has answered Failed"]
    {
        assert!(text.contains(word), "lacks {word:?}: {text}");
    }
    assert!(!text.contains("SmokeTest  ") && !text.contains("✓ Production"), "{text}");
    let verdict = files(&data.path().join("s3")).into_iter().find(|file| file.ends_with("/verdicts/web-hook.json"));
    let verdict = fs::read_to_string(data.path().join("s3").join(verdict.unwrap())).unwrap();
    assert!(verdict.contains("smoke/hook.hurl:11") && verdict.contains("line 15"), "{verdict}");
}

#[test]
fn what_is_wrong_with_a_template_is_said_with_its_line() {
    let unsupported = ("Name: !Ref PipelineName\n      PipelineType", "Name: !GetAZs ''\n      PipelineType");
    let slip = ("Namespace: Build\n", "Namespac: Build\n");
    let import = ("${NamePrefix}-ReleaseGateFunctionName", "${NamePrefix}-ReleaseGateFunction");
    for (change, expected, at) in [
        (unsupported, "Fn::GetAZs is not supported here", "Name: !GetAZs"),
        (slip, "`Namespac` is no property of an action; did you mean `Namespace`?", "Namespac: Build"),
        (import, "no other stack exports `stagegate-ReleaseGateFunction`", "-ReleaseGateFunction\""),
    ] {
        let (_folder, template) = changed(&[change]);
        let text = fs::read_to_string(&template).unwrap();
        let line = text.lines().position(|line| line.contains(at)).unwrap() + 1;
        for (command, file) in [("run", "--source"), ("check", "--template")] {
            let value = if command == "run" { "examples/web" } else { "infra/template.yaml" };
            let (code, printed) = run(stagegate().arg(command).arg(&template).args([file, value]));
            assert_eq!(code, 65, "{command}: {printed}");
            assert!(printed.contains(expected), "{command}: {printed}");
            assert!(printed.contains(&format!("pipeline.yaml:{line}:")), "{command}: line {line}: {printed}");
        }
    }
    for (arguments, code, expected) in [
        (vec!["--parameter", "PipelinName=x"], 64, "set the parameter PipelinName: no template has one of that name"),
        (
            vec!["--parameter", "SourceProvider=GitLab"],
            65,
            "must be one of CodeConnections, CodeCommit, S3, not `GitLab`",
        ),
        // The action type is there only where the functions are deployed with it.
        (vec!["--parameter", "Gates=CustomActions"], 65, "create it with CreateCustomActionType"),
    ] {
        let (got, text) = run(stagegate().args(["run", TEMPLATE, "--source", "examples/web"]).args(&arguments));
        assert_eq!(got, code, "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
    let (code, text) = run(stagegate().args(["run", TEMPLATE, "--yes"]));
    assert_eq!(code, 64, "{text}");
    assert!(text.contains("name its folder with --source"), "{text}");
}

/// A mistake that only the check finds is shown at its line in the template.
#[test]
fn the_check_shows_problems_of_gates_in_the_template() {
    let (_folder, template) =
        changed(&[("\"base\":\"#{variables.StagingUrl}\"", "\"base\":\"#{variables.StagingURL}\"")]);
    let text = fs::read_to_string(&template).unwrap();
    let (code, printed) = run(stagegate().arg("check").arg(&template).args(["--template", "infra/template.yaml"]));
    assert_eq!(code, 65, "{printed}");
    assert!(printed.contains("names no variable of the pipeline: did you mean \"StagingUrl\"?"), "{printed}");
    let lines: Vec<_> =
        text.lines().enumerate().filter(|(_, line)| line.contains("StagingURL")).map(|(n, _)| n + 1).collect();
    assert!(lines.iter().any(|line| printed.contains(&format!("pipeline.yaml:{line}:"))), "{lines:?}: {printed}");
}

/// The names and the defaults of the parameters stand on the page, and nothing else does.
#[test]
fn the_parameters_on_the_page_are_those_of_the_template() {
    let page = fs::read_to_string(root().join("docs/example-pipeline.md")).unwrap();
    let section = page.split("\n## Parameters").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| {
        let cells: Vec<_> = row.split(" | ").collect();
        (cells[0].trim_end_matches('`').to_owned(), cells[1].trim_matches('`').to_owned())
    });
    let template = fs::read_to_string(root().join(TEMPLATE)).unwrap();
    let parameters =
        template.split("\nParameters:\n").nth(1).and_then(|rest| rest.split("\nConditions:").next()).unwrap();
    let mut declared: Vec<(String, String)> = Vec::new();
    for line in parameters.lines() {
        if let Some(name) = line.strip_prefix("  ").filter(|name| !name.starts_with(' ') && name.ends_with(':')) {
            declared.push((name.trim_end_matches(':').to_owned(), "none".to_owned()));
        } else if let (Some(default), Some(last)) = (line.strip_prefix("    Default: "), declared.last_mut()) {
            last.1 = match default.trim_matches('"') {
                "" => "empty".to_owned(),
                default => default.to_owned(),
            };
        }
    }
    assert!(declared.len() > 15, "{declared:?}");
    assert_eq!(rows.collect::<Vec<_>>(), declared);
}
