//! The sample application from its folder to what is deployed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use stagegate_local_actions::{CodeBuildProvider, Project, SourceProvider};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::ActionProvider;

use crate::support::{Bucket, no_progress, request};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/web")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs source and build on `folder`; returns the lines of the log.
async fn build(folder: &Path, data: &Path, bucket: &Arc<Bucket>) -> Vec<String> {
    let source = SourceProvider::new(folder, bucket.clone());
    source.run(request("CodeStarSourceConnection", &[], &[], &["SourceCode"]), no_progress()).await.unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let listener = {
        let lines = Arc::clone(&lines);
        Arc::new(move |line: &stagegate_local_actions::LogLine| lines.lock().unwrap().push(line.text.clone()))
    };
    let environment = [
        ("IMAGE_REPOSITORY", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web"),
        ("TASK_FAMILY", "web"),
        ("TASK_EXECUTION_ROLE", "arn:aws:iam::111122223333:role/web-tasks"),
        ("LOG_GROUP", "/ecs/web"),
        ("HOOK_FUNCTION", "CodeDeployHook_stagegate-smoke-test"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let build = CodeBuildProvider::new(data, bucket.clone(), Clock::system())
        .with_project("web", Project { environment, ..Project::default() })
        .with_log_listener(listener);
    let asked = request("CodeBuild", &[("ProjectName", "web")], &["SourceCode"], &["Release", "TestReports"]);
    let built = build.run(asked, no_progress()).await.unwrap_or_else(|failure| panic!("{}", failure.message));
    assert_eq!(built.output_variables["VERSION"], fs::read_to_string(folder.join("VERSION")).unwrap().trim());
    assert_eq!(built.output_variables["CODEBUILD_BUILD_ID"], built.external_execution_id.unwrap());
    lines.lock().unwrap().clone()
}

fn reports(bucket: &Bucket) -> String {
    bucket.files("TestReports").into_values().collect()
}

#[tokio::test]
async fn the_sample_application_goes_from_its_folder_to_what_is_deployed() {
    let (bucket, data, folder) = (Bucket::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy(&example(), folder.path());

    let lines = build(folder.path(), data.path(), &bucket).await;
    assert!(lines.iter().any(|line| line == "17 tests, 0 failed"), "{lines:#?}");
    let names: Vec<_> = bucket.files("TestReports").into_keys().collect();
    assert_eq!(names, ["TEST-dates.xml", "TEST-html.xml", "TEST-page.xml", "TEST-versions.xml"]);
    assert_eq!(reports(&bucket).matches("<testcase ").count(), 17);
    assert_eq!(reports(&bucket).matches("<failure").count(), 0);
    let release = bucket.files("Release");
    for (file, expected) in [
        ("site/index.html", "<dd id=\"version\">1.4.0</dd>"),
        ("site/index.html", "<dd id=\"commit\">abc123</dd>"),
        ("site/version.json", "\"version\":\"1.4.0\""),
        ("imageDetail.json", "amazonaws.com/web:1.4.0-1\""),
        ("taskdef.json", "\"executionRoleArn\": \"arn:aws:iam::111122223333:role/web-tasks\""),
        ("appspec-staging.yaml", "AfterAllowTestTraffic: \"CodeDeployHook_stagegate-smoke-test\""),
        ("appspec-production.yaml", "TaskDefinition: <TASK_DEFINITION>"),
    ] {
        assert!(release[file].contains(expected), "no {expected:?} in {}", release[file]);
    }
    for file in ["taskdef.json", "appspec-staging.yaml", "appspec-production.yaml"] {
        assert!(!release[file].contains('@'), "a placeholder is left in {file}: {}", release[file]);
    }

    // A second release, with the line taken out that the README names: one test fails, and the build does not.
    fs::write(folder.path().join("VERSION"), "1.5.0\n").unwrap();
    let html = folder.path().join("lib/html.sh");
    let text: String = fs::read_to_string(&html)
        .unwrap()
        .lines()
        .filter(|line| !line.contains("&lt;"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&html, text).unwrap();
    let lines = build(folder.path(), data.path(), &bucket).await;
    assert!(lines.iter().any(|line| line == "17 tests, 1 failed"), "{lines:#?}");
    let reports = reports(&bucket);
    assert_eq!(reports.matches("<failure").count(), 1);
    let (_, failed) = reports.split_once("name=\"escapes_markup\"").unwrap();
    assert!(failed.split_once("<testcase").unwrap().0.contains("got [&lt;script&amp;gt;"), "{failed}");
    assert!(bucket.files("Release")["site/version.json"].contains("\"version\":\"1.5.0\""));
}
