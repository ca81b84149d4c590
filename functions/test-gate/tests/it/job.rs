//! Every job gets one answer, whatever its event, its parameters and its artifact are like, and never a pass for
//! something that could not be read.

use serde_json::{Value, json};
use stagegate_local_codepipeline::engine::ExecutionStatus;

use crate::world::{Ended, World, changing};

const CONFIG: &str = "gates: {web: {tests: {reports: ['**/TEST-*.xml']}}, cart: {tests: {reports: ['cart/*.xml']}}}";
const PASSING: &str = r#"<testsuite><testcase classname="web.login" name="accepts"/></testsuite>"#;
const FAILING: &str = r#"<testsuite><testcase classname="web.login" name="rejects_empty_password">
    <failure message="expected 401"/></testcase></testsuite>"#;
const WEB: Option<&str> = Some(r#"{"gate":"web"}"#);

fn check(ended: &Ended, code: &str, words: &[&str]) {
    let expected = if code.is_empty() { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
    assert_eq!((ended.status, ended.code.as_str()), (expected, code), "{ended:?}");
    for word in words {
        assert!(ended.message.contains(word), "lacks {word:?}: {ended:?}");
    }
    assert_eq!(ended.answers, 1, "{ended:?}");
}

#[tokio::test]
async fn reports_and_parameters() {
    let report = |text: &'static str| vec![("reports/TEST-a.xml", text)];
    for (files, parameters, code, words) in [
        (report(PASSING), WEB, "", vec!["web passed: 1 test: 1 passed"]),
        (
            report(FAILING),
            WEB,
            "JobFailed",
            vec!["1 of 1 test failed (limit 0): web.login::rejects_empty_password", "expected 401"],
        ),
        (report(""), WEB, "JobFailed", vec!["Reports:reports/TEST-a.xml", "empty"]),
        (report("no xml"), WEB, "JobFailed", vec!["Reports:reports/TEST-a.xml", "no xml"]),
        (report("<testsuite><testcase"), WEB, "JobFailed", vec!["Reports:reports/TEST-a.xml at line 1"]),
        (report("<testsuite/>"), WEB, "JobFailed", vec!["no test in 1 report file"]),
        (vec![], WEB, "JobFailed", vec!["no file matches \"**/TEST-*.xml\" in the artifact Reports"]),
        (report(PASSING), None, "ConfigurationError", vec!["UserParameters: the action has none"]),
        (report(PASSING), Some("web"), "ConfigurationError", vec!["UserParameters"]),
        (report(PASSING), Some(r#"{"gat":"web"}"#), "ConfigurationError", vec!["did you mean \"gate\""]),
        (report(PASSING), Some(r#"{"gate":"wep"}"#), "ConfigurationError", vec!["did you mean \"web\"?"]),
        (
            report(PASSING),
            Some(r#"{"tests":{"reports":["**/*.xml"],"min_total":2}}"#),
            "JobFailed",
            vec!["only 1 test"],
        ),
    ] {
        let world = World::new(&files, CONFIG, None).await;
        let ended = world.run(parameters, async |_, _| {}).await;
        check(&ended, code, &words);
        if code.is_empty() {
            assert_eq!(ended.variables["outcome"], "passed");
            assert_eq!(ended.variables["tests_total"], "1");
        }
    }
}

#[tokio::test]
async fn artifacts() {
    type Tamper = Box<dyn Fn(Vec<u8>) -> Option<Vec<u8>>>;
    let cases: [(Tamper, &str, &str); 6] = [
        (Box::new(|_| None), "ConfigurationError", "the object does not exist"),
        (Box::new(|zip| Some(zip[..zip.len() / 2].to_vec())), "JobFailed", "ZIP"),
        (Box::new(|zip| Some(zip[..zip.len() - 1].to_vec())), "JobFailed", "ZIP"),
        (Box::new(|_| Some(Vec::new())), "JobFailed", "the object is empty (0 bytes)"),
        (Box::new(|_| Some(b"{\"not\": \"a zip\"}".to_vec())), "JobFailed", "not a ZIP archive"),
        (Box::new(flip_content), "JobFailed", "damaged"),
    ];
    for (tamper, code, word) in cases {
        let world = World::new(&[("TEST-a.xml", PASSING)], CONFIG, None).await;
        let ended = world
            .run(WEB, async |world, key| match tamper(std::fs::read(world.object(key)).unwrap()) {
                Some(body) => world.replace(key, body).await,
                None => std::fs::remove_file(world.object(key)).unwrap(),
            })
            .await;
        check(&ended, code, &["input artifact Reports: failed to read", "s3://artifacts/p/Reports", word]);
    }
}

/// Changes a byte in the middle of the largest file's data: the end of the archive stays as it is.
fn flip_content(mut zip: Vec<u8>) -> Option<Vec<u8>> {
    let name = b"TEST-a.xml";
    let at = zip.windows(name.len()).position(|window| window == name)? + name.len() + 20;
    zip[at] ^= 0xff;
    Some(zip)
}

#[tokio::test]
async fn events() {
    type Change = fn(Value) -> Value;
    fn data(mut event: Value, change: impl Fn(&mut Value)) -> Value {
        change(&mut event["CodePipeline.job"]["data"]);
        event
    }
    let cases: [(Change, &str, &str); 7] = [
        (
            |event| data(event, |data| data["artifactCredentials"]["secretAccessKey"] = json!("another")),
            "PermissionError",
            "S3 denied access",
        ),
        (
            |event| data(event, |data| data["artifactCredentials"]["accessKeyId"] = json!("ASIAUNKNOWN")),
            "PermissionError",
            "S3 denied access",
        ),
        (|event| data(event, |data| *data = Value::Null), "JobFailed", "`CodePipeline.job.data` is missing"),
        (|event| data(event, |data| data["inputArtifacts"] = json!("none")), "JobFailed", "inputArtifacts"),
        (|event| data(event, |data| data["inputArtifacts"] = json!([])), "ConfigurationError", "no input artifact"),
        (|event| data(event, |data| data["artifactCredentials"] = Value::Null), "ConfigurationError", "redentials"),
        (
            |event| {
                data(event, |data| data["inputArtifacts"][0]["location"]["s3Location"]["bucketName"] = json!("gone"))
            },
            "ConfigurationError",
            "bucket",
        ),
    ];
    for (change, code, word) in cases {
        let world = World::new(&[("TEST-a.xml", PASSING)], CONFIG, changing(change)).await;
        let ended = world.run(WEB, async |_, _| {}).await;
        check(&ended, code, &[word]);
    }
}

#[tokio::test]
async fn a_broken_configuration_names_its_place() {
    for (config, words) in [
        ("gates: {web: {tests: {report: []}}}", ["stagegate.yaml:1:23", "did you mean \"reports\""]),
        ("gates: {}", ["find the gate \"web\"", "no gates"]),
    ] {
        let world = World::new(&[("TEST-a.xml", PASSING)], config, None).await;
        let ended = world.run(WEB, async |_, _| {}).await;
        check(&ended, "ConfigurationError", &words);
    }
}

#[tokio::test]
async fn credentials_of_the_job_stay_out_of_the_logs() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let secrets = seen.clone();
    let change = changing(move |event| {
        let credentials = &event["CodePipeline.job"]["data"]["artifactCredentials"];
        let secret = |name: &str| credentials[name].as_str().unwrap().to_owned();
        secrets.lock().unwrap().extend([secret("secretAccessKey"), secret("sessionToken"), secret("accessKeyId")]);
        event
    });
    let world = World::new(&[("TEST-a.xml", FAILING)], CONFIG, change).await;
    let ended = world.run(WEB, async |_, _| {}).await;
    let logs = world.logs();
    assert!(logs.contains("rejects_empty_password"), "the log must be the function's: {logs}");
    for secret in seen.lock().unwrap().iter() {
        assert!(!logs.contains(secret) && !ended.message.contains(secret));
    }
}
