//! Function URLs over plain HTTP, and how the addresses of this local AWS reach the environment of functions.

use serde_json::{Value, json};
use stagegate_local_aws::{FormBody, Options};

use crate::wire::call;
use crate::world::World;

const URLS: &str = r#"
  Open: {RECORDER {FunctionUrlConfig: {AuthType: NONE}, Environment: {Variables: {
    OTHER: !GetAtt SignedUrl.FunctionUrl, TOPIC: !Ref Alerts, QUEUE: !GetAtt Jobs.Arn, QUEUE_URL: !Ref Jobs}}}}
  Signed: {RECORDER {FunctionUrlConfig: {AuthType: AWS_IAM}}}
  Alerts: {Type: "AWS::SNS::Topic"}
  Jobs: {Type: "AWS::SQS::Queue"}
"#;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_becomes_an_event_and_an_answer_a_response() {
    let world = World::new(URLS, |_| {}).await;
    let url = world.aws.function_url("Open").unwrap();
    assert_eq!(world.aws.function_url("stagegate-Open").as_ref(), Some(&url));
    let headers = [FORM, "X-Twice: a", "X-Twice: b", "Cookie: c=1; d=2", "User-Agent: test"];
    let (head, body) = call(&url, "POST /slack/x?a=1&a=2&b=%20c", &headers, "payload=%7B%7D").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: application/json"), "{head}");
    // What the function does not state is JSON as it is.
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({"got": "cGF5bG9hZD0lN0IlN0Q=", "is_base64": true})
    );
    let event = world.events("Open", 1).await.remove(0);
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/slack/x"), &json!("a=1&a=2&b=%20c")));
    assert_eq!(event["queryStringParameters"], json!({"a": "1,2", "b": " c"}));
    assert_eq!((&event["headers"]["x-twice"], &event["cookies"]), (&json!("a,b"), &json!(["c=1", "d=2"])));
    let http = &event["requestContext"]["http"];
    assert_eq!(
        (&http["method"], &http["userAgent"], &http["sourceIp"]),
        (&json!("POST"), &json!("test"), &json!("127.0.0.1"))
    );
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_answers_follow_their_types() {
    let world = World::new(URLS, |options: &mut Options| options.form_body = FormBody::Text).await;
    let url = world.aws.function_url("Open").unwrap();
    for (content_type, got, is_base64) in [
        (FORM, "a=1", false),
        ("Content-Type: application/json; charset=utf-8", "a=1", false),
        ("Content-Type: text/plain", "a=1", false),
        ("Content-Type: application/vnd.x+json", "a=1", false),
        ("Content-Type: application/octet-stream", "YT0x", true),
        ("X-None: 1", "YT0x", true),
    ] {
        let (_, body) = call(&url, "POST /", &[content_type], "a=1").await;
        let expected = json!({"got": got, "is_base64": is_base64});
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected, "{content_type}");
    }
    for (request, head_has, body_is) in [
        ("GET /stated", &["http/1.1 201", "content-type: text/plain", "x-own: 1", "set-cookie: b=2"][..], "hello"),
        ("GET /broken", &["http/1.1 502"], "Internal Server Error"),
        (
            "GET /please%20fail?please fail".split('?').next().unwrap(),
            &["http/1.1 200"],
            r#"{"got":null,"is_base64":false}"#,
        ),
    ] {
        let (head, body) = call(&url, request, &[], "").await;
        assert!(head_has.iter().all(|part| head.contains(part)), "{request}: {head}");
        assert_eq!(body, body_is, "{request}");
    }
    let (head, body) = call(&url, "POST /", &["Content-Type: text/plain"], "please fail").await;
    assert!(head.starts_with("http/1.1 502") && body == "Internal Server Error", "{head} {body}");

    let signed = world.aws.function_url("Signed").unwrap();
    let (head, _) = call(&signed, "GET /", &[], "").await;
    assert!(head.starts_with("http/1.1 403"), "{head}");
    let (head, _) = call(&signed, "GET /", &["Authorization: AWS4-HMAC-SHA256 Credential=x"], "").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_of_a_function_has_local_addresses() {
    let world = World::new(URLS, |_| {}).await;
    let (_, body) = call(&world.aws.function_url("Open").unwrap(), "GET /environment", &[], "").await;
    let variables: Vec<(String, String)> = serde_json::from_str(&body).unwrap();
    let value = |name: &str| variables.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!(value("OTHER"), world.aws.function_url("Signed").unwrap());
    assert_eq!(value("TOPIC"), "arn:aws:sns:us-east-1:111122223333:stagegate-Alerts");
    assert_eq!(value("QUEUE"), "arn:aws:sqs:us-east-1:111122223333:stagegate-Jobs");
    assert_eq!(value("QUEUE_URL"), format!("{}/111122223333/stagegate-Jobs", world.aws.endpoint_url()));
    world.aws.shutdown().await;
}
