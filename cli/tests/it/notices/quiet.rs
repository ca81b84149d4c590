//! Quiet hours: what is kept is told together when they are over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use stagegate_local_aws::Options;
use stagegate_local_aws::faults::{ApiCall, Attempt, CallFault, CallFaults, InvokeFault, InvokeFaults, Signal};
use stagegate_local_clock::Clock;
use stagegate_local_slack::{Fault, Injection};

use super::world::Notices;

/// Failures are kept at night.
const ROUTES: &str = "
channels: {releases: {slack: C0001}}
notifications:
  - pipeline: web
    on: [failed, recovered]
    channel: releases
    quiet_hours: {from: '20:00', to: '07:00', zone: Europe/Berlin, except: [recovered]}
";

/// A Monday evening in Berlin, an hour after the beginning of the quiet hours.
fn evening(options: Options) -> Options {
    Options { clock: Clock::starting_at("2026-01-05T20:00:00Z".parse().unwrap(), 1.0), ..options }
}

/// Two executions that fail at night, and the morning after: the quiet hours are over.
async fn night(change: impl FnOnce(Options) -> Options) -> Notices {
    let notices = Notices::configured(ROUTES, "QUEUED", |options| change(evening(options))).await;
    notices.break_tests(true);
    for _ in 0..2 {
        let execution = notices.start().await;
        assert_eq!(notices.world.status(&execution).await, "Failed");
    }
    notices
        .minutes_until("the notices that are kept", |notices| failures(&notices.world.documents("digests")) == 2)
        .await;
    assert_eq!(notices.count(), 0, "{}", notices.world.said("C0001"));
    notices
}

fn morning(notices: &Notices) {
    notices.world.clock.advance(Duration::from_secs(10 * 3600));
}

/// One message has both failures, and no other message is there.
async fn told_once(notices: &Notices) {
    notices.posted(1).await;
    let digest = notices.world.message("C0001", "2 notices from the quiet hours").await;
    assert_eq!(failures(&digest.blocks), 2, "{digest:?}");
    assert_eq!(notices.count(), 1, "{}", notices.world.said("C0001"));
}

fn failures(texts: &[Value]) -> usize {
    texts.iter().map(|text| text.to_string().matches("Unit has failed in Test").count()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_at_night_is_told_in_the_morning() {
    let notices = night(|options| options).await;
    // Nobody knows whether the first post of it has arrived.
    notices.world.slack.inject(Injection::next("chat.postMessage", Fault::Cut, 1));
    morning(&notices);
    told_once(&notices).await;
}

/// Whether somebody sends what was kept, or has died of it.
fn is_underway(notices: &Notices) -> bool {
    notices.world.documents("digests").iter().any(|digest| !digest["document"]["sending"].is_null())
}

/// Lets the minutes pass until something holds, but not while somebody sends: nobody does that for minutes.
async fn unhurried_until(notices: &Notices, what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1200 {
        if holds() {
            return;
        }
        if !is_underway(notices) {
            notices.world.clock.advance(Duration::from_secs(61));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} never comes: {}\n{}", notices.world.said("C0001"), notices.world.logs());
}

/// Slack is down all morning: one round after the other fails with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_nobody_takes_is_told_when_somebody_does() {
    let notices = night(|options| options).await;
    notices.world.slack.inject(Injection::next("chat.postMessage", Fault::Status(503), usize::MAX));
    morning(&notices);
    let refusals = |digest: &Value| digest["document"]["refusals"].as_u64().unwrap_or_default();
    let have_failed = || notices.world.documents("digests").iter().any(|digest| refusals(digest) >= 3);
    unhurried_until(&notices, "the third refusal", have_failed).await;
    assert_eq!(notices.count(), 0, "{}", notices.world.said("C0001"));
    notices.world.slack.recover();
    told_once(&notices).await;
}

/// Kills whatever sends in the morning: it is slow to do so, before Slack hears of it or afterwards.
struct Killer {
    is_at_work: AtomicBool,
    is_before: bool,
}

/// How long sending takes; the killer comes in the middle of it.
const SLOW: Duration = Duration::from_secs(6);

impl InvokeFaults for Killer {
    fn attempt(&self, attempt: &Attempt<'_>) -> InvokeFault {
        let is_its = attempt.function == "stagegate-deploy-notify" && self.is_at_work.load(Ordering::SeqCst);
        if is_its { InvokeFault::Signal(Signal::Kill, SLOW / 2) } else { InvokeFault::None }
    }
}

impl CallFaults for Killer {
    fn call(&self, call: &ApiCall<'_>) -> CallFault {
        // The bot's token is read by whoever posts for the first time.
        let is_its = self.is_before && call.operation == "GetParameter" && self.is_at_work.load(Ordering::SeqCst);
        if is_its { CallFault::Slow(SLOW) } else { CallFault::None }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_whose_sender_is_killed_is_told_once() {
    for is_before in [true, false] {
        let killer = Arc::new(Killer { is_at_work: AtomicBool::new(false), is_before });
        let notices = night(|options| Options {
            invoke_faults: Some(killer.clone()),
            call_faults: Some(killer.clone()),
            ..options
        })
        .await;
        if !is_before {
            notices.world.slack.inject(Injection::next("chat.postMessage", Fault::Slow(SLOW), 1));
        }
        killer.is_at_work.store(true, Ordering::SeqCst);
        morning(&notices);
        let is_killed = || is_underway(&notices) && notices.world.logs().contains("Runtime.ExitError");
        unhurried_until(&notices, "the killer", is_killed).await;
        killer.is_at_work.store(false, Ordering::SeqCst);
        assert!(!is_before || notices.count() == 0, "{}", notices.world.said("C0001"));
        told_once(&notices).await;
    }
}
