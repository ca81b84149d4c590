//! The Parameter Store as its clients see it.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_ssm::{Ssm, router};
use tower_service::Service;

fn ssm() -> Ssm {
    Ssm::new(Clock::system(), "eu-west-1", "111122223333")
}

fn put(ssm: &Ssm, name: &str, kind: &str, value: &str) -> u64 {
    let input = json!({"Name": name, "Type": kind, "Value": value, "Overwrite": true});
    ssm.call("PutParameter", &input).unwrap()["Version"].as_u64().unwrap()
}

/// The answer, or the code of the error.
fn call(ssm: &Ssm, operation: &str, input: &Value) -> Result<Value, &'static str> {
    ssm.call(operation, input).map_err(|error| {
        assert!(!error.message.is_empty());
        error.code
    })
}

#[test]
fn a_parameter_is_read_as_it_was_written() {
    let ssm = ssm();
    assert_eq!(put(&ssm, "/web/url", "String", "https://example.com"), 1);
    assert_eq!(put(&ssm, "/web/url", "String", "https://example.org"), 2);
    for (name, value) in [
        ("/web/url", "https://example.org"),
        ("/web/url:1", "https://example.com"),
        ("arn:aws:ssm:eu-west-1:111122223333:parameter/web/url", "https://example.org"),
        ("arn:aws:ssm:eu-west-1:111122223333:parameter/web/url:1", "https://example.com"),
    ] {
        let parameter = &ssm.call("GetParameter", &json!({"Name": name})).unwrap()["Parameter"];
        assert_eq!(parameter["Value"], value, "{name}");
        assert_eq!(parameter["ARN"], "arn:aws:ssm:eu-west-1:111122223333:parameter/web/url");
    }
    assert_eq!(call(&ssm, "GetParameter", &json!({"Name": "/web/url:3"})), Err("ParameterVersionNotFound"));
    put(&ssm, "flat", "StringList", "a,b");
    let arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/flat";
    assert_eq!(ssm.call("GetParameter", &json!({"Name": arn})).unwrap()["Parameter"]["Type"], "StringList");
}

#[test]
fn a_secret_comes_out_only_with_decryption_and_never_in_debug_output() {
    let ssm = ssm();
    put(&ssm, "/web/token", "SecureString", "xoxb-12345");
    let sealed = ssm.call("GetParameter", &json!({"Name": "/web/token"})).unwrap();
    assert!(!sealed.to_string().contains("xoxb-12345"), "{sealed}");
    let open = ssm.call("GetParameter", &json!({"Name": "/web/token", "WithDecryption": true})).unwrap();
    assert_eq!(open["Parameter"]["Value"], "xoxb-12345");
    assert!(!format!("{ssm:?}").contains("xoxb-12345"));
    let refused = json!({"Name": "/web/token", "Value": "xoxb-12345", "AllowedPattern": "[a-z]+", "Overwrite": true});
    let error = ssm.call("PutParameter", &refused).unwrap_err();
    assert_eq!(error.code, "ParameterPatternMismatchException");
    assert!(!error.message.contains("xoxb-12345"), "{error}");
}

