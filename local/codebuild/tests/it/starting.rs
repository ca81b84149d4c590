//! StartBuild.

use std::time::Duration;

use aws_sdk_codebuild::types::{Build, EnvironmentVariable, SourceType, StatusType};

use crate::support::{Local, code};

fn buildspec(command: &str) -> String {
    format!("version: 0.2\nphases: {{build: {{commands: ['{command}']}}}}\n")
}

/// The build, when it has ended.
async fn ended(local: &Local, id: &str) -> Build {
    loop {
        let found = local.client.batch_get_builds().ids(id).send().await.unwrap();
        let build = &found.builds()[0];
        if build.build_complete() {
            return build.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_build_is_started_by_itself() {
    let local = Local::start().await;
    local.put("web.zip", &[("page", "hello"), ("buildspec.yml", &buildspec("grep hello page"))]);
    let start = |command: &str| {
        let start = local.client.start_build().project_name("nightly").source_type_override(SourceType::NoSource);
        start.buildspec_override(buildspec(command))
    };
    let from_s3 = local.client.start_build().project_name("nightly").source_type_override(SourceType::S3);
    let colour = EnvironmentVariable::builder().name("COLOUR").value("green").build().unwrap();
    for (start, status, source) in [
        (start("test $COLOUR = green").environment_variables_override(colour), StatusType::Succeeded, "NO_SOURCE"),
        (start("exit 3"), StatusType::Failed, "NO_SOURCE"),
        (from_s3.source_location_override("sources/web.zip"), StatusType::Succeeded, "S3"),
    ] {
        let begun = start.send().await.unwrap().build_value.unwrap();
        assert_eq!((begun.initiator(), begun.project_name()), (Some("local"), Some("nightly")));
        assert_eq!(begun.source().unwrap().r#type().as_str(), source);
        let ended = ended(&local, begun.id().unwrap()).await;
        assert_eq!(ended.build_status(), Some(&status), "{ended:?}");
    }
    // What still runs ends with the local AWS.
    let begun = start("sleep 600").send().await.unwrap().build_value.unwrap();
    assert_eq!(begun.build_status(), Some(&StatusType::InProgress));
    local.codebuild.shutdown().await;
    assert_eq!(ended(&local, begun.id().unwrap()).await.build_status(), Some(&StatusType::Stopped));
}

#[tokio::test]
async fn a_build_that_cannot_begin_is_refused() {
    let local = Local::start().await;
    let start = |project: &str| local.client.start_build().project_name(project);
    for (start, why) in [
        (start("web"), "set sourceTypeOverride to S3 or NO_SOURCE"),
        (start("web").source_type_override(SourceType::Github), "GITHUB is not there locally"),
        (start("web").source_type_override(SourceType::S3).source_location_override("web.zip"), "<bucket>/<key"),
        (start("../web").source_type_override(SourceType::NoSource), "the project's name"),
    ] {
        let refused = start.send().await;
        let said = format!("{refused:?}");
        assert_eq!(code(refused), "InvalidInputException", "{why}");
        assert!(said.contains(why), "{said}");
    }
}
