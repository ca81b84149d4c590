//! The function from CodePipeline's event to its answer, with CodePipeline, S3, SSM and Lambda of the local AWS.

use std::io::Read as _;
use std::time::Duration;

use serde_json::json;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_codepipeline::provider::ArtifactBucket as _;

use crate::server::Server;
use crate::world::World;

const NETWORK: &str = "network: {allow_networks: [127.0.0.1]}";
const GOOD: &str = "GET {{base}}/good\nHTTP 200\n";

fn config(rules: &str) -> String {
    format!("gates: {{web: {{{rules}, {NETWORK}}}, reports: {{sarif: {{reports: [a]}}}}}}")
}

fn parameters(server: &Server) -> String {
    let execution = "#{codepipeline.PipelineExecutionId}";
    json!({"gate": "web", "execution": execution, "variables": {"base": server.base}}).to_string()
}

#[tokio::test]
async fn verdicts_become_answers() {
    let server = Server::start(|_, path| Some(if path == "/good" { 200 } else { 500 })).await;
    let inline = json!({"hurl": ["smoke/*.hurl"], "variables": {"base": server.base}}).to_string();
    for (files, rules, parameters, code, words) in [
        (
            vec![("smoke/a.hurl", GOOD)],
            "hurl: ['smoke/*.hurl']",
            parameters(&server),
            "",
            vec!["web passed: 1 smoke test: 1 passed; 1 request"],
        ),
        (
            vec![("smoke/a.hurl", "GET {{base}}/bad\nHTTP 200\n")],
            "hurl: ['smoke/*.hurl']",
            parameters(&server),
            "JobFailed",
            vec!["smoke/a.hurl:1: GET", "/bad → 500", "actual 500, expected 200"],
        ),
        // What a file names is read from the artifact, beside the file.
        (
            vec![
                ("smoke/a.hurl", "POST {{base}}/good\nfile,data/body.json;\nHTTP 200\n"),
                ("smoke/data/body.json", "{}"),
            ],
            "hurl: ['smoke/*.hurl']",
            parameters(&server),
            "",
            vec!["1 passed"],
        ),
        (
            vec![("smoke/a.hurl", "POST {{base}}/good\nfile,../secret.txt;\nHTTP 200\n"), ("secret.txt", "x")],
            "hurl: ['smoke/*.hurl']",
            parameters(&server),
            "JobFailed",
            vec!["unauthorized access to file ../secret.txt"],
        ),
        (
            vec![],
            "hurl: ['smoke/*.hurl']",
            parameters(&server),
            "JobFailed",
            vec!["no file of Code matches \"smoke/*.hurl\""],
        ),
        (
            vec![("a.hurl", GOOD)],
            "hurl: [a.hurl]",
            r#"{"gate":"reports"}"#.to_owned(),
            "ConfigurationError",
            vec!["it judges reports"],
        ),
        (
            vec![("a.hurl", GOOD)],
            "hurl: [a.hurl]",
            r#"{"gate":"web","build":"b"}"#.to_owned(),
            "ConfigurationError",
            vec!["\"build\" is for"],
        ),
        (vec![("smoke/a.hurl", GOOD)], "hurl: [a.hurl]", inline, "JobFailed", vec!["is a loopback address"]),
        (
            vec![("a.hurl", GOOD)],
            "hurl: [a.hurl], secrets: {token: /stagegate/smoke/missing}",
            parameters(&server),
            "ConfigurationError",
            vec!["SSM has no parameter \"/stagegate/smoke/missing\""],
        ),
        (
            vec![("a.hurl", GOOD)],
            "hurl: [a.hurl], source: 's3://shared/missing.zip'",
            parameters(&server),
            "ConfigurationError",
            vec!["s3://shared/missing.zip"],
        ),
        // The stack has not been told of this bucket, so that its role may not read there.
        (
            vec![("a.hurl", GOOD)],
            "hurl: [a.hurl], source: 's3://nowhere/smoke.zip'",
            parameters(&server),
            "PermissionError",
            vec!["s3://nowhere/smoke.zip", "is not authorized to perform: s3:GetObject"],
        ),
    ] {
        let world = World::new(&files, &config(rules), 1.0).await;
        let ended = world.run(&parameters, &[]).await;
        let expected = if code.is_empty() { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
        assert_eq!((ended.status, ended.code.as_str()), (expected, code), "{rules}: {ended:?}");
        for word in words {
            assert!(ended.message.contains(word), "{rules} lacks {word:?}: {ended:?}");
        }
        if code.is_empty() {
            assert_eq!(ended.variables["checks_passed"], "1");
            let kept = world.verdict(&ended.execution, "web").to_string();
            assert!(kept.contains("\"outcome\":\"passed\""), "{rules}: {kept}");
        }
        world.aws.shutdown().await;
    }
}

#[tokio::test]
async fn secrets_come_from_ssm_and_stay_out_of_everything() {
    let server = Server::start(|_, _| Some(500)).await;
    let text = "GET {{base}}/x?token={{token}}\nHTTP 200\n";
    let rules = "hurl: [a.hurl], secrets: {token: /stagegate/smoke/token}";
    let world = World::new(&[("a.hurl", text)], &config(rules), 1.0).await;
    let parameter = json!({"Name": "/stagegate/smoke/token", "Value": "s3cr3t-value", "Type": "SecureString"});
    world.aws.ssm().call("PutParameter", &parameter).unwrap();
    let ended = world.run(&parameters(&server), &["Results"]).await;
    assert!(server.seen.lock().unwrap()[0].contains("token=s3cr3t-value"), "{ended:?}");
    assert!(ended.message.contains("token=***"), "{ended:?}");
    let kept = world.verdict(&ended.execution, "web").to_string();
    assert!(kept.contains("token=***"));
    for text in [format!("{ended:?}"), kept, world.logs()] {
        assert!(!text.contains("s3cr3t-value"), "{text}");
    }
    world.aws.shutdown().await;
}

#[tokio::test]
async fn an_output_artifact_holds_the_tests() {
    let server = Server::start(|_, _| Some(200)).await;
    let world = World::new(&[("a.hurl", GOOD)], &config("hurl: [a.hurl]"), 1.0).await;
    let ended = world.run(&parameters(&server), &["Results"]).await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
    let place = &ended.output["outputArtifacts"][0]["s3location"];
    let object = world.object(place["bucket"].as_str().unwrap(), place["key"].as_str().unwrap());
    let mut archive = zip::ZipArchive::new(std::fs::File::open(object).unwrap()).unwrap();
    let mut names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort();
    assert_eq!(names, ["TEST-web-rules.xml", "TEST-web.xml", "verdict.json"]);
    let mut text = String::new();
    archive.by_name("TEST-web.xml").unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("classname=\"a.hurl\""), "{text}");
    world.aws.shutdown().await;
}

