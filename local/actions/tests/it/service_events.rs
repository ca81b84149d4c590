//! What builds and deployments tell EventBridge.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_actions::{
    CodeBuildProvider, CodeDeployProvider, InstanceServers, Project, ServiceEvent, ServiceEvents,
};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::ActionProvider;

use crate::support::{Bucket, no_progress, request, zip_of};

type Told = Arc<Mutex<Vec<ServiceEvent>>>;

fn listener() -> (Told, ServiceEvents) {
    let told = Told::default();
    let events = told.clone();
    (told, ServiceEvents::new(move |event| events.lock().unwrap().push(event)))
}

async fn build(buildspec: &str, project: &str) -> Vec<ServiceEvent> {
    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    bucket.store("Source", zip_of(&[("buildspec.yml", buildspec)]));
    let (told, events) = listener();
    let provider = CodeBuildProvider::new(data.path(), bucket, Clock::system())
        .with_project("impatient", Project { timeout: Duration::from_secs(3), ..Project::default() })
        .with_events(events);
    let request = request("CodeBuild", &[("ProjectName", project)], &["Source"], &[]);
    let _ = provider.run(request, no_progress()).await;
    let told = told.lock().unwrap();
    told.clone()
}

/// What an event says, in a word or two.
fn words(event: &ServiceEvent) -> String {
    let text = |member: &str| event.detail[member].as_str().unwrap_or_default().to_owned();
    match event.detail_type {
        "CodeBuild Build State Change" => format!("{} {}", text("build-status"), text("current-phase")),
        "CodeBuild Build Phase Change" => format!("{} {}", text("completed-phase"), text("completed-phase-status")),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_build_tells_of_its_states_and_phases() {
    let ok = "DOWNLOAD_SOURCE SUCCEEDED, INSTALL SUCCEEDED, PRE_BUILD SUCCEEDED";
    for (command, project, expected) in [
        (
            "true",
            "web",
            format!("{ok}, BUILD SUCCEEDED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED, SUCCEEDED COMPLETED"),
        ),
        (
            "exit 3",
            "web",
            format!("{ok}, BUILD FAILED, POST_BUILD SUCCEEDED, UPLOAD_ARTIFACTS SUCCEEDED, FAILED COMPLETED"),
        ),
        ("sleep 600", "impatient", format!("{ok}, BUILD TIMED_OUT, TIMED_OUT COMPLETED")),
    ] {
        let events = build(&format!("version: 0.2\nphases: {{build: {{commands: ['{command}']}}}}\n"), project).await;
        let told: Vec<String> = events.iter().map(words).collect();
        assert_eq!(told.join(", "), format!("IN_PROGRESS SUBMITTED, {expected}"), "{command}");
        let last = events.last().unwrap();
        let arn = last.detail["build-id"].as_str().unwrap();
        assert!(arn.starts_with(&format!("arn:aws:codebuild:eu-west-1:111122223333:build/{project}:")), "{arn}");
        assert_eq!((last.source, last.resources.as_slice()), ("aws.codebuild", &[arn.to_owned()][..]));
        let more = &last.detail["additional-information"];
        assert_eq!((&more["build-complete"], &more["initiator"]), (&json!(true), &json!("codepipeline/web")));
        // Numbers are floating-point numbers.
        assert_eq!(more["build-number"].to_string(), "1.0");
    }
}

#[tokio::test]
async fn a_failed_phase_tells_why_and_no_secret() {
    let buildspec = "version: 0.2\nphases: {build: {commands: ['exit 3']}}\n";
    let events = build(buildspec, "web").await;
    let failed = events.iter().find(|event| event.detail["completed-phase-status"] == "FAILED").unwrap();
    let context = failed.detail["completed-phase-context"].as_str().unwrap();
    assert!(context.starts_with("[COMMAND_EXECUTION_ERROR: Error while executing command: exit 3."), "{context}");

    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    let buildspec = "version: 0.2\nenv: {parameter-store: {TOKEN: /t}}\nphases: {build: {commands: ['echo hunter2-is-secret; exit 1']}}\n";
    bucket.store("Source", zip_of(&[("buildspec.yml", buildspec)]));
    let (told, events) = listener();
    let parameters = [("/t".to_owned(), "hunter2-is-secret".to_owned())].into();
    let provider = CodeBuildProvider::new(data.path(), bucket, Clock::system());
    let provider = provider.with_parameters(parameters).with_events(events);
    let request = request("CodeBuild", &[("ProjectName", "web")], &["Source"], &[]);
    provider.run(request, no_progress()).await.unwrap_err();
    let told = format!("{:?}", told.lock().unwrap());
    assert!(told.contains("echo ***") && !told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn a_deployment_tells_how_it_goes() {
    let appspec = "version: 0.0\nos: linux\nfiles: [{source: index.html, destination: /var/www/html}]\n";
    for (files, end) in
        [(&[("appspec.yml", appspec), ("index.html", "x")][..], "SUCCESS"), (&[("index.html", "x")][..], "FAILURE")]
    {
        let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
        bucket.store("Site", zip_of(files));
        let (told, events) = listener();
        let servers = InstanceServers::new(None);
        let provider = CodeDeployProvider::new(data.path(), bucket, Clock::system(), servers).with_events(events);
        let configuration = [("ApplicationName", "web"), ("DeploymentGroupName", "Production")];
        let _ = provider.run(request("CodeDeploy", &configuration, &["Site"], &[]), no_progress()).await;
        let told = told.lock().unwrap();
        let states: Vec<&Value> = told.iter().map(|event| &event.detail["state"]).collect();
        assert_eq!(states, ["START", end]);
        let last = &told[1];
        assert_eq!(last.detail_type, "CodeDeploy Deployment State-change Notification");
        assert_eq!(
            (&last.detail["application"], &last.detail["deploymentGroup"]),
            (&json!("web"), &json!("Production"))
        );
        let arn = "arn:aws:codedeploy:eu-west-1:111122223333:deploymentgroup:web/Production";
        assert_eq!((last.source, last.resources[1].as_str()), ("aws.codedeploy", arn));
    }
}
