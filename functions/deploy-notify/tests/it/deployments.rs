//! Whether the thread of a pipeline tells of a deployment, or a route of the application.

use serde_json::{Value, json};

use crate::recorded::event;
use crate::world::{ONCALL, RELEASES, World};

const CHANNELS: &str = "channels: {releases: {slack: C0001}, oncall: {slack: C0002}}";
const APPLICATION: &str = "{application: web, on: [failed], channel: oncall, thread: false}";

/// An event of the action that deploys: it ends, with the id of its deployment.
fn action() -> Value {
    let mut event = event("action-failed");
    event["detail"]["type"] = json!({"owner": "AWS", "provider": "CodeDeploy", "category": "Deploy", "version": "1"});
    event["detail"]["execution-result"]["external-execution-id"] = json!("d-123456789");
    event
}

/// A deployment is told of once: in the thread of its pipeline, where a route tells of that, else by itself. That the
/// pipeline is measured tells nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_told_of_once() {
    let world = World::new().await;
    let measured = "delivery: [{pipeline: web, production: Deploy}]";
    let pipeline = "{pipeline: web, on: [failed], channel: releases}";
    for (name, config, expected) in [
        ("alone", format!("{CHANNELS}\nnotifications: [{APPLICATION}]"), (0, 1)),
        ("measured", format!("{CHANNELS}\n{measured}\nnotifications: [{APPLICATION}]"), (0, 1)),
        ("told", format!("{CHANNELS}\n{measured}\nnotifications: [{APPLICATION}, {pipeline}]"), (2, 0)),
    ] {
        let case = world.case(name, &config).await;
        case.hear(&action(), "action", 0).await;
        case.hear(&event("deployment-failure"), "deployment", 0).await;
        // CodeDeploy does not know it here; what the event says is told all the same.
        assert_eq!((case.shown(RELEASES).len(), case.shown(ONCALL).len()), expected, "{name}");
    }
}