#[tokio::test]
async fn a_rule_of_a_stage_is_answered_as_an_action_is() {
    for (status, ended, asked) in [(200, ExecutionStatus::Succeeded, 2), (500, ExecutionStatus::Failed, 1)] {
        let server = Server::start(move |_, _| Some(status)).await;
        let world = World::new(&[("a.hurl", GOOD)], &config("hurl: [a.hurl]"), 1.0).await;
        let parameters = json!({"gate": "web", "variables": {"base": server.base}}).to_string();
        assert_eq!(world.run_with_rule(&parameters).await, ended, "{}", world.logs());
        // The rule, and where it was met the action behind it.
        assert_eq!(server.count(), asked);
        world.aws.shutdown().await;
    }
}

#[tokio::test]
async fn hurl_files_come_from_the_source_that_the_gate_names() {
    let server = Server::start(|_, path| Some(if path == "/good" { 200 } else { 500 })).await;
    // What is in the artifact would fail.
    let artifact = [("smoke/a.hurl", "GET {{base}}/bad\nHTTP 200\n")];
    for source in ["s3://shared/smoke.zip", "layer"] {
        let rules = format!("hurl: ['smoke/*.hurl'], source: '{source}'");
        let world = World::new(&artifact, &config(&rules), 1.0).await;
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("smoke/a.hurl", zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, GOOD.as_bytes()).unwrap();
        world.aws.s3().create_bucket("shared").await.unwrap();
        world.aws.s3().put("shared", "smoke.zip", zip.finish().unwrap().into_inner()).await.unwrap();
        world.write_layer("smoke/a.hurl", GOOD);
        let ended = world.run(&parameters(&server), &[]).await;
        assert_eq!(ended.status, ExecutionStatus::Succeeded, "{source}: {ended:?}");
        world.aws.shutdown().await;
    }
}

