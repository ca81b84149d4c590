//! What is refused, with its place.

use stagegate_local_template::{Settings, parse_template, read_template};

use crate::function;

fn check(text: &str, expected: &str) {
    match parse_template(text, "t.yaml", &Settings::default()) {
        Ok(_) => panic!("no error for {text}"),
        Err(error) => assert!(error.to_string().contains(expected), "{text}\n{error}"),
    }
}

#[test]
fn mistakes_in_a_function_are_found() {
    // The function's own properties are on lines 6 to 8.
    for (more, expected) in [
        (
            "      Timout: 3",
            "t.yaml:9:7: `Timout` is no property of AWS::Serverless::Function that is supported here; did you mean `Timeout`?",
        ),
        ("      Timeout: 901", "t.yaml:9:16: `Timeout` must be a whole number from 1 to 900, not `901`"),
        ("      Timeout: 1.5", "must be a whole number"),
        ("      MemorySize: 64", "from 128 to 10240"),
        ("      AutoPublishAlias: live", "`AutoPublishAlias` is no property"),
        ("      ImageUri: x", "`ImageUri` is no property"),
        ("      PackageType: Image", "`PackageType` is `Image`, supported here is Zip"),
        ("      Architectures: [arm64, x86_64]", "a function has one architecture"),
        ("      Architectures: [arm]", "the architecture `arm` is unknown"),
        ("      Environment: {Variable: {}}", "did you mean `Variables`?"),
        ("      Environment: {Variables: {A: [1]}}", "`A` must be a text, not a list"),
        ("      EventInvokeConfig: {MaximumRetryAttempts: 3}", "from 0 to 2"),
        ("      EventInvokeConfig: {MaximumEventAge: 60}", "`MaximumEventAge` is no property of `EventInvokeConfig`"),
        ("      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS}}}", "`OnFailure` needs `Destination`"),
        ("      FunctionUrlConfig: {AuthType: none}", "did you mean `NONE`?"),
        ("      FunctionUrlConfig: {AuthType: NONE, InvokeMode: RESPONSE_STREAM}", "supported here is BUFFERED"),
        ("      LoggingConfig: {ApplicationLogLevel: INFO}", "log levels need `LogFormat: JSON`"),
        (
            "      Events: {A: {Type: SQS, Properties: {}}}",
            "t.yaml:9:26: the event type `SQS` is not supported here, only CloudWatchEvent",
        ),
        ("      Events: {A: {Type: SNS, Properties: {}}}", "an SNS event needs `Topic`"),
        ("      Events: {A: {Type: Schedule, Properties: {Schedule: 5 minutes}}}", "`5 minutes` is no schedule"),
        ("      Events: {A: {Type: Schedule, Properties: {Schedule: rate(), Input: a}}}", "`rate()` is no schedule"),
        (
            "      Events: {A: {Type: EventBridgeRule, Properties: {Pattern: {}, Input: a, InputPath: b}}}",
            "only one of Input, InputPath",
        ),
        ("      Events: {A: {Type: EventBridgeRule, Properties: {Pattern: {}, State: ON}}}", "`State` is `ON`"),
        (
            "    Metadat: {}",
            "t.yaml:9:5: `Metadat` is no property of a resource that is supported here; did you mean `Metadata`?",
        ),
    ] {
        check(&function(&format!("{more}\n")), expected);
    }
}

#[test]
fn mistakes_in_a_template_are_found() {
    for (text, expected) in [
        (
            "Resource: {}",
            "t.yaml:1:1: `Resource` is no property of a template that is supported here; did you mean `Resources`?",
        ),
        ("Description: x", "a template needs `Resources`"),
        ("[]", "a template must be a mapping, not a list"),
        ("Resources: {A: {Type: 'AWS::Serverless::Function'}}", "SAM resources need `Transform"),
        (
            "Transform: AWS::LanguageExtensions\nResources: {}",
            "the transform `AWS::LanguageExtensions` is not supported",
        ),
        ("Resources: {A: {}}", "the resource `A` needs `Type`"),
        ("Resources: {a-b: {Type: 'AWS::S3::Bucket'}}", "`a-b` may have letters and digits only"),
        (
            "Resources: {A: {Type: 'AWS::SNS::Topics'}}",
            "t.yaml:1:23: the resource type `AWS::SNS::Topics` is unknown; did you mean `AWS::SNS::Topic`?",
        ),
        ("Resources: {A: {Type: 'AWS::S3::Bucket', Condition: X}}", "there is no condition `X`"),
        ("Globals: {Functions: {}}\nResources: {}", "did you mean `Function`?"),
        ("Hooks: {}\nResources: {}", "`Hooks` is no property of a template"),
        ("Resources: {A: {Type: 'AWS::Events::Rule', Properties: {EventPatern: {}}}}", "did you mean `EventPattern`?"),
        ("Resources:\n  A: &a {Type: 'AWS::S3::Bucket'}\n  B: *a", "t.yaml:3:6: CloudFormation knows no YAML aliases"),
    ] {
        check(text, expected);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = read_template("no/such/template.yaml".as_ref(), &Settings::default()).unwrap_err().to_string();
    assert!(error.starts_with("read no/such/template.yaml: No such file"), "{error}");
}
