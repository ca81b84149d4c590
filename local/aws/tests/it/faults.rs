//! Injected faults: what the official clients make of a spoiled endpoint, and what becomes of functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client as S3;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Value, json};
use stagegate_local_aws::Options;
use stagegate_local_aws::faults::{CallFault, CallPlan, InvokeFault, InvokePlan, Refusal, Signal, When};
use stagegate_local_lambda::{InvocationType, InvokeResult};

use crate::world::{World, eventually};

const FUNCTION: &str = "  Recorder: {RECORDER {FunctionName: stagegate-recorder}}\n";
const NAME: &str = "stagegate-recorder";

async fn spoiled(plan: &Arc<CallPlan>) -> (World, S3) {
    let faults = Arc::clone(plan);
    let world = World::new(FUNCTION, move |options: &mut Options| options.call_faults = Some(faults)).await;
    world.aws.s3().create_bucket("state").await.unwrap();
    let s3 = S3::from_conf(aws_sdk_s3::config::Builder::from(&world.sdk()).force_path_style(true).build());
    (world, s3)
}

async fn put(s3: &S3, key: &str, text: &str) -> Result<(), String> {
    let body = ByteStream::from(text.as_bytes().to_vec());
    let put = s3.put_object().bucket("state").key(key).body(body).send().await;
    put.map(drop).map_err(|error| error.code().unwrap_or("no code").to_owned())
}

