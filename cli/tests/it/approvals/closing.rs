//! It ends without the people in Slack.

use serde_json::json;

use super::world::{ADA, ANYBODY, RELEASES, World};

pub(crate) async fn token(world: &World) -> String {
    loop {
        let state = world.call("GetPipelineState", json!({"name": "web"})).await;
        if let Some(token) = state["stageStates"][1]["actionStates"][0]["latestExecution"]["token"].as_str() {
            return token.to_owned();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_by_the_api_closes_the_message() {
    let world = World::new(ANYBODY).await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    let answer = json!({
        "pipelineName": "web", "stageName": "Production", "actionName": "Approve", "token": token(&world).await,
        "result": {"status": "Approved", "summary": "seen it"},
    });
    world.call("PutApprovalResult", answer).await;
    assert_eq!(world.status(&id).await, "Succeeded");
    let over = world.message(RELEASES, "in the console or by the API").await;
    assert!(over.ts == request.ts && over.buttons().is_empty() && over.says("seen it"), "{over:?}");
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_execution_closes_the_message() {
    let world = World::new(ANYBODY).await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    let stop = json!({"pipelineName": "web", "pipelineExecutionId": id, "abandon": true, "reason": "no more"});
    world.call("StopPipelineExecution", stop).await;
    let over = world.message(RELEASES, "The execution was stopped").await;
    assert!(over.ts == request.ts && over.buttons().is_empty());
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 0);
}

/// An execution that waits in front of the stage is superseded by a newer one: nobody is asked about it, and the approval of
/// the one in the stage goes on. (CodePipeline supersedes executions between stages only.)
#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_execution_asks_nobody_and_disturbs_no_other() {
    let world = World::new(ANYBODY).await;
    let first = world.start("SUPERSEDED", json!({})).await;
    let request = world.request().await;
    let second = world.start_again().await;
    let waits = || async {
        let state = world.call("GetPipelineState", json!({"name": "web"})).await;
        state["stageStates"][1]["inboundExecutions"][0]["pipelineExecutionId"].clone()
    };
    while waits().await != json!(second) {
        tokio::task::yield_now().await;
    }
    let third = world.start_again().await;
    assert_eq!(world.status(&second).await, "Superseded");
    let untouched = world.message(RELEASES, "Release web to Production?").await;
    assert!(untouched.ts == request.ts && !untouched.buttons().is_empty());
    world.vote(ADA, &request, "approve", "").await;
    assert_eq!(world.status(&first).await, "Succeeded");
    let next = world.message_that(RELEASES, "Release web to Production?", |message| message.says(&third)).await;
    world.vote(ADA, &next, "approve", "").await;
    assert_eq!(world.status(&third).await, "Succeeded");
    world.check_over().await;
    assert_eq!((world.calls("PutApprovalResult"), world.documents("approvals").len()), (2, 2));
    assert!(!world.said(RELEASES).contains(&second), "{}", world.said(RELEASES));
}

/// Somebody clicks when it is over and their message still has its buttons.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_changes_nothing() {
    let world = World::new(ANYBODY).await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    world.click(ADA, &request, "approve").await;
    let answer = json!({
        "pipelineName": "web", "stageName": "Production", "actionName": "Approve", "token": token(&world).await,
        "result": {"status": "Rejected", "summary": "no"},
    });
    world.call("PutApprovalResult", answer).await;
    assert_eq!(world.status(&id).await, "Failed");
    world.message(RELEASES, "in the console or by the API").await;
    // The modal was open all the time.
    assert!(world.slack.submit(ADA, &[]).await.unwrap().is_acknowledged());
    world.message_that(RELEASES, "This approval is over", |message| message.only_for.as_deref() == Some(ADA)).await;
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 0);
}
