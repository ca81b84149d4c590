//! Intrinsic functions, one environment variable each.

use stagegate_local_template::{ParameterValue, Settings, parse_template};

const HEAD: &str = r#"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Name: {Type: String, Default: gate}
  Number: {Type: Number, Default: 7}
  Empty: {Type: String, Default: ""}
  Items: {Type: CommaDelimitedList, Default: "a, b,c"}
Mappings:
  ByRegion:
    eu-west-1: {Zone: Europe/Dublin, Sizes: [1, 2]}
Conditions:
  Yes: !Equals [!Ref Name, gate]
  No: !Not [!Condition Yes]
  SevenIsText: !Equals [!Ref Number, "7"]
  Both: !And [!Condition Yes, {Condition: SevenIsText}]
  Either: !Or [!Condition No, !Equals [!Ref "AWS::Region", eu-west-1]]
Resources:
  State: {Type: "AWS::S3::Bucket"}
  Named: {Type: "AWS::S3::Bucket", Properties: {BucketName: !Sub "${Name}-state"}}
  Alerts: {Type: "AWS::SNS::Topic", Properties: {TopicName: alerts}}
  Jobs: {Type: "AWS::SQS::Queue"}
  Logs: {Type: "AWS::Logs::LogGroup", Properties: {LogGroupName: /aws/lambda/x}}
  Role: {Type: "AWS::IAM::Role"}
  Secret: {Type: "AWS::SecretsManager::Secret", Properties: {Name: slack}}
  Channel: {Type: "AWS::SSM::Parameter", Properties: {Name: /a/b, Type: String, Value: x}}
  Layer: {Type: "AWS::Serverless::LayerVersion", Properties: {ContentUri: config/}}
  Other:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: !Sub "${Name}-other", CodeUri: x, Handler: bootstrap, Runtime: provided.al2023,
                 FunctionUrlConfig: {AuthType: NONE}}
  Gone: {Type: "AWS::S3::Bucket", Condition: No}
  Gate:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: x
      Handler: bootstrap
      Runtime: provided.al2023
      Environment:
        Variables:
          X: "#;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.dynamic_references.insert("ssm:/a/b".into(), "from ssm".into());
    settings.imports.insert("gate-topic".into(), "arn:aws:sns:eu-west-1:111122223333:shared".into());
    settings.attributes.insert("OtherUrl.FunctionUrl".into(), "http://127.0.0.1:1/".into());
    settings
}

fn value(expression: &str) -> Result<Option<String>, String> {
    let text = format!("{HEAD}{expression}\n");
    let template = parse_template(&text, "t.yaml", &settings()).map_err(|error| error.to_string())?;
    let gate = template.functions.iter().find(|function| function.logical_id == "Gate").unwrap();
    Ok(gate.environment.get("X").cloned())
}

