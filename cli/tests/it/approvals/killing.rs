//! A kill at every boundary: before each call that a function makes for an approval, and after it, before the answer.
//! Whatever was left undone, the retry of Lambda or the watch does it, and the end is the same.
//!
//! `docs/approvals.md` lists the boundaries; the calls that are seen here are held against it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_slack::Message;

use super::proxy::{Call, Fate, Proxy};
use super::world::{ADA, ANYBODY, RELEASES, World, pipeline};

const FUNCTIONS: [&str; 3] = ["approval-request", "approval-response", "approval-watch"];
/// More than an approval needs that is killed once, also on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(180);

/// What is killed, and at which of its calls.
#[derive(Clone, Copy, Debug)]
struct Kill {
    function: &'static str,
    /// From 0.
    number: usize,
    is_after: bool,
}

/// What became of an approval.
struct Done {
    /// Without ids and times.
    end: Value,
    /// The calls of the function that is looked at.
    calls: Vec<String>,
    was_killed: bool,
}

struct Scene {
    world: World,
    proxy: Proxy,
    function: &'static str,
}

impl Scene {
    async fn new(function: &'static str, terms: &str) -> Self {
        let proxy = Proxy::start().await;
        let world = World::with(terms, |options| proxy.between(options)).await;
        proxy.to(&world.aws.endpoint_url());
        world.aws.put_pipeline(&pipeline("PARALLEL", json!({}))).await.unwrap();
        Self { world, proxy, function }
    }

    /// Ends the idle processes, so that the next invocations start cold, as after a kill, and make the same calls. From now
    /// on calls are counted, and the process of the one that is meant is killed.
    fn arm(&self, kill: Option<Kill>) -> Arc<AtomicBool> {
        for function in FUNCTIONS {
            let config = self.world.aws.lambda().function(&format!("stagegate-{function}")).unwrap();
            self.world.aws.lambda().update_function(config).unwrap();
        }
        let (was_killed, count) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
        let told = Arc::clone(&was_killed);
        self.proxy.decide(move |call| match kill {
            Some(kill) if call.function == kill.function && count.fetch_add(1, Ordering::SeqCst) == kill.number => {
                told.store(true, Ordering::SeqCst);
                if kill.is_after { Fate::KillAfter } else { Fate::KillBefore }
            }
            _ => Fate::Pass,
        });
        self.proxy.take();
        was_killed
    }

