//! The recorded events of the function's URL, and the work that the function hands over to itself.

use approval_response::{HttpRequest, Unreadable, Work};
use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_slack::SigningSecret;
use stagegate_slack::interaction::Interaction;
use stagegate_slack::signature::verify;

fn event(name: &str) -> Value {
    let file = format!("{}/../../events/approvals/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(file).expect(name)).expect(name)
}

/// The secret of Slack's own example, by which the recorded requests are signed.
fn secret() -> SigningSecret {
    SigningSecret::new("8f742231b10e8888abcd99yyyzzz85a5")
}

fn now() -> Timestamp {
    "2020-12-15T19:10:40Z".parse().expect("a time")
}

#[test]
fn the_recorded_requests_are_believed_and_understood() {
    for name in ["slack-click", "slack-click-text"] {
        let request = HttpRequest::read(&event(name)).expect(name).expect(name);
        let body = verify(&secret(), request.signed(), now()).expect(name);
        let Ok(Interaction::BlockActions(click)) = Interaction::parse(body) else { panic!("{name}") };
        assert_eq!((click.origin.user.as_str(), click.actions[0].action_id.as_str()), ("U0001", "approve"));
    }
    let request = HttpRequest::read(&event("slack-submission")).expect("one").expect("a request");
    let body = verify(&secret(), request.signed(), now()).expect("signed");
    let Ok(Interaction::ViewSubmission(submission)) = Interaction::parse(body) else { panic!("no submission") };
    assert_eq!(submission.value("comment", "comment"), Some("Not today."));
}

#[test]
fn requests_that_are_not_looked_at() {
    let with = |pointer: &str, value: Value| {
        let mut changed = event("slack-click");
        *changed.pointer_mut(pointer).expect(pointer) = value;
        HttpRequest::read(&changed)
    };
    for method in ["GET", "HEAD", "PUT", "DELETE", "post", ""] {
        assert_eq!(with("/requestContext/http/method", json!(method)), Some(Err(Unreadable::Method)), "{method}");
    }
    assert_eq!(with("/body", json!("%%%")), Some(Err(Unreadable::Base64)));
    assert_eq!(with("/body", json!("A".repeat(2_000_000))), Some(Err(Unreadable::TooLarge)));
    // A body that is said to be text is taken as it is, and its signature does not match.
    let text = with("/isBase64Encoded", json!(false)).expect("a request").expect("readable");
    assert!(verify(&secret(), text.signed(), now()).is_err());
}

/// A request can never be taken for work, whatever stands in its body.
#[test]
fn only_what_comes_by_the_api_of_lambda_is_work() {
    let vote = event("approval-vote");
    assert!(Work::read(&vote).is_some() && HttpRequest::read(&vote).is_none());
    let mut both = event("slack-click");
    both["stagegate.vote"] = vote["stagegate.vote"].clone();
    assert!(HttpRequest::read(&both).is_some());
    for name in ["slack-click", "slack-click-text", "slack-submission"] {
        let mut request = event(name);
        assert!(Work::read(&request).is_none(), "{name}");
        request["body"] = vote.to_string().into();
        assert!(HttpRequest::read(&request).is_some() && Work::read(&request).is_none(), "{name}");
    }
    for other in [Value::Null, json!({}), json!({"stagegate.vote": {}}), json!([])] {
        assert!(Work::read(&other).is_none() && HttpRequest::read(&other).is_none());
    }
}
