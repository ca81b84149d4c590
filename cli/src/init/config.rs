//! The starter `stagegate.yaml`: what is strict from the first day, with the rest beside it to be switched on.

use std::fmt::Write as _;

use serde_json::Value;

use super::definition::Definition;
use super::plan::Plan;

/// The text of the file.
pub(crate) fn stagegate_yaml(definition: &Definition, plan: &Plan) -> String {
    let mut yaml = String::from(
        "# yaml-language-server: $schema=stagegate.schema.json\n#\n\
         # What a release must show before it may go on. Put this file to infra/config/stagegate.yaml and deploy it with the\n\
         # functions; `stagegate check` says what is wrong with it before that. Every key is in docs/stagegate-yaml.md.\n",
    );
    if !plan.approvals.is_empty() {
        approvals(definition, plan, &mut yaml);
    }
    let gates = [tests(plan), smoke(definition, plan), release(plan)];
    let gates: Vec<String> = gates.into_iter().flatten().collect();
    if !gates.is_empty() {
        let _ = write!(yaml, "\ngates:\n{}", gates.join("\n"));
    }
    yaml
}

fn approvals(definition: &Definition, plan: &Plan, yaml: &mut String) {
    yaml.push_str(
        "\nchannels:\n  \
         # The id of the Slack channel in which people decide; the app must be a member of it. In Slack: the channel's name,\n  \
         # then \"About\", at the end.\n  \
         releases: {slack: C0123456789}\n\napprovals:\n",
    );
    let pipeline = if definition.is_name_certain { quoted(&plan.pipeline) } else { "\"*\"".to_owned() };
    for (stage, action) in &plan.approvals {
        if !definition.is_name_certain {
            yaml.push_str("  # The template gives the pipeline its name by an expression: write the name here.\n");
        }
        let (stage, action) = (quoted(stage), quoted(action));
        let _ = write!(
            yaml,
            "  - pipeline: {pipeline}\n    stage: {stage}\n    action: {action}\n    channel: releases\n    \
             # Slack ids of people and of user groups. Nobody else can decide.\n    \
             approvers: {{users: [U0123456789]}}\n    \
             # quorum: 2                   # how many people must approve\n    \
             # author_may_approve: false   # whoever has written the change may not approve it\n    \
             # remind_every: 1h\n    \
             # reject_after: 8h\n",
        );
    }
}

fn tests(plan: &Plan) -> Option<String> {
    let tests = plan.tests.as_ref()?;
    Some(format!(
        "  # The tests of the action {}.\n  {}:\n    tests:\n      \
         # Files in the artifact, of 21 formats, recognised by what is in them. A pattern that matches no file fails the gate.\n      \
         reports: [\"**/TEST-*.xml\"]\n      \
         # Set it a little under what you have: fewer tests, and somebody has lost some.\n      \
         min_total: 1\n      \
         max_failed: 0\n      \
         # max_flaky: 3               # tests that passed only on a rerun\n      \
         # max_skipped: 5\n    \
         # coverage: {{reports: [\"**/lcov.info\"], min_line: 80, max_drop: 0.5}}\n    \
         # sarif: {{reports: [\"**/*.sarif\"], max_error: 0}}\n",
        tests.action,
        quoted(&plan.gate("tests")),
    ))
}

fn smoke(definition: &Definition, plan: &Plan) -> Option<String> {
    let smoke = plan.smoke.as_ref()?;
    Some(format!(
        "  # What was deployed in the stage {}.\n  {}:\n    \
         # Files of https://hurl.dev in the artifact; smoke/home.hurl is the first one.\n    \
         hurl: [\"smoke/*.hurl\"]\n    \
         # Where the deployment answers. An action can say it as well, in its UserParameters.\n    \
         variables: {{base: \"https://staging.example.com\"}}\n    \
         retry: {{attempts: 3, backoff: 1s, budget: 1m}}\n    \
         # steady: {{every: 30s, green_for: 3m, give_up_after: 20m}}\n",
        definition.stages[smoke.stage].name,
        quoted(&plan.gate("smoke")),
    ))
}

fn release(plan: &Plan) -> Option<String> {
    plan.release.as_ref()?;
    let smoke_is_before =
        plan.smoke.as_ref().map(|smoke| smoke.stage) < plan.release.as_ref().map(|release| release.stage);
    let before = [
        plan.tests.as_ref().map(|_| plan.gate("tests")),
        plan.smoke.as_ref().filter(|_| smoke_is_before).map(|_| plan.gate("smoke")),
    ];
    let before: Vec<String> = before.into_iter().flatten().map(|gate| quoted(&gate)).collect();
    let verdicts = match before.as_slice() {
        [] => String::new(),
        gates => format!("    # Gates that must have passed this execution.\n    verdicts: [{}]\n", gates.join(", ")),
    };
    Some(format!(
        "  # Whether a release may go on to production.\n  {}:\n    \
         # By the clock on the wall, summer and winter.\n    \
         windows: [{{days: [mon, tue, wed, thu], from: \"09:00\", to: \"16:00\", zone: Europe/Berlin}}]\n{verdicts}    \
         # What it says where a condition does not hold: fail, or ask a person.\n    \
         otherwise: fail\n    \
         # alarms: {{names: [web-5xx], ok_for: 10m}}\n",
        quoted(&plan.gate("release")),
    ))
}

/// A text for YAML: JSON's quotes are YAML's.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
