//! The shell: effects carried out, the clock, the end of everything.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_codepipeline::events::{Change, Events};
use stagegate_local_codepipeline::provider::{
    ActionFailure, ActionProvider, ActionRequest, ActionSuccess, Progress, ProgressUpdate,
};
use stagegate_local_codepipeline::{Builder, CodePipeline, InvokeError, LambdaInvoker};
use tokio::sync::mpsc;

use crate::harness::{NAME, PROVIDERS, pipeline};

/// Does what the first word of the action's name says.
#[derive(Default)]
pub(crate) struct Obedient {
    running: Arc<AtomicUsize>,
}

struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl ActionProvider for Obedient {
    async fn run(&self, request: ActionRequest, progress: Progress) -> Result<ActionSuccess, ActionFailure> {
        self.running.fetch_add(1, Ordering::SeqCst);
        let _running = Running(Arc::clone(&self.running));
        progress.report(ProgressUpdate { summary: Some("at it".into()), ..ProgressUpdate::default() });
        match request.action.split('-').next().unwrap() {
            "fail" => Err(ActionFailure::new("JobFailed", "it broke")),
            "panic" => panic!("a bug in a provider"),
            "hang" => std::future::pending().await,
            _ => Ok(ActionSuccess { summary: Some("all well".into()), ..ActionSuccess::default() }),
        }
    }
}

/// Hands the jobs out to the test.
pub(crate) struct Functions(pub(crate) mpsc::UnboundedSender<Value>);

#[async_trait]
impl LambdaInvoker for Functions {
    async fn invoke_async(&self, function_name: &str, payload: Value) -> Result<(), InvokeError> {
        if function_name != "gate" {
            let known = vec!["gate".to_owned()];
            return Err(InvokeError::FunctionNotFound { name: function_name.to_owned(), known });
        }
        self.0.send(payload).map_err(|_| InvokeError::Refused("the test is over".to_owned()))
    }
}

#[derive(Default)]
pub(crate) struct Told {
    pub(crate) events: Mutex<Vec<Value>>,
    messages: Mutex<Vec<Value>>,
}

#[async_trait]
impl Events for Told {
    async fn put_event(&self, event: Value) {
        self.events.lock().unwrap().push(event);
    }

    async fn publish(&self, topic_arn: &str, _subject: &str, message: String) -> Result<(), String> {
        if !topic_arn.ends_with(":releases") {
            return Err("there is no such topic".to_owned());
        }
        self.messages.lock().unwrap().push(serde_json::from_str(&message).unwrap());
        Ok(())
    }
}

pub(crate) fn builder(clock: Clock, provider: &Arc<Obedient>) -> Builder {
    let with = |builder: Builder, (category, name): (&str, &str)| {
        builder.provider(category, name, Arc::clone(provider) as Arc<dyn ActionProvider>)
    };
    PROVIDERS.into_iter().fold(CodePipeline::builder(clock), with)
}

/// A clock that stands still, as far as a test can see, until it is advanced.
fn still() -> Clock {
    Clock::starting_at("2026-11-23T10:00:00Z".parse().unwrap(), 0.000_001)
}

pub(crate) async fn create(codepipeline: &CodePipeline, pipeline: &Value) {
    codepipeline.call("CreatePipeline", json!({"pipeline": pipeline})).await.unwrap();
}

pub(crate) async fn start(codepipeline: &CodePipeline) -> String {
    let output = codepipeline.call("StartPipelineExecution", json!({"name": NAME})).await.unwrap();
    output["pipelineExecutionId"].as_str().unwrap().to_owned()
}

async fn ends(codepipeline: &CodePipeline, id: &str) -> ExecutionStatus {
    let waiting = codepipeline.wait_for_execution(NAME, id);
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the execution ends").unwrap()
}

async fn errors(codepipeline: &CodePipeline) -> Vec<Value> {
    let output = codepipeline.call("ListActionExecutions", json!({"pipelineName": NAME})).await.unwrap();
    let details = output["actionExecutionDetails"].as_array().unwrap();
    details.iter().filter_map(|detail| detail["output"]["executionResult"].get("errorDetails").cloned()).collect()
}

