//! The same evidence gives the same verdict through every door: an action, a rule for the entry into a stage, and a custom
//! action's job. (The automatic answer to an approval is
//! compared with them in the tests of the command.)

use serde_json::{Value, json};
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_verdict::{Outcome, Verdict};

use crate::world::{Ended, World, changing, parameters};

const KEYS: &str =
    "alarms: {names: [web-5xx]}\nsampling: {every: 30s, green_for: 1m, failure_limit: 0, give_up_after: 20m}";

/// What must be the same: all but times and ids.
fn essence(verdict: &Verdict) -> Vec<(String, Outcome, Option<String>)> {
    let findings = verdict.findings().iter();
    findings
        .filter(|finding| finding.rule != "sampling")
        .map(|finding| (finding.message.clone(), finding.outcome, finding.limit.clone()))
        .collect()
}

#[tokio::test]
async fn action_rule_and_custom_action_give_the_same_verdict() {
    for (state, status, outcome) in
        [("OK", ExecutionStatus::Succeeded, Outcome::Passed), ("ALARM", ExecutionStatus::Failed, Outcome::Failed)]
    {
        let mut verdicts: Vec<Ended> = Vec::new();
        for door in ["action", "rule", "custom"] {
            // A custom action's job says itself where it belongs to, and its parameters only name the gate.
            let change = move |mut event: Value| {
                if door == "custom" {
                    let data = &mut event["CodePipeline.job"]["data"];
                    let given =
                        data["actionConfiguration"]["configuration"]["UserParameters"].as_str().unwrap_or_default();
                    let given: Value = serde_json::from_str(given).unwrap_or_default();
                    let context = json!({"pipelineName": "web", "stage": {"name": "Production"}, "pipelineExecutionId": given["execution"]});
                    data["pipelineContext"] = context;
                    data["actionConfiguration"]["configuration"] = json!({"UserParameters": "{\"gate\":\"web\"}"});
                }
                event
            };
            let world = World::new(KEYS, &[], changing(change)).await;
            world.alarm("web-5xx", state);
            let id = match door {
                "rule" => world.start_with_rule(&parameters()).await,
                _ => world.start(&parameters()).await,
            };
            let ended = world.end(&id).await;
            assert_eq!(ended.status, status, "{door} {state}: {ended:?}");
            let verdict = ended.verdict.as_ref().unwrap_or_else(|| panic!("{door} {state}: {ended:?}"));
            assert_eq!(verdict.outcome(), outcome, "{door} {state}");
            assert_eq!((verdict.pipeline(), verdict.execution()), (Some("web"), Some(ended.id.as_str())));
            verdicts.push(ended);
            world.aws.shutdown().await;
        }
        let essences: Vec<_> = verdicts.iter().filter_map(|ended| ended.verdict.as_ref()).map(essence).collect();
        assert!(essences.windows(2).all(|pair| pair[0] == pair[1]), "{essences:?}");
    }
}