/// One sample each invocation, the state in the token. The second sample is red: the time begins again, and ends well.
#[tokio::test]
async fn a_red_sample_restarts_the_time_and_ends_passed() {
    let server = Server::start(|number, _| Some(if number == 1 { 500 } else { 200 })).await;
    let rules = "hurl: [a.hurl], steady: {every: 30s, green_for: 1m, give_up_after: 1h}";
    let world = World::new(&[("a.hurl", GOOD)], &config(rules), 60.0).await;
    let ended = world.run(&parameters(&server), &[]).await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}\n{}", world.logs());
    // Green, red, and then at least two green ones.
    assert!(server.count() >= 4, "{}", server.count());
    assert!(world.calls("PutJobSuccessResult") >= 4);
    let verdict = world.verdict(&ended.execution, "web").to_string();
    assert!(verdict.contains("\"rule\":\"steady\"") && verdict.contains("1 of them red"), "{verdict}");
    world.aws.shutdown().await;
}

#[tokio::test]
async fn giving_up_ends_failed() {
    let server = Server::start(|number, _| Some(if number % 2 == 1 { 500 } else { 200 })).await;
    let rules = "hurl: [a.hurl], steady: {every: 10s, green_for: 2m, give_up_after: 3m}";
    let world = World::new(&[("a.hurl", GOOD)], &config(rules), 60.0).await;
    let ended = world.run(&parameters(&server), &[]).await;
    assert_eq!((ended.status, ended.code.as_str()), (ExecutionStatus::Failed, "JobFailed"), "{ended:?}");
    assert!(ended.message.contains("gave up after 3m"), "{ended:?}");
    assert_eq!(world.calls("PutJobFailureResult"), 1);
    world.aws.shutdown().await;
}

/// The process is killed while it waits for an answer. As it is deployed, the job fails; where Lambda may try again, the
/// second attempt answers the job by what it sees.
#[tokio::test]
async fn a_killed_sample_neither_hangs_nor_passes() {
    let retrying = "MaximumRetryAttempts: 2";
    for (attempts, second, status, asked) in [
        ("MaximumRetryAttempts: 0", 200, ExecutionStatus::Failed, 1),
        (retrying, 200, ExecutionStatus::Succeeded, 2),
        (retrying, 500, ExecutionStatus::Failed, 2),
    ] {
        let server = Server::start(move |number, _| (number > 0).then_some(second)).await;
        let template = |text: &str| {
            assert!(text.contains("MaximumRetryAttempts: 0"));
            text.replace("MaximumRetryAttempts: 0", attempts)
        };
        let rules = config("hurl: [a.hurl]");
        let world = World::with_template(&[("a.hurl", GOOD)], &rules, 60.0, template).await;
        let execution = world.start(&parameters(&server), &[]).await;
        while server.count() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let processes = world.processes();
        assert_eq!(processes.len(), 1, "one process is at work");
        assert_eq!(world.calls("PutJobSuccessResult") + world.calls("PutJobFailureResult"), 0, "no answer yet");
        let killed = std::process::Command::new("kill").args(["-KILL", &processes[0].to_string()]).status();
        assert!(killed.unwrap().success());
        let ended = world.end(execution).await;
        assert_eq!(ended.status, status, "{ended:?}\n{}", world.logs());
        assert_eq!(server.count(), asked, "{attempts}");
        world.aws.shutdown().await;
    }
}
