//! Report groups, which come into being with their first report.

use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{Page, epoch_seconds, page};

use crate::reports::{check_arn, report_type};
use crate::{CodeBuild, SERVICE, found_and_missing, is_ascending, texts};

struct ReportGroup {
    arn: String,
    name: String,
    report_type: &'static str,
    created: Timestamp,
}

impl CodeBuild {
    /// All report groups, in the order in which they were made.
    fn report_groups(&self) -> Vec<ReportGroup> {
        let mut groups: Vec<ReportGroup> = Vec::new();
        for record in self.builds.list().into_iter().flat_map(|build| build.reports) {
            match groups.iter_mut().find(|group| group.arn == record.report_group_arn) {
                Some(group) => group.created = group.created.min(record.created),
                None => groups.push(ReportGroup {
                    report_type: report_type(&record),
                    arn: record.report_group_arn,
                    name: record.report_group,
                    created: record.created,
                }),
            }
        }
        groups.sort_by_key(|group| group.created);
        groups
    }

    pub(crate) fn batch_get_report_groups(&self, input: &Value) -> Result<Value, ApiError> {
        texts(input, "reportGroupArns").try_for_each(|arn| check_arn(arn, "report-group"))?;
        let groups = self.report_groups();
        let find = |arn: &str| groups.iter().find(|group| group.arn == arn).map(describe);
        let (found, missing) = found_and_missing(texts(input, "reportGroupArns"), find);
        Ok(json!({"reportGroups": found, "reportGroupsNotFound": missing}))
    }

    pub(crate) fn list_report_groups(&self, input: &Value) -> Result<Value, ApiError> {
        let mut groups = self.report_groups();
        // Nothing changes a local report group after it was made, so that the two times are one.
        if input["sortBy"] == "NAME" {
            groups.sort_by(|one, other| one.name.cmp(&other.name));
        }
        if !is_ascending(input, true) {
            groups.reverse();
        }
        let arns = groups.into_iter().map(|group| (group.arn.clone(), group.arn.into()));
        let request = Page { operation: "ListReportGroups", output: "reportGroups", default_size: 100 };
        page(&SERVICE, &request, input, arns)
    }
}

/// A `ReportGroup` of the AWS model.
fn describe(group: &ReportGroup) -> Value {
    json!({
        "arn": group.arn,
        "name": group.name,
        "type": group.report_type,
        "exportConfig": {"exportConfigType": "NO_EXPORT"},
        "created": epoch_seconds(group.created),
        "lastModified": epoch_seconds(group.created),
        "tags": [],
        "status": "ACTIVE",
    })
}
