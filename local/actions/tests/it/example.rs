//! The sample application from its folder to its page.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use stagegate_local_actions::{CodeBuildProvider, CodeDeployProvider, InstanceServers, SourceProvider};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::ActionProvider;

use crate::support::{Bucket, get, no_progress, request};

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

/// Runs source, build and both deployments on `folder`; returns the bucket and the lines of the log.
async fn release(folder: &Path, data: &Path, deploy: &CodeDeployProvider, bucket: &Arc<Bucket>) -> Vec<String> {
    let source = SourceProvider::new(folder, bucket.clone());
    source.run(request("CodeStarSourceConnection", &[], &[], &["SourceCode"]), no_progress()).await.unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let listener = {
        let lines = Arc::clone(&lines);
        Arc::new(move |line: &stagegate_local_actions::LogLine| lines.lock().unwrap().push(line.text.clone()))
    };
    let build = CodeBuildProvider::new(data, bucket.clone(), Clock::system()).with_log_listener(listener);
    let asked = request("CodeBuild", &[("ProjectName", "web")], &["SourceCode"], &["SiteBundle", "TestReports"]);
    let built = build.run(asked, no_progress()).await.unwrap_or_else(|failure| panic!("{}", failure.message));
    assert_eq!(built.output_variables["VERSION"], fs::read_to_string(folder.join("VERSION")).unwrap().trim());
    assert_eq!(built.output_variables["CODEBUILD_BUILD_ID"], built.external_execution_id.unwrap());
    for group in ["Staging", "Production"] {
        let configuration = [("ApplicationName", "web"), ("DeploymentGroupName", group)];
        let deployed = deploy.run(request("CodeDeploy", &configuration, &["SiteBundle"], &[]), no_progress()).await;
        deployed.unwrap_or_else(|failure| panic!("{}", failure.message));
    }
    lines.lock().unwrap().clone()
}

fn reports(bucket: &Bucket) -> String {
    bucket.files("TestReports").into_values().collect()
}

#[tokio::test]
async fn the_sample_application_goes_from_its_folder_to_production() {
    let (bucket, data, folder) = (Bucket::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy(&example(), folder.path());
    let servers = InstanceServers::new(None);
    let deploy = CodeDeployProvider::new(data.path(), bucket.clone(), Clock::system(), servers.clone());

    let lines = release(folder.path(), data.path(), &deploy, &bucket).await;
    assert!(lines.iter().any(|line| line == "17 tests, 0 failed"), "{lines:#?}");
    let names: Vec<_> = bucket.files("TestReports").into_keys().collect();
    assert_eq!(names, ["TEST-dates.xml", "TEST-html.xml", "TEST-page.xml", "TEST-versions.xml"]);
    assert_eq!(reports(&bucket).matches("<testcase ").count(), 17);
    assert_eq!(reports(&bucket).matches("<failure").count(), 0);
    for group in ["Staging", "Production"] {
        let (status, page) = get(&servers.url("web", group).unwrap(), "/").await;
        assert_eq!(status, 200);
        for expected in [
            &format!("<p class=\"environment\">{group}</p>"),
            "<dd id=\"version\">1.4.0</dd>",
            "<dd id=\"commit\">abc123</dd>",
        ] {
            assert!(page.contains(expected), "no {expected:?} in {page}");
        }
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
    let lines = release(folder.path(), data.path(), &deploy, &bucket).await;
    assert!(lines.iter().any(|line| line == "17 tests, 1 failed"), "{lines:#?}");
    let reports = reports(&bucket);
    assert_eq!(reports.matches("<failure").count(), 1);
    let (_, failed) = reports.split_once("name=\"escapes_markup\"").unwrap();
    assert!(failed.split_once("<testcase").unwrap().0.contains("got [&lt;script&amp;gt;"), "{failed}");
    assert!(get(&servers.url("web", "Production").unwrap(), "/version.json").await.1.contains("\"version\":\"1.5.0\""));
}

#[test]
fn the_pipeline_definition_names_what_the_buildspec_makes() {
    let text = fs::read_to_string(example().join("pipeline.json")).unwrap();
    let pipeline: serde_json::Value = serde_json::from_str(&text).unwrap();
    let stages = pipeline["pipeline"]["stages"].as_array().unwrap();
    let actions: Vec<_> = stages.iter().map(|stage| &stage["actions"][0]).collect();
    let providers: Vec<_> = actions.iter().map(|action| action["actionTypeId"]["provider"].as_str().unwrap()).collect();
    assert_eq!(
        providers,
        ["CodeStarSourceConnection", "CodeBuild", "Lambda", "CodeDeploy", "Lambda", "Manual", "CodeDeploy"]
    );
    let buildspec = fs::read_to_string(example().join("buildspec.yml")).unwrap();
    for output in actions[1]["outputArtifacts"].as_array().unwrap() {
        assert!(buildspec.contains(&format!("    {}:\n", output["name"].as_str().unwrap())));
    }
    let parameters: serde_json::Value =
        serde_json::from_str(actions[2]["configuration"]["UserParameters"].as_str().unwrap()).unwrap();
    assert_eq!(parameters["gate"], "web-tests");
}
