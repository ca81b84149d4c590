//! What could not be found out when an approval was opened, or when somebody clicked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use stagegate_local_aws::{Arrival, Options};
use stagegate_local_faults::{ApiCall, CallFault, CallFaults, Refusal};

use super::world::{ADA, ANYBODY, BEN, CORA, DAN, RELEASES, World};

/// Operations of CodePipeline that nobody may call for a while.
struct Outage {
    operations: &'static [&'static str],
    is_over: AtomicBool,
}

impl Outage {
    fn of(operations: &'static [&'static str]) -> Arc<Self> {
        Arc::new(Self { operations, is_over: AtomicBool::new(false) })
    }
}

impl CallFaults for Outage {
    fn call(&self, call: &ApiCall<'_>) -> CallFault {
        let is_out = self.operations.contains(&call.operation) && !self.is_over.load(Ordering::SeqCst);
        if is_out { CallFault::Refuse(Refusal::of_status(403)) } else { CallFault::None }
    }
}

/// Until CodePipeline has said who started it and who wrote it, nobody may approve where authors may not; then everybody
/// else may.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_is_read_again() {
    for operations in [&["GetPipelineExecution"][..], &["ListActionExecutions"][..]] {
        let outage = Outage::of(operations);
        let faults = outage.clone();
        let terms = format!("{ANYBODY}\nauthor_may_approve: false");
        let world = World::with(&terms, |options| Options { call_faults: Some(faults), ..options }).await;
        let id = world.start("QUEUED", json!({})).await;
        let request = world.request().await;
        let why = "CodePipeline has not said yet who wrote this change and who started its release";
        world.refused(BEN, &request, "approve", why).await;
        outage.is_over.store(true, Ordering::SeqCst);
        let knows = || world.documents("approvals").iter().any(|it| it["document"]["release"]["is_read"] == true);
        world.until_in_time("the evidence", knows).await;
        world.refused(ADA, &request, "approve", "you wrote this change").await;
        world.vote(BEN, &request, "approve", "").await;
        assert_eq!(world.status(&id).await, "Succeeded", "{operations:?}");
        world.check_over().await;
    }
}

/// In the PARALLEL mode a pipeline has no state that says what waits. That the execution is not known yet ends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_whose_execution_is_not_known_yet_stays_open() {
    let outage = Outage::of(&["ListActionExecutions"]);
    let faults = outage.clone();
    let lossy = |options| Options {
        call_faults: Some(faults),
        delivery_fault: Some(Arc::new(|sent| match sent.payload.contains("State Change") {
            true => Vec::new(),
            false => vec![Arrival::Now],
        })),
        ..options
    };
    let world = World::with(ANYBODY, lossy).await;
    let topic = world.aws.bus().topics().into_iter().find(|arn| arn.ends_with("stagegate-approvals")).unwrap();
    let id = world.start("PARALLEL", json!({"configuration": {"NotificationArn": topic}})).await;
    let request = world.request().await;
    let asked = world.calls("ListActionExecutions");
    let looks = || world.calls("ListActionExecutions") >= asked + 3;
    world.until_in_time("three rounds", looks).await;
    outage.is_over.store(true, Ordering::SeqCst);
    let knows = || world.documents("approvals").iter().any(|it| it["document"]["execution"] == id.as_str());
    world.until_in_time("the execution", knows).await;
    world.vote(CORA, &request, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.check_over().await;
}

/// A group that is gone keeps nobody in the other groups from deciding, and whoever is in none of them hears why.
#[tokio::test(flavor = "multi_thread")]
async fn one_group_that_is_gone_keeps_nobody_from_deciding() {
    let world = World::new("approvers: {groups: [S0000, S0001]}").await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    let why = "Slack does not say who is in the groups of its approvers";
    world.refused(DAN, &request, "approve", why).await;
    world.vote(BEN, &request, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.check_over().await;
}

/// Where CodePipeline does not take the answer, people are told why, and when it does, that it has.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_taken_is_told() {
    let outage = Outage::of(&["PutApprovalResult"]);
    let faults = outage.clone();
    let world = World::with(ANYBODY, |options| Options { call_faults: Some(faults), ..options }).await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    world.vote(BEN, &request, "approve", "").await;
    let told = world.message_in_time(RELEASES, "CodePipeline does not take the answer: failed to answer").await;
    assert!(told.says("Decided, and not taken yet: web") && told.buttons().is_empty(), "{told:?}");
    outage.is_over.store(true, Ordering::SeqCst);
    assert_eq!(world.status_in_time(&id).await, "Succeeded");
    world.message_in_time(RELEASES, "Approved: web to Production").await;
    world.check_over().await;
}