async fn get(s3: &S3, key: &str) -> Result<String, String> {
    let got = s3.get_object().bucket("state").key(key).send().await;
    let got = got.map_err(|error| error.code().unwrap_or("no code").to_owned())?;
    let body = got.body.collect().await.map_err(|_| "the body breaks off".to_owned())?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_client_of_s3_goes_on_after_faults_that_pass() {
    let passing = [
        CallFault::Refuse(Refusal::of_s3_status(500)),
        CallFault::Refuse(Refusal::of_s3_status(503)),
        CallFault::LoseAnswer(Refusal::of_s3_status(500)),
        CallFault::CutOff,
        CallFault::CutOffAfterwards,
        CallFault::Slow(Duration::from_millis(50)),
    ];
    for fault in passing {
        let plan = CallPlan::seeded(1).on("s3:PutObject", "state/jobs/*", When::First(1), fault.clone());
        let plan = Arc::new(plan);
        let (world, s3) = spoiled(&plan).await;
        let begun = Instant::now();
        put(&s3, "jobs/a b.json", "1").await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(!matches!(fault, CallFault::Slow(_)) || begun.elapsed() >= Duration::from_millis(50));
        put(&s3, "verdicts/1.json", "2").await.unwrap();
        assert_eq!(get(&s3, "jobs/a b.json").await, Ok("1".to_owned()));
        assert_eq!(plan.met(), [format!("s3:PutObject state/jobs/a b.json 1: {fault:?}")]);
        world.aws.shutdown().await;
    }
}

#[tokio::test]
async fn a_client_of_s3_is_told_of_faults_that_stay() {
    for (status, code) in [
        (403, "AccessDenied"),
        (404, "NoSuchKey"),
        (409, "ConditionalRequestConflict"),
        (412, "PreconditionFailed"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (503, "SlowDown"),
    ] {
        let fault = CallFault::Refuse(Refusal::of_s3_status(status));
        let (world, s3) = spoiled(&Arc::new(CallPlan::seeded(1).on("s3:*", "*", When::Always, fault))).await;
        assert_eq!(get(&s3, "jobs/1.json").await, Err(code.to_owned()), "{status}");
        let head = s3.head_object().bucket("state").key("jobs/1.json").send().await;
        assert_eq!(head.unwrap_err().raw_response().unwrap().status().as_u16(), status);
        world.aws.shutdown().await;
    }
    // What AWS says of credentials whose time is over, in its own type of error.
    let expired = CallFault::Refuse(Refusal::new(400, "ExpiredToken"));
    let (world, s3) = spoiled(&Arc::new(CallPlan::seeded(1).on("s3:GetObject", "*", When::Nth(2), expired))).await;
    let first = s3.get_object().bucket("state").key("1").send().await;
    assert!(matches!(first.unwrap_err().into_service_error(), GetObjectError::NoSuchKey(_)));
    assert_eq!(get(&s3, "1").await, Err("ExpiredToken".to_owned()));
    world.aws.shutdown().await;
}

#[tokio::test]
async fn an_answer_of_s3_that_is_cut_off_leaves_the_effect_or_none() {
    for (fault, is_there) in [(CallFault::CutOff, false), (CallFault::CutOffAfterwards, true)] {
        let plan = CallPlan::seeded(1).on("s3:PutObject", "*", When::Always, fault.clone());
        let (world, s3) = spoiled(&Arc::new(plan)).await;
        put(&s3, "1", "12345678").await.unwrap_err();
        assert_eq!(get(&s3, "1").await.is_ok(), is_there, "{fault:?}");
        world.aws.shutdown().await;
    }
    // A download ends in its middle, after headers that look well.
    let plan = CallPlan::seeded(1).on("s3:GetObject", "*", When::Always, CallFault::CutOffAfterwards);
    let (world, s3) = spoiled(&Arc::new(plan)).await;
    put(&s3, "1", "12345678").await.unwrap();
    assert_eq!(get(&s3, "1").await, Err("the body breaks off".to_owned()));
    world.aws.shutdown().await;
}

#[tokio::test]
async fn calls_of_other_services_meet_faults_by_their_names() {
    let plan = CallPlan::seeded(1)
        .on("codepipeline:ListPipelines", "*", When::Always, CallFault::Refuse(Refusal::of_status(403)))
        .on("sns:Publish", "*", When::Always, CallFault::Refuse(Refusal::new(403, "AuthorizationError")));
    let plan = Arc::new(plan);
    let (world, _) = spoiled(&plan).await;
    let pipelines = aws_sdk_codepipeline::Client::new(&world.sdk());
    let refused = pipelines.list_pipelines().send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDeniedException"));
    pipelines.list_action_types().send().await.unwrap();
    let sns = aws_sdk_sns::Client::new(&world.sdk());
    let refused = sns.publish().topic_arn("arn:aws:sns:us-east-1:111122223333:t").message("m").send().await;
    assert_eq!(refused.unwrap_err().code(), Some("AuthorizationError"));
    assert_eq!(plan.met().len(), 2);
    world.aws.shutdown().await;
}

async fn with_functions(plan: InvokePlan) -> World {
    World::new(FUNCTION, move |options: &mut Options| options.invoke_faults = Some(Arc::new(plan))).await
}

async fn invoke(world: &World, event: &Value) -> InvokeResult {
    world.aws.lambda().invoke(NAME, event.to_string(), InvocationType::RequestResponse).await.unwrap()
}

#[tokio::test]
async fn functions_crash_and_die_as_they_are_told() {
    // The function has written down its event by then.
    let after = Duration::from_secs(1);
    for (fault, kind, text) in [
        (InvokeFault::CrashAtStart, "Runtime.ExitError", "signal: killed"),
        (InvokeFault::Signal(Signal::Kill, after), "Runtime.ExitError", "signal: killed"),
        (InvokeFault::Signal(Signal::Abort, after), "Runtime.ExitError", "signal: aborted"),
        (InvokeFault::Signal(Signal::Stop, after), "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
        (InvokeFault::OutOfMemory(after), "Runtime.OutOfMemory", "signal: killed"),
    ] {
        let world = with_functions(InvokePlan::seeded(1).on(NAME, When::Nth(2), fault)).await;
        let mut config = world.aws.lambda().function(NAME).unwrap();
        config.timeout = Duration::from_secs(3);
        world.aws.lambda().update_function(config).unwrap();
        let first = invoke(&world, &json!({"text": "hello"})).await;
        assert_eq!(first.function_error, None, "{fault:?}");
        let error = invoke(&world, &json!({"text": "please wait"})).await.function_error;
        let error = error.unwrap_or_else(|| panic!("{fault:?} does nothing"));
        assert_eq!(error.error_type, kind, "{fault:?}");
        assert!(error.message.contains(text), "{fault:?}: {error:?}");
        // The next one has a process of its own.
        assert_eq!(invoke(&world, &json!({"text": "hello"})).await.function_error, None, "{fault:?}");
        let records = world.records();
        let starts = fault == InvokeFault::CrashAtStart;
        assert_eq!(records.len(), if starts { 2 } else { 3 }, "{fault:?}: {records:?}");
        world.aws.shutdown().await;
    }
}

#[tokio::test]
async fn a_throttled_function_refuses_calls_and_lets_events_wait() {
    let plan = InvokePlan::seeded(1).on_event(NAME, "throttle me", When::First(2), InvokeFault::Throttle);
    let world = with_functions(plan).await;
    let event = json!({"text": "throttle me"}).to_string();
    let refused = world.aws.lambda().invoke(NAME, event.clone(), InvocationType::RequestResponse).await;
    assert_eq!(refused.unwrap_err().code(), "TooManyRequestsException");
    invoke(&world, &json!({"text": "others pass"})).await;
    world.aws.lambda().invoke(NAME, event, InvocationType::Event).await.unwrap();
    eventually("the event has come", || world.records().len() == 2).await;
    world.aws.shutdown().await;
}