#[tokio::test]
async fn providers_carry_out_a_pipeline() {
    let provider = Arc::default();
    let told = Arc::new(Told::default());
    let codepipeline = builder(Clock::system(), &provider).events(Arc::clone(&told) as Arc<dyn Events>).start();
    create(&codepipeline, &pipeline("SUPERSEDED Source: Source | Build: Compile Lint Pack@2")).await;
    let mut events = codepipeline.subscribe();
    let id = start(&codepipeline).await;
    assert_eq!(ends(&codepipeline, &id).await, ExecutionStatus::Succeeded);
    let mut progress = 0;
    while let Ok(event) = events.try_recv() {
        progress += usize::from(matches!(event.change, Change::Progress(_)));
    }
    assert_eq!(progress, 4);
    // EventBridge is told by a task of its own.
    let all_told = async {
        while told.events.lock().unwrap().len() < 14 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_told).await.expect("every event is told");
    let last = told.events.lock().unwrap().last().cloned().unwrap();
    assert_eq!((&last["detail"]["state"], &last["detail"]["pipeline"]), (&json!("SUCCEEDED"), &json!(NAME)));
    assert_eq!(codepipeline.wait_for_execution(NAME, "other").await, None);
}

#[tokio::test]
async fn a_failing_or_panicking_provider_fails_its_action() {
    let cases = [
        ("fail-1", json!({"code": "JobFailed", "message": "it broke"})),
        (
            "panic-1",
            json!({
                "code": "SystemUnavailable",
                "message": "the local provider of the action panicked; this is a bug in the provider",
            }),
        ),
    ];
    for (action, expected) in cases {
        let codepipeline = builder(Clock::system(), &Arc::default()).start();
        create(&codepipeline, &pipeline(&format!("SUPERSEDED Source: Source | Build: {action}"))).await;
        let id = start(&codepipeline).await;
        assert_eq!(ends(&codepipeline, &id).await, ExecutionStatus::Failed);
        assert_eq!(errors(&codepipeline).await, [expected]);
    }
}

#[tokio::test]
async fn abandoning_and_shutting_down_drop_what_runs() {
    let provider: Arc<Obedient> = Arc::default();
    let codepipeline = builder(Clock::system(), &provider).start();
    create(&codepipeline, &pipeline("PARALLEL Source: Source | Build: hang-1 hang-2")).await;
    let running = |count: usize| {
        let running = Arc::clone(&provider.running);
        let reached = async move {
            while running.load(Ordering::SeqCst) != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reached)
    };
    let first = start(&codepipeline).await;
    let second = start(&codepipeline).await;
    running(4).await.expect("all of them run");
    let stop = json!({"pipelineName": NAME, "pipelineExecutionId": first, "abandon": true});
    codepipeline.call("StopPipelineExecution", stop).await.unwrap();
    assert_eq!(ends(&codepipeline, &first).await, ExecutionStatus::Stopped);
    running(2).await.expect("those of the stopped execution are gone");

    let waiting = tokio::spawn({
        let (codepipeline, second) = (codepipeline.clone(), second.clone());
        async move { codepipeline.wait_for_execution(NAME, &second).await }
    });
    tokio::task::yield_now().await;
    codepipeline.shutdown().await;
    assert_eq!(provider.running.load(Ordering::SeqCst), 0);
    assert_eq!(waiting.await.unwrap(), None);
    assert_eq!(codepipeline.execution_status(NAME, &second), Some(ExecutionStatus::InProgress));
    start(&codepipeline).await;
    codepipeline.shutdown().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(provider.running.load(Ordering::SeqCst), 0);

    let codepipeline = builder(Clock::system(), &provider).start();
    create(&codepipeline, &pipeline("PARALLEL Source: Source | Build: hang-1 hang-2")).await;
    start(&codepipeline).await;
    running(2).await.expect("both of them run");
    drop(codepipeline);
    running(0).await.expect("dropping the last handle ends them");
}

