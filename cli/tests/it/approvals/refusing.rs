//! Who may not decide, and what is not believed.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stagegate_slack::SigningSecret;
use stagegate_slack::signature::sign;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{ADA, ANYBODY, BEN, DAN, RELEASES, World, config};

#[tokio::test(flavor = "multi_thread")]
async fn outsiders_and_the_author_are_refused() {
    let world = World::patient(&config(&format!("{ANYBODY}\nauthor_may_approve: false"), "")).await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    for (user, button, why) in [
        (DAN, "approve", "you are not one of its approvers"),
        (DAN, "reject", "you are not one of its approvers"),
        (ADA, "approve", "you wrote this change"),
    ] {
        let told = world.refused(user, &request, button, why).await;
        assert!(told.says("You cannot decide this approval"));
        assert!(world.slack.look(|state| state.modal(user).is_none()), "{user} sees a modal");
    }
    assert_eq!(world.calls("PutApprovalResult"), 0);
    world.vote(BEN, &request, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 1);
}

/// One HTTP request; gives the status.
async fn send(url: &str, method: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut text = format!("{method} / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

fn form(payload: &Value) -> String {
    let text = payload.to_string();
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("payload={escaped}")
}

fn click(approval: &str, ts: &str) -> Value {
    json!({
        "type": "block_actions", "api_app_id": "A0001", "team": {"id": "T0001"}, "trigger_id": "1.2",
        "user": {"id": ADA, "username": "ada"}, "container": {"type": "message", "channel_id": RELEASES, "message_ts": ts},
        "actions": [{"action_id": "approve", "block_id": "decide", "value": approval}],
    })
}

fn submission(approval: &str, channel: &str, ts: &str) -> Value {
    let asked =
        json!({"approval": approval, "ruling": "approved", "channel": channel, "ts": ts, "needs_comment": false});
    json!({
        "type": "view_submission", "team": {"id": "T0001"}, "user": {"id": ADA, "username": "ada"}, "api_app_id": "A0001",
        "view": {"id": "V1", "callback_id": "stagegate-decide", "private_metadata": asked.to_string(), "state": {"values": {}}},
    })
}

/// The method, the headers, and the status.
type Case<'a> = (&'a str, Vec<(&'a str, String)>, u16);

/// Nothing of this decides anything, and what is not signed costs no call of AWS but one for the secret.
#[tokio::test(flavor = "multi_thread")]
async fn what_slack_has_not_signed_is_not_believed() {
    let world = World::new(ANYBODY).await;
    world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    world
        .until("the end of the request's work", || {
            world.documents("approvals").iter().all(|approval| approval["document"]["lease"].is_null())
        })
        .await;
    let id = world.documents("approvals")[0]["document"]["id"].as_str().unwrap().to_owned();
    let url = world.aws.function_url("ApprovalResponse").unwrap();
    let secret = SigningSecret::new(world.slack.signing_secret());
    let body = form(&click(&id, &request.ts));
    let (now, minute) = (Timestamp::now(), SignedDuration::from_mins(1));
    let at = |time: Timestamp| time.as_second().to_string();
    let good = sign(&secret, now, body.as_bytes());
    let (old, future) = (now - 6 * minute, now + 6 * minute);
    let wrong = sign(&SigningSecret::new("another"), now, body.as_bytes());
    let (time, signature) = ("x-slack-request-timestamp", "x-slack-signature");
    let without_calls: [Case; 11] = [
        ("GET", vec![(time, at(now)), (signature, good.clone())], 405),
        ("HEAD", vec![(time, at(now)), (signature, good.clone())], 405),
        ("PUT", vec![(time, at(now)), (signature, good.clone())], 405),
        ("POST", vec![], 401),
        ("POST", vec![(time, at(now))], 401),
        ("POST", vec![(signature, good.clone())], 401),
        ("POST", vec![(time, String::new()), (signature, good.clone())], 401),
        ("POST", vec![(time, "NaN".to_owned()), (signature, good.clone())], 401),
        ("POST", vec![(time, at(old)), (signature, sign(&secret, old, body.as_bytes()))], 401),
        ("POST", vec![(time, at(future)), (signature, sign(&secret, future, body.as_bytes()))], 401),
        ("POST", vec![(time, at(now)), (signature, "v0=zz".to_owned())], 401),
    ];
    let check = async |method: &str, headers: &[(&str, String)], body: &str, expected: u16| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(send(&url, method, &headers, body).await, expected, "{method} {headers:?}");
    };
    for (method, headers, status) in &without_calls {
        check(method, headers, &body, *status).await;
    }
    assert_eq!(world.calls_of("stagegate-approval-response"), 0);
    let signed = [(time, at(now)), (signature, good.clone())];
    check("POST", &[(time, at(now)), (signature, wrong)], &body, 401).await;
    check("POST", &signed, &body.replace("payload=", "payload= "), 401).await;
    assert_eq!(world.calls_of("stagegate-approval-response"), 1, "the secret was read once");
    // Signed, and still nothing that decides.
    let with = |change: &dyn Fn(&mut Value)| {
        let mut payload = click(&id, &request.ts);
        change(&mut payload);
        form(&payload)
    };
    for (body, status) in [
        (with(&|payload| payload["api_app_id"] = json!("A0009")), 403),
        (with(&|payload| payload["team"]["id"] = json!("T0009")), 403),
        (with(&|payload| payload["actions"][0]["value"] = json!("edited")), 403),
        (with(&|payload| payload["type"] = json!("message_actions")), 200),
        ("payload=%7B".to_owned(), 400),
    ] {
        check("POST", &[(time, at(now)), (signature, sign(&secret, now, body.as_bytes()))], &body, status).await;
    }
    assert_eq!(world.calls_of("stagegate-approval-response"), 1, "it called AWS again");
    // Buttons of another message or another approval: looked up, and refused.
    let other = "0123456789abcdef0123456789abcdef";
    for (approval, channel, ts) in
        [(other, RELEASES, request.ts.as_str()), (&id, RELEASES, "1.000001"), (&id, "C0002", &request.ts)]
    {
        let mut clicked = click(approval, ts);
        clicked["container"]["channel_id"] = json!(channel);
        for payload in [clicked, submission(approval, channel, ts)] {
            let body = form(&payload);
            check("POST", &[(time, at(now)), (signature, sign(&secret, now, body.as_bytes()))], &body, 200).await;
        }
    }
    // The votes of these submissions are looked at later; each of them says so in the log.
    world.until("the refusals", || world.logs().matches("not counted").count() >= 3).await;
    assert_eq!(world.calls("PutApprovalResult"), 0);
    assert_eq!(world.documents("approvals")[0]["document"]["votes"], json!([]));
    assert!(!world.logs().contains(&good) && !world.logs().contains(world.slack.signing_secret()));
}

/// Without the secret nobody passes, whatever the signature.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_nobody_passes() {
    let world = World::new(ANYBODY).await;
    let url = world.aws.function_url("ApprovalResponse").unwrap();
    let body = form(&click("0123456789abcdef0123456789abcdef", "1.000001"));
    let now = Timestamp::now();
    world.aws.ssm().call("DeleteParameter", &json!({"Name": "/stagegate/slack/signing-secret"})).unwrap();
    for secret in ["", "x"] {
        let signature = sign(&SigningSecret::new(secret), now, body.as_bytes());
        let headers = [("x-slack-request-timestamp", now.as_second().to_string()), ("x-slack-signature", signature)];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(send(&url, "POST", &headers, &body).await, 401);
    }
    assert!(world.logs().contains("nobody passes without the signing secret"));
}
