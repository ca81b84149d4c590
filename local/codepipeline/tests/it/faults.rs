//! Faults: what the official client of AWS makes of a spoiled endpoint, and what becomes of events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::events::Events;
use stagegate_local_codepipeline::faults::{CallFault, EventFault, FaultPlan, Faults, Refusal, When};
use tokio::sync::mpsc;

use crate::harness::{NAME, pipeline};
use crate::shell::{Functions, Told, builder, create, start};
use crate::wire::{code, endpoint_with};

const GATED: &str = "SUPERSEDED Source: Source | Gate: Check*lambda";
const STAGE_CHANGE: &str = "CodePipeline Stage Execution State Change";

#[tokio::test]
async fn a_client_goes_on_after_faults_that_pass() {
    let passing = [
        CallFault::Refuse(Refusal::of_status(500)),
        CallFault::Refuse(Refusal::of_status(503)),
        CallFault::Refuse(Refusal::of_status(429)),
        CallFault::Refuse(Refusal::of_status(400)),
        CallFault::CutOff,
        CallFault::Slow(Duration::from_millis(50)),
    ];
    for fault in passing {
        let plan = Arc::new(FaultPlan::seeded(1).on_call("ListPipelines", When::First(1), fault.clone()));
        let endpoint = endpoint_with(|builder| builder.faults(plan.clone())).await;
        let begun = Instant::now();
        let listed =
            endpoint.client.list_pipelines().send().await.unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!(listed.pipelines(), []);
        assert_eq!(plan.met().len(), 1, "{fault:?}");
        let slow = matches!(fault, CallFault::Slow(_));
        assert!(!slow || begun.elapsed() >= Duration::from_millis(50));
    }
}

#[tokio::test]
async fn a_client_is_told_of_faults_that_stay() {
    for (status, expected) in
        [(403, "AccessDeniedException"), (404, "ResourceNotFoundException"), (500, "InternalFailure")]
    {
        let fault = CallFault::Refuse(Refusal::of_status(status));
        let plan = FaultPlan::seeded(1).on_call("*", When::Always, fault);
        let endpoint = endpoint_with(|builder| builder.faults(Arc::new(plan))).await;
        let error = endpoint.client.list_pipelines().send().await;
        assert_eq!(error.as_ref().unwrap_err().raw_response().unwrap().status().as_u16(), status);
        assert_eq!(code(error), expected);
        // In the process itself nothing is spoiled.
        endpoint.codepipeline.call("ListPipelines", json!({})).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_was_given() {
    for fault in [CallFault::CutOffAfterwards, CallFault::LoseAnswer(Refusal::of_status(500))] {
        let plan = FaultPlan::seeded(1).on_call("PutJobSuccessResult", When::First(1), fault.clone());
        let mut endpoint = endpoint_with(|builder| builder.faults(Arc::new(plan))).await;
        create(&endpoint.codepipeline, &pipeline(GATED)).await;
        let id = start(&endpoint.codepipeline).await;
        let job = endpoint.job().await;
        // The client repeats the call, and learns that the job has its answer.
        let put = endpoint.client.put_job_success_result().job_id(job["id"].as_str().unwrap()).send().await;
        assert_eq!(code(put), "InvalidJobStateException", "{fault:?}");
        let ended = endpoint.codepipeline.wait_for_execution(NAME, &id).await.unwrap();
        assert_eq!(ended.as_str(), "Succeeded");
    }
}

/// Runs an execution of two stages and gives the events that came, as `Kind STATE`.
async fn told(plan: FaultPlan, expected: usize) -> Vec<String> {
    told_by(&Clock::scaled(1000.0), plan, &[expected]).await
}

/// How long an event is late.
const LATE: Duration = Duration::from_secs(1000);

/// The same by a clock that is moved by `LATE` each time that as many events have come.
async fn told_by(clock: &Clock, plan: FaultPlan, counts: &[usize]) -> Vec<String> {
    let (sender, mut jobs) = mpsc::unbounded_channel();
    let told = Arc::new(Told::default());
    let codepipeline = builder(clock.clone(), &Arc::default())
        .lambda(Arc::new(Functions(sender)))
        .events(Arc::clone(&told) as Arc<dyn Events>)
        .faults(Arc::new(plan))
        .start();
    create(&codepipeline, &pipeline(GATED)).await;
    start(&codepipeline).await;
    let job: Value = jobs.recv().await.unwrap();
    codepipeline.call("PutJobSuccessResult", json!({"jobId": job["CodePipeline.job"]["id"]})).await.unwrap();
    let all = async {
        for count in counts {
            while told.events.lock().unwrap().len() < *count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            clock.advance(LATE);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("the events come");
    let events = told.events.lock().unwrap();
    let shown = events.iter().map(|event| {
        let kind = event["detail-type"].as_str().unwrap().split(' ').nth(1).unwrap();
        format!("{kind} {}", event["detail"]["state"].as_str().unwrap())
    });
    shown.collect()
}

#[tokio::test]
async fn events_are_lost_doubled_late_and_out_of_order() {
    let all = [
        "Pipeline STARTED",
        "Stage STARTED",
        "Action STARTED",
        "Action SUCCEEDED",
        "Stage SUCCEEDED",
        "Stage STARTED",
        "Action STARTED",
        "Action SUCCEEDED",
        "Stage SUCCEEDED",
        "Pipeline SUCCEEDED",
    ];
    assert_eq!(told(FaultPlan::seeded(1), 10).await, all);
    let first = |fault| FaultPlan::seeded(1).on_event(STAGE_CHANGE, When::First(1), fault);
    let mut lost = all.to_vec();
    lost.remove(1);
    assert_eq!(told(first(EventFault::Drop), 9).await, lost);
    let mut doubled = all.to_vec();
    doubled.insert(1, "Stage STARTED");
    assert_eq!(told(first(EventFault::Duplicate), 11).await, doubled);
    let mut swapped = all.to_vec();
    swapped.swap(1, 2);
    assert_eq!(told(first(EventFault::Reorder), 10).await, swapped);
    let late = told_by(&Clock::system(), first(EventFault::Delay(LATE)), &[9, 10]).await;
    assert_eq!(late.last().unwrap(), "Stage STARTED");
    // The last event has none behind it.
    let last = FaultPlan::seeded(1).on_event(
        "CodePipeline Pipeline Execution State Change",
        When::Nth(2),
        EventFault::Reorder,
    );
    assert_eq!(told(last, 10).await, all);
    let half = || FaultPlan::seeded(3).on_event("*", When::Percent(50), EventFault::Duplicate);
    // The same seed spoils the same events in another run.
    let foreseen = half();
    let expected: Vec<_> = all
        .into_iter()
        .flat_map(|event| {
            let kind = event.split(' ').next().unwrap();
            let fault = foreseen.event(&json!({"detail-type": format!("CodePipeline {kind} Execution State Change")}));
            vec![event; if fault == EventFault::Duplicate { 2 } else { 1 }]
        })
        .collect();
    assert!((11..20).contains(&expected.len()), "{expected:?}");
    assert_eq!(told(half(), expected.len()).await, expected);
}