#[tokio::test]
async fn a_silent_function_a_slow_one_and_a_silent_approver_meet_the_clock() {
    let (sender, mut jobs) = mpsc::unbounded_channel();
    let clock = still();
    let codepipeline = builder(clock.clone(), &Arc::default()).lambda(Arc::new(Functions(sender))).start();
    create(&codepipeline, &pipeline("SUPERSEDED Source: Source | Gate: Check*lambda | Prod: Ask*manual")).await;

    let id = start(&codepipeline).await;
    jobs.recv().await.unwrap();
    clock.advance(Duration::from_secs(20 * 60));
    assert_eq!(ends(&codepipeline, &id).await, ExecutionStatus::Failed);
    assert!(errors(&codepipeline).await[0]["message"].as_str().unwrap().contains("failed to return a result"));

    let id = start(&codepipeline).await;
    for round in 0..80 {
        let job = jobs.recv().await.unwrap();
        let job_id = &job["CodePipeline.job"]["id"];
        clock.advance(Duration::from_secs(18 * 60 + 1));
        let answer = json!({"jobId": job_id, "continuationToken": format!("round-{round}")});
        // 77 rounds of 18 minutes and 31 seconds are less than a day; one more answer would come after it.
        let result = codepipeline.call("PutJobSuccessResult", answer).await;
        assert_eq!(result.is_ok(), round < 77, "round {round}: {result:?}");
        if result.is_err() {
            break;
        }
        clock.advance(Duration::from_secs(30));
    }
    assert_eq!(ends(&codepipeline, &id).await, ExecutionStatus::Failed);
    assert!(errors(&codepipeline).await[0]["message"].as_str().unwrap().contains("within 24 hours"));

    let id = start(&codepipeline).await;
    let job = jobs.recv().await.unwrap();
    let key = job["CodePipeline.job"]["data"]["artifactCredentials"]["accessKeyId"].as_str().unwrap();
    assert!(codepipeline.secret_key(key).is_some());
    codepipeline.call("PutJobSuccessResult", json!({"jobId": job["CodePipeline.job"]["id"]})).await.unwrap();
    assert_eq!(codepipeline.secret_key(key), None);
    let open = codepipeline.open_approvals();
    assert_eq!((open.len(), open[0].action.as_str(), open[0].pipeline_execution_id.as_str()), (1, "Ask", id.as_str()));
    clock.advance(Duration::from_secs(7 * 86_400 - 60));
    assert_eq!(codepipeline.execution_status(NAME, &id), Some(ExecutionStatus::InProgress));
    clock.advance(Duration::from_secs(60));
    assert_eq!(ends(&codepipeline, &id).await, ExecutionStatus::Failed);
    assert!(codepipeline.open_approvals().is_empty());
}

#[tokio::test]
async fn a_function_or_a_topic_that_is_not_there_fails_its_action() {
    let (sender, _jobs) = mpsc::unbounded_channel();
    let told = Arc::new(Told::default());
    let codepipeline = builder(Clock::system(), &Arc::default())
        .lambda(Arc::new(Functions(sender)))
        .events(Arc::clone(&told) as Arc<dyn Events>)
        .start();
    let mut declaration = pipeline("SUPERSEDED Source: Source | Gate: Check*lambda Ask*manual");
    declaration["stages"][1]["actions"][0]["configuration"]["FunctionName"] = json!("gates");
    declaration["stages"][1]["actions"][1]["configuration"]["NotificationArn"] =
        json!("arn:aws:sns:us-east-1:111122223333:other");
    create(&codepipeline, &declaration).await;
    let id = start(&codepipeline).await;
    assert_eq!(ends(&codepipeline, &id).await, ExecutionStatus::Failed);
    let mut messages: Vec<_> = errors(&codepipeline).await.iter().map(|error| error["message"].to_string()).collect();
    messages.sort();
    assert!(messages[0].contains("there is no function gates (there are: gate)"), "{messages:?}");
    assert!(messages[1].contains("there is no such topic"), "{messages:?}");
}
