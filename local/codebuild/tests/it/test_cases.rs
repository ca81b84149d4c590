//! DescribeTestCases.

use aws_sdk_codebuild::types::{TestCase, TestCaseFilter};

use crate::support::{Local, junit};

async fn all_cases(local: &Local, arn: &str) -> Vec<TestCase> {
    let pages = local.client.describe_test_cases().report_arn(arn).into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.unwrap()
}

#[tokio::test]
async fn a_test_case_says_what_is_known_of_it() {
    let local = Local::start().await;
    let report = junit(["passes", "fails"]);
    let build = local.build("web", "unit: {files: ['**/*.xml']}", &[("deep/a.xml", &report)]).await;
    let arn = &build.reports[0].arn;
    let cases = all_cases(&local, arn).await;
    let [passed, failed] = &cases[..] else { panic!("{cases:?}") };
    assert_eq!(failed.report_arn(), Some(arn.as_str()));
    assert_eq!(failed.name(), Some("fails"));
    assert_eq!(failed.prefix(), Some("web.Login"));
    assert_eq!(failed.test_suite_name(), Some("login"));
    assert_eq!(failed.status(), Some("FAILED"));
    assert_eq!(failed.duration_in_nano_seconds(), Some(250_000_000));
    assert_eq!(failed.test_raw_data_path(), Some("deep/a.xml"));
    assert!(failed.message().is_some_and(|message| message.contains("expected 401")), "{failed:?}");
    assert!(failed.expired().is_some());
    assert_eq!((passed.status(), passed.message()), (Some("SUCCEEDED"), None));
}

#[tokio::test]
async fn five_hundred_cases_are_kept_failed_ones_first() {
    for (passing, failing, truncated) in [(498, 2, false), (499, 2, true), (600, 30, true), (10, 700, true)] {
        let local = Local::start().await;
        let names = (0..passing).map(|n| format!("t{n}")).chain((0..failing).map(|n| format!("fail{n}")));
        let report = junit(names);
        let build = local.build("web", "unit: {files: [a.xml]}", &[("a.xml", &report)]).await;
        let arn = &build.reports[0].arn;
        let answer = local.client.batch_get_reports().report_arns(arn).send().await.unwrap();
        let report = &answer.reports()[0];
        assert_eq!(report.truncated(), Some(truncated));
        let summary = report.test_summary().unwrap();
        assert_eq!((summary.total(), summary.status_counts()["FAILED"]), (passing + failing, failing));
        let cases = all_cases(&local, arn).await;
        assert_eq!(cases.len(), 500);
        let failed = cases.iter().filter(|case| case.status() == Some("FAILED")).count();
        assert_eq!(failed, usize::try_from(failing.min(500)).unwrap());
        let first = if truncated { "fail0" } else { "t0" };
        assert_eq!(cases[0].name(), Some(first));
        assert!(!truncated || cases[..failed].iter().all(|case| case.status() == Some("FAILED")));
    }
}

#[tokio::test]
async fn cases_come_in_pages_and_by_filter() {
    let local = Local::start().await;
    let names: Vec<_> = (0..250).map(|n| if n % 10 == 0 { format!("fail{n}") } else { format!("t{n}") }).collect();
    let report = junit(&names);
    let build = local.build("web", "unit: {files: [a.xml]}", &[("a.xml", &report)]).await;
    let describe = || local.client.describe_test_cases().report_arn(&build.reports[0].arn);
    let first = describe().send().await.unwrap();
    assert_eq!(first.test_cases().len(), 100);
    let second = describe().max_results(7).set_next_token(first.next_token().map(str::to_owned)).send().await.unwrap();
    let found: Vec<_> = second.test_cases().iter().filter_map(TestCase::name).collect();
    assert_eq!(found, names[100..107]);
    let cases = [
        (Some("FAILED"), None, 25),
        (Some("SKIPPED"), None, 0),
        (None, Some("t24"), 10),
        (None, Some("web.Log"), 250),
        (Some("FAILED"), Some("fail1"), 11),
        (None, Some("nowhere"), 0),
    ];
    for (status, keyword, expected) in cases {
        let filter = TestCaseFilter::builder().set_status(status.map(str::to_owned));
        let filter = filter.set_keyword(keyword.map(str::to_owned)).build();
        let pages = describe().filter(filter).max_results(4).into_paginator().items().send();
        let found = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(found.len(), expected, "{status:?} {keyword:?}");
    }
}
