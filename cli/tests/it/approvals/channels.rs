//! Channels in which nobody can click, people who are named by their address, and many requests at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use stagegate_local_aws::{Arrival, DeliveryFault, Options};
use stagegate_local_slack::{Fault, Injection, Message};

use super::world::{ANYBODY, DAN, EVE, ONCALL, RELEASES, World, config, pipeline};

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:stagegate-approvals";

/// A burst takes a while, and longer on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(600);

async fn wait_for(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks through an incoming webhook, and later through SNS: neither has buttons, and both hear how it ended.
#[tokio::test(flavor = "multi_thread")]
async fn channels_without_buttons_hear_of_the_request_and_of_its_end() {
    let config = format!(
        "channels: {{releases: {{slack_webhook: /stagegate/webhooks/releases}}, oncall: {{sns: \"{TOPIC}\"}}}}\n\
         approvals: [{{pipeline: web, channel: releases, {ANYBODY}, escalate: {{after: 1h, channel: oncall}}}}]\n"
    );
    let world = World::configured(&config, |options| options).await;
    let url = world.slack.webhook_url(RELEASES);
    let parameter = json!({"Name": "/stagegate/webhooks/releases", "Value": url, "Type": "SecureString"});
    world.aws.ssm().call("PutParameter", &parameter).unwrap();
    let id = world.start("QUEUED", json!({"configuration": {"CustomData": "Look <!here>"}})).await;
    let asked = world.message(RELEASES, "Release web to Production?").await;
    assert!(asked.by_webhook && asked.buttons().is_empty() && asked.says("Answer it in the CodePipeline console"));
    assert!(asked.says("Look &lt;!here&gt;") && asked.says(&id), "{asked:?}");
    let published = || world.aws.bus().messages(TOPIC).unwrap_or_default();
    world.passes(Duration::from_secs(3600)).await;
    let told = world.until("the message of SNS", || !published().is_empty());
    tokio::select! { () = told => {}, () = world.minutes_pass() => {} }
    assert_eq!(published()[0].subject.as_deref(), Some("Approval needed: web to Production"));
    assert!(published()[0].message.contains(&id), "{}", published()[0].message);
    let answer = json!({
        "pipelineName": "web", "stageName": "Production", "actionName": "Approve", "token": super::closing::token(&world).await,
        "result": {"status": "Approved", "summary": "seen it"},
    });
    world.call("PutApprovalResult", answer).await;
    assert_eq!(world.status(&id).await, "Succeeded");
    let result = world.message(RELEASES, "in the console or by the API").await;
    assert!(result.by_webhook && result.ts != asked.ts && result.says("seen it") && result.says(&id), "{result:?}");
    world.check_over().await;
    let messages = published();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[1].message.contains("seen it"), "{}", messages[1].message);
    assert_eq!(world.slack.look(|state| state.messages(RELEASES).len()), 2, "{}", world.said(RELEASES));
    assert!(!world.logs().contains(&url) && !json!(world.documents("approvals")).to_string().contains(&url));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_the_company_decides_and_another_does_not() {
    let world = World::patient(&config("approvers: {email_domains: [example.com]}", "")).await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    assert!(request.says("everybody at example.com"), "{request:?}");
    world.refused(EVE, &request, "approve", "you are not one of its approvers").await;
    world.vote(DAN, &request, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.message(RELEASES, "Approved: web to Production").await;
    world.check_over().await;
    let vote = &world.audits()[0]["document"]["votes"][0];
    assert_eq!((&vote["user"], &vote["grounds"]["email_domain"]["domain"]), (&json!(DAN), &json!("example.com")));
    assert_eq!(world.calls("PutApprovalResult"), 1);
}

/// 200 requests in two channels, while Slack refuses a third of them and wants a pause; an hour later 200 reminders.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_requests_is_delivered_once_each() {
    const EACH: usize = 50;
    let config = format!(
        "channels: {{releases: {{slack: {RELEASES}}}, oncall: {{slack: {ONCALL}}}}}\napprovals:\n\
         - {{pipeline: web-a*, channel: releases, {ANYBODY}, remind_every: 1h}}\n\
         - {{pipeline: web-b*, channel: oncall, {ANYBODY}, remind_every: 1h}}\n"
    );
    // The watch is not needed for requests; it is for reminders, when the burst is over.
    let is_watched = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&is_watched);
    let twenty = |options: Options| {
        let text = std::fs::read_to_string(&options.template).unwrap();
        let name = "      FunctionName: !Sub \"${NamePrefix}-approval-request\"\n";
        assert!(text.contains(name));
        let limited = text.replace(name, &format!("{name}      ReservedConcurrentExecutions: 20\n"));
        std::fs::write(&options.template, limited).unwrap();
        let fault: DeliveryFault = Arc::new(move |sent| match sent.to.ends_with("-approval-watch") {
            true if !watched.load(Ordering::SeqCst) => Vec::new(),
            _ if sent.to.ends_with("-job-guard") => Vec::new(),
            _ => vec![Arrival::Now],
        });
        Options { delivery_fault: Some(fault), ..options }
    };
    let world = World::configured(&config, twenty).await;
    for number in 0..35 {
        let fault = Fault::RateLimited { retry_after: 1 };
        world.slack.inject(Injection {
            method: Some("chat.postMessage".to_owned()),
            fault,
            after: number * 12,
            times: 3,
        });
    }
    let mut executions = BTreeMap::new();
    for (name, channel) in [("web-a1", RELEASES), ("web-a2", RELEASES), ("web-b1", ONCALL), ("web-b2", ONCALL)] {
        let mut definition = pipeline("PARALLEL", json!({}));
        definition["name"] = json!(name);
        world.aws.put_pipeline(&definition).await.unwrap();
        for _ in 0..EACH {
            let started = world.call("StartPipelineExecution", json!({"name": name})).await;
            executions.insert(started["pipelineExecutionId"].as_str().unwrap().to_owned(), channel);
        }
    }
    let posted = |channel: &str| -> Vec<Message> { world.slack.look(|state| state.messages(channel).to_vec()) };
    let count =
        |what: fn(&Message) -> bool| [RELEASES, ONCALL].iter().flat_map(|channel| posted(channel)).filter(what).count();
    let is_request = |message: &Message| message.thread.is_none();
    // Lambda waits between two attempts at an event for which there was no process.
    let seconds_pass = async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            world.clock.advance(Duration::from_secs(10));
        }
    };
    tokio::select! {
        () = wait_for(|| count(is_request) >= executions.len()) => {},
        () = seconds_pass => {}
        () = tokio::time::sleep(PATIENCE) => panic!("{} of {} were asked", count(is_request), executions.len()),
    }
    world.settle().await;
    is_watched.store(true, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(3600));
    let is_reminder = |message: &Message| message.says("still waits for a decision");
    tokio::select! {
        () = wait_for(|| count(is_reminder) >= executions.len()) => {},
        () = world.minutes_pass() => {}
        () = tokio::time::sleep(PATIENCE) => panic!("{} of {} were reminded", count(is_reminder), executions.len()),
    }
    // In each channel: the request of each execution once, and below it its first reminder.
    for channel in [RELEASES, ONCALL] {
        let messages = posted(channel);
        for (id, _) in executions.iter().filter(|(_, of)| **of == channel) {
            let of_this: Vec<_> = messages.iter().filter(|message| message.says(id)).collect();
            let [request] = of_this[..] else { panic!("{id}: {of_this:?}") };
            let below: Vec<_> =
                messages.iter().filter(|message| message.thread.as_ref() == Some(&request.ts)).collect();
            assert!(!below.is_empty() && below.iter().all(|reminder| reminder.ts > request.ts), "{id}: {below:?}");
        }
    }
    assert_eq!(count(is_request), executions.len());
    let refused = world.slack.look(|state| {
        state.calls().iter().filter(|call| call.method == "chat.postMessage" && call.answer.is_none()).count()
    });
    assert!(refused >= 90, "{refused} posts were refused");
    // What was sent was answered, so that no message has gone out twice.
    let sent = world.slack.look(|state| {
        state.calls().iter().filter(|call| call.method == "chat.postMessage" && call.answer.is_some()).count()
    });
    assert_eq!(sent, count(|_| true));
    world.check_secrets();
}
