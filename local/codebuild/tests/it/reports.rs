//! BatchGetReports, the lists of reports, and report groups.

use std::collections::HashMap;

use aws_sdk_codebuild::types::{
    Report, ReportExportConfigType, ReportFilter, ReportGroupSortByType, ReportStatusType, ReportType, SortOrderType,
};

use crate::support::{ACCOUNT, Local, junit};

async fn describe(local: &Local, arn: &str) -> Report {
    let answer = local.client.batch_get_reports().report_arns(arn).send().await.unwrap();
    answer.reports()[0].clone()
}

fn counts(report: &Report) -> HashMap<String, i32> {
    report.test_summary().map(|summary| summary.status_counts().clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_report_counts_what_its_files_hold() {
    let local = Local::start().await;
    let (a, b) = (junit(["passes", "fails", "skipped"]), junit(["errors", "works", "fails too"]));
    let build = local.build("web", "unit: {files: ['*.xml']}", &[("a.xml", &a), ("b.xml", &b)]).await;
    let arn = &build.reports[0].arn;
    let missing = format!("{ACCOUNT}:report/web-unit:none");
    let answer = local.client.batch_get_reports().report_arns(arn).report_arns(&missing).send().await.unwrap();
    assert_eq!(answer.reports_not_found(), [missing]);
    let [report] = answer.reports() else { panic!("{answer:?}") };
    assert_eq!(report.arn(), Some(arn.as_str()));
    assert_eq!(report.r#type(), Some(&ReportType::Test));
    assert_eq!(report.report_group_arn(), Some(format!("{ACCOUNT}:report-group/web-unit").as_str()));
    assert_eq!(report.execution_id(), Some(build.arn.as_str()));
    assert_eq!(report.status(), Some(&ReportStatusType::Failed));
    assert_eq!(report.truncated(), Some(false));
    let export = report.export_config().unwrap().export_config_type();
    assert_eq!(export, Some(&ReportExportConfigType::NoExport));
    let lifetime = report.expired().unwrap().secs() - report.created().unwrap().secs();
    assert_eq!(lifetime, 30 * 24 * 3600);
    let summary = report.test_summary().unwrap();
    assert_eq!((summary.total(), summary.duration_in_nano_seconds()), (6, 1_500_000_000));
    let expected = [("SUCCEEDED", 2), ("FAILED", 2), ("ERROR", 1), ("SKIPPED", 1), ("UNKNOWN", 0)];
    assert_eq!(counts(report), expected.map(|(status, count)| (status.to_owned(), count)).into());
    assert!(report.code_coverage_summary().is_none());
}

/// The format, the files, the status and the total.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], ReportStatusType, Option<i32>);

#[tokio::test]
async fn the_status_says_what_the_report_is_worth() {
    use ReportStatusType::{Failed, Incomplete, Succeeded};
    let passing = junit(["one", "skipped"]);
    let doubtful = r#"<testsuite name="x" tests="3"><testcase name="a"/></testsuite>"#;
    let cut = &passing[..passing.len() - 5];
    let cases: [Case<'_>; 10] = [
        ("JUNITXML", &[("r/a.xml", &passing)], Succeeded, Some(2)),
        ("junitxml", &[("r/a.xml", &passing), ("fail", "")], Succeeded, Some(2)),
        ("JUNITXML", &[("r/a.xml", &junit(["fails"]))], Failed, Some(1)),
        ("JUNITXML", &[("r/a.xml", &junit(["errors"]))], Failed, Some(1)),
        ("JUNITXML", &[("r/a.xml", &passing), ("r/b.xml", cut)], Incomplete, None),
        ("JUNITXML", &[("r/a.xml", &passing), ("r/b.xml", "")], Incomplete, None),
        ("JUNITXML", &[("r/a.xml", r#"<testsuite name="x"/>"#)], Incomplete, None),
        ("JUNITXML", &[("r/a.xml", doubtful)], Incomplete, Some(1)),
        ("NUNIT3XML", &[("r/a.xml", &passing)], Incomplete, None),
        ("JUNITXML", &[("elsewhere.xml", &passing)], Incomplete, None),
    ];
    for (format, files, status, total) in cases {
        let local = Local::start().await;
        let reports = format!("unit: {{base-directory: r, files: ['*.xml'], file-format: {format}}}");
        let build = local.build("web", &reports, files).await;
        let report = describe(&local, &build.reports[0].arn).await;
        assert_eq!(report.status(), Some(&status), "{format} {files:?}");
        assert_eq!(report.test_summary().map(|summary| summary.total()), total, "{format} {files:?}");
        let cases = local.client.describe_test_cases().report_arn(&build.reports[0].arn).send().await.unwrap();
        assert_eq!(i32::try_from(cases.test_cases().len()).unwrap(), total.unwrap_or_default(), "{format} {files:?}");
    }
}

#[tokio::test]
async fn every_test_format_of_codebuild_is_read() {
    let nunit3 = r#"<test-run id="1" testcasecount="2" result="Failed" total="2" passed="1" failed="1" skipped="0">
        <test-suite type="TestFixture" name="Login" fullname="Web.Login" testcasecount="2" result="Failed" total="2" passed="1" failed="1">
        <test-case id="2" name="Accepts" fullname="Web.Login.Accepts" result="Passed" duration="0.5"/>
        <test-case id="3" name="Rejects" fullname="Web.Login.Rejects" result="Failed" duration="0.5"><failure><message>expected 401</message></failure></test-case>
        </test-suite></test-run>"#;
    let testng = r#"<testng-results skipped="0" failed="1" total="2" passed="1"><suite name="s"><test name="t"><class name="web.Login">
        <test-method status="PASS" name="accepts" duration-ms="500"/><test-method status="FAIL" name="rejects" duration-ms="500">
        <exception class="E"><message>expected 401</message></exception></test-method></class></test></suite></testng-results>"#;
    let cucumber = r#"[{"id":"login","name":"Login","uri":"login.feature","keyword":"Feature","elements":[
        {"id":"login;accepts","name":"accepts","type":"scenario","keyword":"Scenario","steps":[{"name":"a","keyword":"Given ","result":{"status":"passed","duration":500000000}}]},
        {"id":"login;rejects","name":"rejects","type":"scenario","keyword":"Scenario","steps":[{"name":"b","keyword":"Given ","result":{"status":"failed","duration":500000000,"error_message":"expected 401"}}]}]}]"#;
    let trx = r#"<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
        <UnitTestResult testId="a" testName="Accepts" outcome="Passed" duration="00:00:00.5"/>
        <UnitTestResult testId="b" testName="Rejects" outcome="Failed" duration="00:00:00.5"/></Results>
        <ResultSummary outcome="Failed"><Counters total="2" executed="2" passed="1" failed="1"/></ResultSummary></TestRun>"#;
    let nunit2 = r#"<test-results name="web" total="2" errors="0" failures="1" not-run="0" inconclusive="0" ignored="0" skipped="0" invalid="0">
        <test-suite type="Assembly" name="web" executed="True" result="Failure" success="False"><results>
        <test-case name="Web.Login.Accepts" executed="True" result="Success" success="True" time="0.5"/>
        <test-case name="Web.Login.Rejects" executed="True" result="Failure" success="False" time="0.5"><failure><message>expected 401</message></failure></test-case>
        </results></test-suite></test-results>"#;
    let cases = [
        ("JUNITXML", junit(["accepts", "fails"])),
        ("NUNITXML", nunit2.to_owned()),
        ("NUNIT3XML", nunit3.to_owned()),
        ("TESTNGXML", testng.to_owned()),
        ("CUCUMBERJSON", cucumber.to_owned()),
        ("VISUALSTUDIOTRX", trx.to_owned()),
    ];
    for (format, content) in cases {
        let local = Local::start().await;
        let reports = format!("unit: {{files: [report], file-format: {format}}}");
        let build = local.build("web", &reports, &[("report", &content)]).await;
        let report = describe(&local, &build.reports[0].arn).await;
        assert_eq!(report.status(), Some(&ReportStatusType::Failed), "{format}");
        assert_eq!(report.test_summary().unwrap().total(), 2, "{format}");
        assert_eq!((counts(&report)["SUCCEEDED"], counts(&report)["FAILED"]), (1, 1), "{format}");
    }
}

#[tokio::test]
async fn a_report_is_generating_until_its_build_ends() {
    let local = Local::start().await;
    let passing = junit(["one"]);
    let files = [("a.xml", passing.as_str())];
    let finished = local.build_halfway("web", "unit: {files: [a.xml]}", &files).await;
    let stopped = local.build_halfway("web", "unit: {files: [a.xml]}", &files).await;
    let arns = [finished.record.reports[0].arn.clone(), stopped.record.reports[0].arn.clone()];
    for arn in &arns {
        let report = describe(&local, arn).await;
        assert_eq!(report.status(), Some(&ReportStatusType::Generating));
        assert!(report.test_summary().is_none());
        let cases = local.client.describe_test_cases().report_arn(arn).send().await.unwrap();
        assert_eq!(cases.test_cases(), []);
    }
    finished.finish().await;
    stopped.stop().await;
    assert_eq!(describe(&local, &arns[0]).await.status(), Some(&ReportStatusType::Succeeded));
    assert_eq!(describe(&local, &arns[1]).await.status(), Some(&ReportStatusType::Incomplete));
}

#[tokio::test]
async fn reports_and_groups_are_listed_in_pages() {
    let local = Local::start().await;
    let (good, bad) = (junit(["one"]), junit(["fails"]));
    let declared = "unit: {files: [a.xml]}, api: {files: [b.xml]}";
    let (mut unit, mut failed) = (Vec::new(), Vec::new());
    for files in [
        [("a.xml", &*good), ("b.xml", &*bad)],
        [("a.xml", &bad), ("b.xml", &good)],
        [("a.xml", &good), ("b.xml", &good)],
    ] {
        let build = local.build("web", declared, &files).await;
        // In the order of their names: api, unit.
        let [api_arn, unit_arn] = [0, 1].map(|index| build.reports[index].arn.clone());
        failed.extend((files[1].1 == bad).then_some(api_arn));
        failed.extend((files[0].1 == bad).then_some(unit_arn.clone()));
        unit.push(unit_arn);
    }
    let client = &local.client;
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let page = client.list_reports().max_results(4).set_next_token(token).send().await.unwrap();
        all.extend(page.reports().to_vec());
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
        assert_eq!(page.reports().len(), 4);
    }
    assert_eq!((all.len(), &all[0]), (6, &unit[2]));
    let filter = |status| ReportFilter::builder().status(status).build();
    let order = SortOrderType::Ascending;
    let only_failed = client.list_reports().filter(filter(ReportStatusType::Failed)).sort_order(order.clone());
    assert_eq!(only_failed.send().await.unwrap().reports(), failed);
    let none = client.list_reports().filter(filter(ReportStatusType::Generating)).send().await.unwrap();
    assert!(none.reports().is_empty());

    let group = format!("{ACCOUNT}:report-group/web-unit");
    let of_group = client.list_reports_for_report_group().report_group_arn(&group).sort_order(order.clone());
    assert_eq!(of_group.send().await.unwrap().reports(), unit);
    let groups = client.list_report_groups().sort_by(ReportGroupSortByType::Name).sort_order(order).send().await;
    let groups = groups.unwrap().report_groups().to_vec();
    assert_eq!(groups, [format!("{ACCOUNT}:report-group/web-api"), group.clone()]);
    let missing = format!("{ACCOUNT}:report-group/none");
    let answer = client.batch_get_report_groups().report_group_arns(&group).report_group_arns(&missing).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.report_groups_not_found(), [missing]);
    let described = &answer.report_groups()[0];
    assert_eq!((described.arn(), described.name()), (Some(group.as_str()), Some("web-unit")));
    assert_eq!(described.r#type(), Some(&ReportType::Test));
}