#[test]
fn many_parameters_are_read_by_name_and_by_path() {
    let ssm = ssm();
    (0..12).for_each(|index| assert_eq!(put(&ssm, &format!("/web/key{index:02}"), "String", "v"), 1));
    put(&ssm, "/web/deep/key", "String", "v");
    put(&ssm, "/website/key", "String", "v");
    let read = call(&ssm, "GetParameters", &json!({"Names": ["/web/key01", "/web/none"]})).unwrap();
    assert_eq!(
        (&read["Parameters"][0]["Name"], &read["InvalidParameters"]),
        (&json!("/web/key01"), &json!(["/web/none"]))
    );
    for (recursive, expected) in [(false, 12), (true, 13)] {
        let (mut names, mut token) = (Vec::new(), Value::Null);
        loop {
            let input = json!({"Path": "/web", "Recursive": recursive, "MaxResults": 5, "NextToken": token});
            let page = ssm.call("GetParametersByPath", &input).unwrap();
            let list = page["Parameters"].as_array().unwrap();
            assert!(list.len() <= 5);
            names.extend(list.iter().map(|parameter| parameter["Name"].clone()));
            token = page["NextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(names.len(), expected, "{names:?}");
    }
    assert_eq!(call(&ssm, "GetParametersByPath", &json!({"Path": "web"})), Err("ValidationException"));
    let made_up = json!({"Path": "/web", "NextToken": "made up"});
    assert_eq!(call(&ssm, "GetParametersByPath", &made_up), Err("InvalidNextToken"));
}

#[test]
fn what_the_service_refuses_is_refused_with_its_code() {
    let ssm = ssm();
    put(&ssm, "/web/url", "String", "v");
    let new = |name: &str, more: Value| {
        let mut input = json!({"Name": name, "Type": "String", "Value": "v"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for (operation, input, code) in [
        ("PutParameter", new("/web/url", json!({})), "ParameterAlreadyExists"),
        (
            "PutParameter",
            new("/web/url", json!({"Overwrite": true, "Type": "SecureString"})),
            "HierarchyTypeMismatchException",
        ),
        ("PutParameter", new("/web/new", json!({"Type": null})), "ValidationException"),
        ("PutParameter", new("/web/new", json!({"Type": "Number"})), "ValidationException"),
        ("PutParameter", new("/web/new", json!({"Value": ""})), "ValidationException"),
        ("PutParameter", new("/web/new", json!({"Value": "x".repeat(4097)})), "ValidationException"),
        ("PutParameter", new("/web/new", json!({"AllowedPattern": "("})), "InvalidAllowedPatternException"),
        ("PutParameter", new("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", json!({})), "HierarchyLevelLimitExceededException"),
        ("PutParameter", new("aws-thing", json!({})), "ValidationException"),
        ("PutParameter", new("web/url", json!({})), "ValidationException"),
        ("PutParameter", new("/web url", json!({})), "ValidationException"),
        ("GetParameter", json!({"Name": "/web/none"}), "ParameterNotFound"),
        ("GetParameters", json!({"Names": []}), "ValidationException"),
        ("DeleteParameter", json!({"Name": "/web/none"}), "ParameterNotFound"),
        ("DescribeParameters", json!({}), "UnknownOperationException"),
    ] {
        assert_eq!(call(&ssm, operation, &input), Err(code), "{operation} {input}");
    }
    assert_eq!(
        call(&ssm, "PutParameter", &new("/web/new", json!({"Tier": "Advanced", "Value": "x".repeat(8192)}))).unwrap()["Tier"],
        "Advanced"
    );
    assert_eq!(call(&ssm, "DeleteParameter", &json!({"Name": "/web/url"})), Ok(json!({})));
    assert_eq!(call(&ssm, "GetParameter", &json!({"Name": "/web/url"})), Err("ParameterNotFound"));
}

#[test]
fn the_last_hundred_versions_are_kept() {
    let ssm = ssm();
    (1..=101).for_each(|version| assert_eq!(put(&ssm, "/web/url", "String", &version.to_string()), version));
    assert_eq!(call(&ssm, "GetParameter", &json!({"Name": "/web/url:1"})), Err("ParameterVersionNotFound"));
    assert_eq!(ssm.call("GetParameter", &json!({"Name": "/web/url:2"})).unwrap()["Parameter"]["Value"], "2");
}

#[tokio::test]
async fn it_speaks_aws_json_over_http() {
    let mut router = router(ssm());
    let mut send = async |operation: &str, body: Value| {
        let request = Request::post("/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AmazonSSM.{operation}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = router.call(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, serde_json::from_slice::<Value>(&body).unwrap())
    };
    let (status, answer) = send("PutParameter", json!({"Name": "/web/url", "Type": "String", "Value": "v"})).await;
    assert_eq!((status, &answer["Version"]), (StatusCode::OK, &json!(1)));
    let (_, answer) = send("GetParameter", json!({"Name": "/web/url"})).await;
    assert_eq!(answer["Parameter"]["Value"], "v");
    let (status, answer) = send("GetParameter", json!({"Name": "/web/none"})).await;
    assert_eq!((status, &answer["__type"]), (StatusCode::BAD_REQUEST, &json!("ParameterNotFound")));
}