#[test]
fn expressions_have_their_values() {
    for (expression, expected) in [
        ("plain", "plain"),
        ("7", "7"),
        ("1.10", "1.10"),
        ("true", "true"),
        ("''", ""),
        ("!Ref Name", "gate"),
        ("!Ref Number", "7"),
        ("{Ref: Name}", "gate"),
        ("!Ref AWS::Region", "eu-west-1"),
        ("!Ref AWS::AccountId", "111122223333"),
        ("!Ref AWS::Partition", "aws"),
        ("!Ref AWS::StackName", "stagegate"),
        ("!Ref AWS::URLSuffix", "amazonaws.com"),
        ("!Ref State", "stagegate-state"),
        ("!GetAtt State.Arn", "arn:aws:s3:::stagegate-state"),
        ("!Ref Named", "gate-state"),
        ("!Sub '${Named.Arn}/*'", "arn:aws:s3:::gate-state/*"),
        ("!GetAtt Named.RegionalDomainName", "gate-state.s3.eu-west-1.amazonaws.com"),
        ("!Ref Alerts", "arn:aws:sns:eu-west-1:111122223333:alerts"),
        ("!GetAtt Alerts.TopicName", "alerts"),
        ("!Ref Jobs", "https://sqs.eu-west-1.amazonaws.com/111122223333/stagegate-Jobs"),
        ("!GetAtt [Jobs, Arn]", "arn:aws:sqs:eu-west-1:111122223333:stagegate-Jobs"),
        ("!GetAtt Logs.Arn", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/x:*"),
        ("!GetAtt Role.Arn", "arn:aws:iam::111122223333:role/stagegate-Role"),
        ("!GetAtt OtherRole.Arn", "arn:aws:iam::111122223333:role/stagegate-OtherRole"),
        ("!Ref Secret", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:slack"),
        ("!Ref Channel", "/a/b"),
        ("!Ref Layer", "arn:aws:lambda:eu-west-1:111122223333:layer:Layer:1"),
        ("!Ref Other", "gate-other"),
        ("!GetAtt Other.Arn", "arn:aws:lambda:eu-west-1:111122223333:function:gate-other"),
        ("{'Fn::GetAtt': [Other, Arn]}", "arn:aws:lambda:eu-west-1:111122223333:function:gate-other"),
        ("!GetAtt OtherUrl.FunctionUrl", "http://127.0.0.1:1/"),
        ("!Sub '${Name}-${!Kept}'", "gate-${Kept}"),
        ("!Sub ['${Name}-${Extra}', {Extra: !Ref Number}]", "gate-7"),
        ("!Sub ['${Name}', {Name: own}]", "own"),
        ("!Join ['-', [a, !Ref Name, 7]]", "a-gate-7"),
        ("!Join ['', [a, b]]", "ab"),
        ("!Join [',', !Ref Items]", "a,b,c"),
        ("!Join ['+', !Split ['-', 'a-b']]", "a+b"),
        ("!Select [1, !Ref Items]", "b"),
        ("!Select ['0', !Split [':', !GetAtt State.Arn]]", "arn"),
        ("!Base64 abc", "YWJj"),
        ("!FindInMap [ByRegion, !Ref 'AWS::Region', Zone]", "Europe/Dublin"),
        ("!Select [1, !FindInMap [ByRegion, eu-west-1, Sizes]]", "2"),
        ("!ImportValue gate-topic", "arn:aws:sns:eu-west-1:111122223333:shared"),
        ("!ImportValue {'Fn::Sub': '${Name}-topic'}", "arn:aws:sns:eu-west-1:111122223333:shared"),
        ("{'Fn::ImportValue': !Join ['-', [!Ref Name, topic]]}", "arn:aws:sns:eu-west-1:111122223333:shared"),
        ("!If [Yes, a, b]", "a"),
        ("!If [No, a, b]", "b"),
        ("!If [Both, a, b]", "a"),
        ("!If [Either, a, b]", "a"),
        ("!If [No, !Ref Missing, b]", "b"),
        ("'{{resolve:ssm:/a/b}}!'", "from ssm!"),
        ("!Sub '{{resolve:ssm:${Channel}}}'", "from ssm"),
    ] {
        assert_eq!(value(expression), Ok(Some(expected.to_owned())), "{expression}");
    }
    assert_eq!(value("!Ref AWS::NoValue"), Ok(None));
    assert_eq!(value("!If [No, a, !Ref AWS::NoValue]"), Ok(None));
}

#[test]
fn expressions_that_have_none_say_why() {
    for (expression, expected) in [
        ("!Ref Nmae", "there is no resource or parameter `Nmae`; did you mean `Name`?"),
        ("!Ref AWS::Regoin", "did you mean `AWS::Region`?"),
        ("!Ref Gone", "`Gone` is left out by its condition"),
        ("!Ref Items", "`X` must be a text, not a list"),
        ("!GetAtt State", "`State` is no `LogicalId.Attribute`"),
        ("!GetAtt State.Size", "the attribute `Size` of `State` is not known here"),
        ("!GetAtt Alerts.Arn", "the attribute `Arn` of `Alerts` is not known here"),
        ("!GetAtt Nope.Arn", "no resource or parameter `Nope`"),
        ("!Sub '${Nope}'", "no resource or parameter `Nope`"),
        ("!Sub '${a'", "has no `}`"),
        ("!Select [3, !Ref Items]", "Fn::Select takes item 3, but there are 3"),
        ("!Select [x, !Ref Items]", "must be a whole number"),
        ("!FindInMap [ByRegion, eu-west-2, Zone]", "have no `eu-west-2` here; did you mean `eu-west-1`?"),
        ("!If [Maybe, a, b]", "there is no condition `Maybe`"),
        ("!If [Yes, a]", "Fn::If takes a list of 3"),
        ("!ImportValue x", "no other stack exports `x`"),
        ("!ImportValue gate-topc", "no other stack exports `gate-topc`; did you mean `gate-topic`?"),
        ("!Cidr ['10.0.0.0/16', 2, 8]", "Fn::Cidr is not supported here"),
        ("{'Fn::Length': [a]}", "Fn::Length is not supported here"),
        ("{'Fn::ForEach': x}", "Fn::ForEach is not supported here"),
        ("!GetAZs ''", "Fn::GetAZs is not supported here"),
        ("{'Fn::Transform': {Name: x}}", "Fn::Transform is not supported here"),
        ("'{{resolve:ssm:/c}}'", "`ssm:/c` is not looked up here; give it a value"),
        ("'{{resolve:secretsmanager:a}}'", "`secretsmanager:a` is not looked up"),
        ("[a]", "`X` must be a text, not a list"),
        ("~", "`X` has no value"),
        ("!If [Yes, !Ref Nope, b]", "no resource or parameter `Nope`"),
    ] {
        let error = value(expression).unwrap_err();
        assert!(error.contains(expected), "{expression}: {error}");
        // The expression is on one line; the template's own resources come before it.
        let line = HEAD.lines().count();
        assert!(error.starts_with(&format!("read t.yaml:{line}:")), "{expression}: {error}");
    }
}

#[test]
fn circles_and_long_chains_end() {
    let condition =
        |body: &str| format!("Conditions:\n{body}\nResources:\n  A: {{Type: 'AWS::S3::Bucket', Condition: C0}}");
    let chain = |length: usize| -> String {
        let mut text: String = (0..length).map(|i| format!("  C{i}: !Not [!Condition C{}]\n", i + 1)).collect();
        text.push_str(&format!("  C{length}: !Equals [a, a]\n"));
        condition(&text)
    };
    // Each refers to the next one twice: without memory it would take 2^60 steps.
    let mut doubling: String =
        (0..60).map(|i| format!("  C{i}: !And [!Condition C{0}, !Condition C{0}]\n", i + 1)).collect();
    doubling.push_str("  C60: !Equals [a, a]\n");
    let names = |count: usize| -> String {
        let bucket = |i| {
            format!(
                "  B{i}: {{Type: 'AWS::S3::Bucket', Properties: {{BucketName: !Sub '${{B{0}}}${{B{0}}}'}}}}\n",
                i + 1
            )
        };
        let buckets: String = (0..count).map(bucket).collect();
        format!("Resources:\n{buckets}  B{count}: {{Type: 'AWS::S3::Bucket', Properties: {{BucketName: abcdefgh}}}}\n")
    };
    for (text, expected) in [
        (condition("  C0: !Not [!Condition C1]\n  C1: !Not [!Condition C0]"), Some("`C0` refers to itself")),
        (condition("  C0: !Condition C0"), Some("`C0` refers to itself")),
        (chain(20), None),
        (chain(5000), Some("lead into each other more than")),
        (condition(&doubling), None),
        (names(8), None),
        (names(40), Some("more than 262144 bytes")),
        (
            "Resources:\n  A: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Ref A}}".to_owned(),
            Some("the name of `A` refers to itself"),
        ),
    ] {
        let result = parse_template(&text, "t.yaml", &Settings::default());
        match (result, expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (result, expected) => panic!("{expected:?}: {:?}", result.err()),
        }
    }
}

/// The parameter's declaration, the given value, and its value or the error.
#[test]
fn parameters_are_checked() {
    let text = |text: &str| Ok(ParameterValue::Text(text.to_owned()));
    let list = |items: &[&str]| Ok(ParameterValue::List(items.iter().map(|item| (*item).to_owned()).collect()));
    for (declaration, given, expected) in [
        ("{Type: String, Default: a}", None, text("a")),
        ("{Type: String, Default: a}", Some("b"), text("b")),
        ("{Type: String, Default: ''}", None, text("")),
        ("{Type: Number, Default: 5}", None, text("5")),
        ("{Type: CommaDelimitedList, Default: ''}", None, list(&[])),
        ("{Type: 'List<Number>', Default: '1,2'}", None, list(&["1", "2"])),
        ("{Type: 'AWS::S3::Bucket::Name', Default: b}", None, text("b")),
        ("{Type: 'AWS::SSM::Parameter::Value<String>', Default: /a}", Some("v"), text("v")),
        ("{Type: 'AWS::SSM::Parameter::Value<String>', Default: /a}", None, Err("the SSM parameter `/a`")),
        ("{Type: String}", None, Err("t.yaml:2:6: the parameter `P` has no default")),
        (
            "{Type: String, Default: c, AllowedValues: [a, b]}",
            None,
            Err("t.yaml:2:30: the parameter `P` must be one of a, b"),
        ),
        ("{Type: String, Default: a, AllowedValues: [alpha, beta]}", Some("alpa"), Err("did you mean `alpha`?")),
        ("{Type: Number, Default: 5, AllowedValues: [5, 6]}", Some("6"), text("6")),
        ("{Type: String, Default: ab, AllowedPattern: '[a-z]'}", None, Err("must match [a-z], but `ab` does not")),
        (
            "{Type: String, Default: ab, AllowedPattern: 'a', ConstraintDescription: one letter}",
            None,
            Err("does not (one letter)"),
        ),
        (
            "{Type: String, Default: a, NoEcho: true, AllowedPattern: '[a-z]'}",
            Some("S3CR3T"),
            Err("but its value does not"),
        ),
        ("{Type: Number, Default: x}", None, Err("must be a number, not `x`")),
        ("{Type: Number, Default: 5, MaxValue: 4}", None, Err("a value from -inf to 4")),
        ("{Type: String, Default: abc, MinLength: 4}", None, Err("a length from 4 to inf")),
        ("{Type: Strng, Default: a}", None, Err("the parameter type `Strng` is unknown; did you mean `String`?")),
        ("{Type: String, Defalt: a}", None, Err("did you mean `Default`?")),
    ] {
        let template = format!("Parameters:\n  P: {declaration}\nResources: {{}}\n");
        let mut settings = Settings::default();
        settings.parameters.extend(given.map(|given| ("P".to_owned(), given.to_owned())));
        match (parse_template(&template, "t.yaml", &settings), expected) {
            (Ok(template), Ok(expected)) => assert_eq!(template.parameters["P"], expected, "{declaration}"),
            (Err(error), Err(expected)) => {
                let error = error.to_string();
                assert!(error.contains(expected) && !error.contains("S3CR3T"), "{declaration}: {error}");
            }
            (result, _) => panic!("{declaration}: {:?}", result.map(|template| template.parameters)),
        }
    }
    let mut settings = Settings::default();
    settings.parameters.insert("NamePrefx".into(), "x".into());
    let template = "Parameters: {NamePrefix: {Type: String, Default: a}}\nResources: {}";
    let error = parse_template(template, "t.yaml", &settings).unwrap_err().to_string();
    assert_eq!(error, "read t.yaml: the template has no parameter `NamePrefx`; did you mean `NamePrefix`?");
}
