//! Code coverage reports.

use aws_sdk_codebuild::types::{
    CodeCoverage, ReportCodeCoverageSortByType, ReportStatusType, ReportType, SortOrderType,
};

use crate::support::Local;

const COBERTURA: &str = r#"<coverage line-rate="0.5" branch-rate="0.5" lines-covered="4" lines-valid="8" branches-covered="1" branches-valid="2" version="1" timestamp="1"><packages><package name="p"><classes>
<class name="A" filename="src/a.rs"><lines><line number="1" hits="1"/><line number="2" hits="3"/><line number="3" hits="0"/><line number="4" hits="1" branch="true" condition-coverage="50% (1/2)"/></lines></class>
<class name="B" filename="src/b.rs"><lines><line number="1" hits="0"/><line number="2" hits="0"/><line number="3" hits="0"/></lines></class>
<class name="C" filename="src/c.rs"><lines><line number="1" hits="1"/></lines></class>
</classes></package></packages></coverage>"#;

fn paths(files: &[CodeCoverage]) -> Vec<&str> {
    files.iter().filter_map(CodeCoverage::file_path).collect()
}

#[tokio::test]
async fn files_have_lines_and_branches() {
    let local = Local::start().await;
    let declared = "lines: {files: [c.xml], file-format: COBERTURAXML}";
    let build = local.build("web", declared, &[("c.xml", COBERTURA)]).await;
    let arn = &build.reports[0].arn;
    let answer = local.client.batch_get_reports().report_arns(arn).send().await.unwrap();
    let report = &answer.reports()[0];
    assert_eq!(report.r#type(), Some(&ReportType::CodeCoverage));
    assert_eq!(report.status(), Some(&ReportStatusType::Succeeded));
    assert!(report.test_summary().is_none());
    let summary = report.code_coverage_summary().unwrap();
    assert_eq!((summary.lines_covered(), summary.lines_missed()), (Some(4), Some(4)));
    assert_eq!((summary.branches_covered(), summary.branches_missed()), (Some(1), Some(1)));
    assert_eq!(summary.line_coverage_percentage(), Some(50.0));

    let describe = || local.client.describe_code_coverages().report_arn(arn);
    let answer = describe().send().await.unwrap();
    assert_eq!(paths(answer.code_coverages()), ["src/a.rs", "src/b.rs", "src/c.rs"]);
    let file = &answer.code_coverages()[0];
    assert_eq!(file.report_arn(), Some(arn.as_str()));
    assert!(file.id().is_some_and(|id| !id.is_empty()) && file.expired().is_some());
    assert_eq!((file.lines_covered(), file.lines_missed()), (Some(3), Some(1)));
    assert_eq!(file.line_coverage_percentage(), Some(75.0));
    assert_eq!(
        (file.branch_coverage_percentage(), answer.code_coverages()[1].branch_coverage_percentage()),
        (Some(50.0), None)
    );

    let by_lines = describe().sort_by(ReportCodeCoverageSortByType::LineCoveragePercentage);
    let best_first = by_lines.clone().sort_order(SortOrderType::Descending).send().await.unwrap();
    assert_eq!(paths(best_first.code_coverages()), ["src/c.rs", "src/a.rs", "src/b.rs"]);
    let cases = [
        (Some(75.0), None, vec!["src/a.rs", "src/c.rs"]),
        (None, Some(74.9), vec!["src/b.rs"]),
        (Some(0.5), Some(99.5), vec!["src/a.rs"]),
    ];
    for (least, most, expected) in cases {
        let found = describe()
            .set_min_line_coverage_percentage(least)
            .set_max_line_coverage_percentage(most)
            .send()
            .await
            .unwrap();
        assert_eq!(paths(found.code_coverages()), expected, "{least:?} {most:?}");
    }
    let pages = by_lines.max_results(1).into_paginator().items().send();
    let worst_first = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
    assert_eq!(paths(&worst_first), ["src/b.rs", "src/a.rs", "src/c.rs"]);
}

#[tokio::test]
async fn coverage_that_cannot_be_read_is_incomplete() {
    let cut = &COBERTURA[..COBERTURA.len() - 30];
    let lying = COBERTURA.replace(r#"lines-covered="4""#, r#"lines-covered="8""#);
    for (format, content) in
        [("COBERTURAXML", cut), ("COBERTURAXML", &lying), ("JACOCOXML", COBERTURA), ("SIMPLECOV", "{")]
    {
        let local = Local::start().await;
        let declared = format!("lines: {{files: [c.xml], file-format: {format}}}");
        let build = local.build("web", &declared, &[("c.xml", content)]).await;
        let answer = local.client.batch_get_reports().report_arns(&build.reports[0].arn).send().await.unwrap();
        assert_eq!(answer.reports()[0].status(), Some(&ReportStatusType::Incomplete), "{format}");
    }
}
