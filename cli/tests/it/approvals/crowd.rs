//! Fifty people click at once, in front of eight processes and a bad S3.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stagegate_local_aws::{Arrival, Options};
use stagegate_local_faults::{CallFault, CallPlan, Refusal, When};
use stagegate_local_slack::Person;

use super::world::{RELEASES, World, config};

const PEOPLE: usize = 50;

fn person(number: usize) -> String {
    format!("U1{number:03}")
}

/// Of the calls for the record some are refused as in a race that was lost, some because S3 is busy, some are done without
/// an answer, and some are slow.
fn bad_s3() -> Arc<CallPlan> {
    let refused = |status| CallFault::Refuse(Refusal::of_s3_status(status));
    let slow = || CallFault::Slow(Duration::from_millis(200));
    let plan = CallPlan::seeded(50)
        .on("s3:PutObject", "*/approvals/*", When::Percent(5), refused(409))
        .on("s3:PutObject", "*/approvals/*", When::Percent(5), refused(412))
        .on("s3:PutObject", "*/approvals/*", When::Percent(5), CallFault::LoseAnswer(Refusal::of_s3_status(503)))
        .on("s3:*", "*", When::Percent(5), refused(503))
        .on("s3:*", "*", When::Percent(3), CallFault::CutOffAfterwards)
        .on("s3:*", "*", When::Percent(10), slow());
    Arc::new(plan)
}

/// Eight processes for the votes.
fn eight(options: Options) -> Options {
    let text = std::fs::read_to_string(&options.template).unwrap();
    let fewer = text.replace("[ReservesConcurrency, 20, ", "[ReservesConcurrency, 8, ");
    assert_ne!(text, fewer);
    std::fs::write(&options.template, fewer).unwrap();
    options
}

/// Clicks and sends until Slack says that it was taken, as a person would.
async fn insist(world: &World, user: &str, ts: &str, button: &str) {
    loop {
        let clicked = world.slack.click(user, RELEASES, ts, button).await;
        let Ok(clicked) = clicked else { return };
        if clicked.is_acknowledged() && world.slack.look(|state| state.modal(user).is_some()) {
            let values = [("comment", "comment", user)];
            let sent = world.slack.submit(user, &values).await.unwrap();
            if sent.is_acknowledged() && world.slack.look(|state| state.modal(user).is_none()) {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn crowd(change: impl FnOnce(Options) -> Options) {
    let people = (0..PEOPLE).map(|number| {
        let id = person(number);
        Person::new(&id, &format!("Person {number}"), &format!("{id}@example.com"))
    });
    let slack = stagegate_local_slack::Options {
        people: people.collect(),
        // The machine of a test may be busy with others.
        acknowledge_within: Duration::from_secs(20),
        trigger_lifetime: Duration::from_secs(20),
        ..stagegate_local_slack::Options::default()
    };
    let users = (0..PEOPLE).map(person).collect::<Vec<_>>().join(", ");
    let config = config(&format!("approvers: {{users: [{users}]}}\nquorum: {PEOPLE}"), "");
    let faults = bad_s3();
    let bad = |options: Options| Options { call_faults: Some(faults.clone()), ..options };
    let world = Arc::new(World::peopled(&config, slack, |options| change(eight(bad(options)))).await);
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    let clicks = (0..PEOPLE).map(|number| {
        let (world, ts) = (Arc::clone(&world), request.ts.clone());
        tokio::spawn(async move { insist(&world, &person(number), &ts, "approve").await })
    });
    for click in clicks.collect::<Vec<_>>() {
        click.await.unwrap();
    }
    assert_eq!(world.status_in_time(&id).await, "Succeeded");
    let over = world.message_in_time(RELEASES, "Approved: web to Production").await;
    assert_eq!(over.ts, request.ts);
    tokio::select! {
        () = world.check_over() => {}
        () = world.minutes_pass() => {}
    }
    // Every vote is counted once, there is one decision, and nothing was said or done twice.
    let records = world.documents("approvals");
    let votes = records[0]["document"]["votes"].as_array().unwrap();
    let mut voters: Vec<_> = votes.iter().map(|vote| vote["user"].as_str().unwrap().to_owned()).collect();
    voters.sort();
    assert_eq!((records.len(), voters), (1, (0..PEOPLE).map(person).collect::<Vec<_>>()));
    assert!(votes.iter().all(|vote| vote["comment"] == vote["user"]), "{votes:?}");
    assert_eq!((world.calls("PutApprovalResult"), world.audits().len()), (1, 1));
    assert_eq!(world.audits()[0]["document"]["votes"].as_array().unwrap().len(), PEOPLE);
    let seen = world.slack.look(|state| state.messages(RELEASES).iter().filter(|it| it.only_for.is_none()).count());
    assert_eq!(seen, 1, "{}", world.said(RELEASES));
    let met = faults.met().join("\n");
    for fault in
        ["ConditionalRequestConflict", "PreconditionFailed", "SlowDown", "LoseAnswer", "Slow(", "CutOffAfterwards"]
    {
        assert!(met.contains(fault), "{fault}: {met}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_people_at_once_and_a_bad_s3() {
    crowd(|options| options).await;
}

/// The same with every event twice, and behind later ones.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_people_and_every_event_doubled_and_out_of_order() {
    let shuffled = |options: Options| Options {
        delivery_fault: Some(Arc::new(|sent| match sent.number % 3 {
            0 => vec![Arrival::Now, Arrival::After(Duration::from_secs(5))],
            1 => vec![Arrival::After(Duration::from_secs(1)), Arrival::Now],
            _ => vec![Arrival::After(Duration::from_secs(2)), Arrival::After(Duration::from_secs(2))],
        })),
        ..options
    };
    crowd(shuffled).await;
}