    /// One approval that Ada gives.
    async fn approve(&self, kill: Option<Kill>) -> Done {
        let known = self.known();
        let was_killed = self.arm(kill);
        let id = self.world.start_again().await;
        let decide = async {
            while !self.has_voted(&id) && !self.is_over(&id) {
                let refused = self.refusals();
                // Whoever was not told that it was taken does it again, and so does whoever is told later that it does
                // not count: the first one of two requests is none that the record names.
                if self.vote(&known).await {
                    let is_settled = || self.has_voted(&id) || self.is_over(&id) || self.refusals() > refused;
                    self.world.until("what becomes of the vote", is_settled).await;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            self.close(&id).await;
        };
        self.in_time(kill, decide).await;
        while self.world.slack.close(ADA).await.is_ok() {}
        self.done(&id, &known, &was_killed)
    }

    /// One approval that nobody decides, so that the watch rejects it.
    async fn reject(&self, kill: Option<Kill>) -> Done {
        let known = self.known();
        self.proxy.decide(|_| Fate::Pass);
        let id = self.world.start_again().await;
        let is_asked = || self.requests().iter().any(|request| !known.contains(&request.ts));
        self.world.until("the request", is_asked).await;
        self.world.settle().await;
        let was_killed = self.arm(kill);
        self.world.clock.advance(Duration::from_secs(3600));
        self.in_time(kill, self.close(&id)).await;
        self.done(&id, &known, &was_killed)
    }

    async fn in_time(&self, kill: Option<Kill>, done: impl Future<Output = ()>) {
        let waiting = async {
            tokio::select! { () = done => {}, () = self.world.minutes_pass() => {} }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("{kill:?} never ends: {}\n{}", self.world.said(RELEASES), self.world.logs());
        }
        // What Lambda still has to try again belongs to this approval, not to the next one.
        self.world.clock.advance(Duration::from_secs(61));
        tokio::time::sleep(Duration::from_millis(200)).await;
        self.world.settle().await;
    }

    async fn close(&self, id: &str) {
        self.world.until("the end", || self.is_over(id) && self.world.is_idle()).await;
    }

    fn has_voted(&self, id: &str) -> bool {
        self.record(id).is_some_and(|record| record["votes"].as_array().is_some_and(|votes| !votes.is_empty()))
    }

    /// How often Ada was told that something does not count.
    fn refusals(&self) -> usize {
        self.world.slack.look(|state| {
            state.messages(RELEASES).iter().filter(|message| message.only_for.as_deref() == Some(ADA)).count()
        })
    }

    /// Tries every request that has buttons, the latest first; says whether the app has taken the vote.
    async fn vote(&self, known: &BTreeSet<String>) -> bool {
        let slack = &self.world.slack;
        for request in self.requests().into_iter().rev().filter(|message| !known.contains(&message.ts)) {
            if slack.click(ADA, RELEASES, &request.ts, "approve").await.is_err() {
                continue;
            }
            // Without a modal the click was lost, or refused.
            let sent = slack.submit(ADA, &[("comment", "comment", "Go.")]).await;
            if sent.is_ok_and(|sent| sent.is_acknowledged()) && slack.look(|state| state.modal(ADA).is_none()) {
                return true;
            }
        }
        false
    }

    fn known(&self) -> BTreeSet<String> {
        self.requests().into_iter().map(|message| message.ts).collect()
    }

    /// The requests of the channel, open or over.
    fn requests(&self) -> Vec<Message> {
        self.world.slack.look(|state| {
            let messages = state.messages(RELEASES).iter();
            let requests = messages.filter(|message| message.only_for.is_none() && message.thread.is_none());
            requests.cloned().collect()
        })
    }

    fn record(&self, id: &str) -> Option<Value> {
        let mut approvals = self.world.documents("approvals").into_iter();
        approvals.find(|approval| approval["document"]["execution"] == id).map(|approval| approval["document"].clone())
    }

    fn is_over(&self, id: &str) -> bool {
        let is_closed = self.record(id).is_some_and(|record| record["phase"]["closed"].is_object());
        is_closed && self.world.documents("open").is_empty()
    }

    fn done(&self, id: &str, known: &BTreeSet<String>, was_killed: &AtomicBool) -> Done {
        let of_function = |call: &Call| (call.function == self.function).then(|| call.name.clone());
        Done {
            end: self.end(id, self.requests().iter().filter(|message| !known.contains(&message.ts)).count()),
            calls: self.proxy.take().iter().filter_map(of_function).collect(),
            was_killed: was_killed.load(Ordering::SeqCst),
        }
    }

    /// What an approval has come to, without ids and times.
    fn end(&self, id: &str, requests: usize) -> Value {
        let record = self.record(id).unwrap();
        let decision = &record["phase"]["closed"]["outcome"]["desk"]["decision"];
        let votes = record["votes"].as_array().unwrap().iter();
        let votes: Vec<_> = votes.map(|vote| json!([vote["user"], vote["ruling"], vote["comment"]])).collect();
        let notices = record["notices"].as_array().unwrap().iter();
        let notices: Vec<_> = notices.map(|one| json!([one["kind"], one["state"]["sent"].is_object()])).collect();
        let audits = self.world.audits().into_iter().filter(|audit| audit["document"]["execution"] == id).count();
        let named = &record["notices"][0]["state"]["sent"]["message"]["ts"];
        let shown = self.requests().into_iter().find(|message| *named == message.ts.as_str()).unwrap();
        json!({
            "ruling": decision["ruling"], "reason": decision["reason"], "votes": votes, "notices": notices, "audits": audits,
            "is_audited": record["is_audited"], "requests": requests, "title": shown.text,
            "buttons": shown.buttons().len(),
        })
    }
}

/// Every boundary of one function, one after the other.
async fn every_boundary(function: &'static str, terms: &str) {
    let scene = Scene::new(function, terms).await;
    let run = async |kill| match function {
        "approval-watch" => scene.reject(kill).await,
        _ => scene.approve(kill).await,
    };
    let Done { end: expected, calls, .. } = run(None).await;
    assert!(calls.len() > 10 && expected["requests"] == 1 && expected["is_audited"] == true, "{calls:?}: {expected}");
    let listed = listed(function);
    let missing: Vec<_> = calls.iter().filter(|call| !listed.contains(*call)).collect();
    assert!(missing.is_empty(), "docs/approvals.md does not list {missing:?} of {function}: {calls:?}");
    let mut lost_answers = 0;
    for (number, is_after) in boundaries(calls.len()) {
        let kill = Kill { function, number, is_after };
        let mut done = run(Some(kill)).await;
        if !done.was_killed {
            // Two functions that see to the same approval share the work, one time so and one time so.
            assert!(number >= done.calls.len(), "{kill:?}: {:?}", done.calls);
            continue;
        }
        let call = done.calls[number].as_str();
        assert!(listed.contains(call), "docs/approvals.md does not list {call:?} of {function}");
        lost_answers += u64::from(is_after && call.ends_with("PutApprovalResult"));
        if is_unknown_post(&done.calls, number, is_after) {
            // The one thing that can be seen: Slack has taken the request, and nobody knows.
            assert_eq!(done.end["requests"], 2, "{kill:?} at {call}");
            done.end["requests"] = json!(1);
        }
        assert_eq!(done.end, expected, "{kill:?} at {call}");
    }
    scene.world.check_over().await;
    // A lost answer may be given once more, and is refused then; nothing else is answered twice.
    let (answers, approvals) = (scene.world.calls("PutApprovalResult"), scene.world.documents("approvals").len());
    assert!(
        answers <= u64::try_from(approvals).unwrap() + lost_answers + 1,
        "{answers} answers to {approvals} approvals"
    );
}

/// Where a function is killed: before its first call, and after each one. Nothing outside of a process tells whether it died
/// after one call or before the next one; with `STAGEGATE_EVERY_KILL` in the environment it is killed there as well.
fn boundaries(calls: usize) -> Vec<(usize, bool)> {
    let is_every = std::env::var_os("STAGEGATE_EVERY_KILL").is_some();
    let before = (0..calls).filter(|number| is_every || *number == 0).map(|number| (number, false));
    before.chain((0..calls).map(|number| (number, true))).collect()
}

/// Whether Slack has taken a message that the record does not know of.
fn is_unknown_post(calls: &[String], number: usize, is_after: bool) -> bool {
    let Some(post) = calls.iter().position(|call| call == "slack chat.postMessage") else { return false };
    // The process is dead after its last call, so that the record is not written by it.
    let written = calls[post..].iter().position(|call| call == "s3 PUT approvals").map(|after| post + after);
    let is_taken = number > post || (number == post && is_after);
    let is_known = written.is_some_and(|written| number > written || (number == written && is_after));
    is_taken && !is_known
}

/// The calls of a function that the page lists.
fn listed(function: &str) -> BTreeSet<String> {
    let page = std::fs::read_to_string(crate::root().join("docs/approvals.md")).unwrap();
    let section =
        page.split("\n## Where a function can die\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let row = section.lines().find(|line| line.starts_with(&format!("| `{function}` |")));
    row.into_iter().flat_map(|row| row.split('`').skip(3).step_by(2)).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_killed_anywhere_ends_the_same() {
    every_boundary("approval-request", ANYBODY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_killed_anywhere_ends_the_same() {
    every_boundary("approval-response", ANYBODY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_is_killed_anywhere_ends_the_same() {
    every_boundary("approval-watch", &format!("{ANYBODY}\nreject_after: 1h")).await;
}
