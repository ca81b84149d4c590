//! BatchGetBuilds and ListBuildsForProject.

use aws_sdk_codebuild::types::{BuildPhaseType, SortOrderType, StatusType};

use crate::support::{Local, junit};

#[tokio::test]
async fn a_build_is_described_as_aws_does() {
    let local = Local::start().await;
    let report = junit(["passes"]);
    let build = local.build("web-build", "unit: {files: [a.xml]}", &[("a.xml", &report)]).await;
    let answer = local.client.batch_get_builds().ids(&build.id).ids("web-build:none").ids(&build.arn).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.builds_not_found(), ["web-build:none"]);
    let [described, by_arn] = answer.builds() else { panic!("{answer:?}") };
    assert_eq!(described, by_arn);
    assert_eq!(described.id(), Some(build.id.as_str()));
    assert_eq!(described.arn(), Some(build.arn.as_str()));
    assert_eq!(described.build_number(), Some(1));
    assert_eq!(described.build_status(), Some(&StatusType::Succeeded));
    assert_eq!(described.current_phase(), Some("COMPLETED"));
    assert_eq!(described.project_name(), Some("web-build"));
    assert_eq!(described.resolved_source_version(), Some("abc123"));
    assert_eq!(described.initiator(), Some("codepipeline/web"));
    assert!(described.build_complete());
    assert_eq!(described.report_arns(), [build.reports[0].arn.clone()]);
    let exported = &described.exported_environment_variables()[0];
    assert_eq!((exported.name(), exported.value()), (Some("FLAVOUR"), Some("mild")));
    let (start, end) = (described.start_time().unwrap(), described.end_time().unwrap());
    assert!(start.as_secs_f64() > 1.6e9 && start <= end, "{start} {end}");
    let phases: Vec<_> = described.phases().iter().map(|phase| phase.phase_type().unwrap().clone()).collect();
    assert_eq!(phases.first(), Some(&BuildPhaseType::DownloadSource));
    assert_eq!(phases.last(), Some(&BuildPhaseType::Completed));
    let build_phase = described.phases().iter().find(|phase| phase.phase_type() == Some(&BuildPhaseType::Build));
    assert_eq!(build_phase.unwrap().phase_status(), Some(&StatusType::Succeeded));
}

#[tokio::test]
async fn a_failed_build_says_why() {
    let local = Local::start().await;
    let build = local.build("web-build", "", &[("fail", "")]).await;
    let answer = local.client.batch_get_builds().ids(&build.id).send().await.unwrap();
    let described = &answer.builds()[0];
    assert_eq!(described.build_status(), Some(&StatusType::Failed));
    let failed = described.phases().iter().find(|phase| phase.phase_status() == Some(&StatusType::Failed)).unwrap();
    assert_eq!(failed.contexts()[0].status_code(), Some("COMMAND_EXECUTION_ERROR"), "{failed:?}");
}

#[tokio::test]
async fn a_running_build_is_in_its_phase() {
    let local = Local::start().await;
    let halfway = local.build_halfway("web-build", "unit: {files: [a.xml]}", &[("a.xml", "<x/>")]).await;
    let id = halfway.record.id.clone();
    let describe = || local.client.batch_get_builds().ids(&id).send();
    let answer = describe().await.unwrap();
    let build = &answer.builds()[0];
    assert_eq!(build.current_phase(), Some("UPLOAD_ARTIFACTS"));
    assert_eq!(build.build_status(), Some(&StatusType::InProgress));
    assert!(!build.build_complete() && build.end_time().is_none());
    halfway.finish().await;
    assert!(describe().await.unwrap().builds()[0].build_complete());
}

#[tokio::test]
async fn the_builds_of_a_project_are_listed_newest_first_in_pages() {
    let local = Local::start().await;
    let mut ids = Vec::new();
    for project in ["web", "other", "web", "web"] {
        let build = local.build(project, "", &[]).await;
        if project == "web" {
            ids.push(build.id);
        }
    }
    let list = || local.client.list_builds_for_project().project_name("web");
    let oldest_first = list().sort_order(SortOrderType::Ascending).send().await.unwrap();
    assert_eq!(oldest_first.ids(), ids);
    ids.reverse();
    assert_eq!(list().send().await.unwrap().ids(), ids);
}
