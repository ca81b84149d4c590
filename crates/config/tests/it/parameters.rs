use stagegate_config::{Config, UserParameters};

#[test]
fn bad_parameters_are_explained() {
    let long = format!("{{\"gate\":\"{}\"}}", "x".repeat(1000));
    for (text, expected) in [
        (None, vec!["the action has none", "{\"gate\":"]),
        (Some("  "), vec!["the action has none"]),
        (Some("web-tests"), vec!["line 1"]),
        (Some("[]"), vec!["a JSON array, not an object"]),
        (Some(r#"{"gat":"web-tests"}"#), vec!["unknown key \"gat\"", "did you mean \"gate\""]),
        (Some(r#"{"gate":7}"#), vec!["integer `7`", "column"]),
        (Some(r#"{"execution":"x"}"#), vec!["neither \"gate\" nor a policy"]),
        (Some(r#"{"gate":"a","tests":{"reports":["a.xml"]}}"#), vec!["both \"gate\": \"a\" and a policy"]),
        (Some(r##"{"gate":"a","execution":"#{codepipline.X}"}"##), vec!["\"execution\" still holds an unresolved"]),
        (Some(r#"{"tests":{"reports":["a.xml"],"max_faild":0}}"#), vec!["did you mean \"max_failed\""]),
        (Some(r#"{"tests":{"max_failed":0}}"#), vec!["name no report"]),
        (
            Some(r##"{"tests":{"codebuild":{"project":"p","build":"#{Build.X}"}}}"##),
            vec!["\"tests.codebuild.build\" still holds"],
        ),
        (Some(r#"{"gate":"a","gate":"b"}"#), vec!["duplicate"]),
        (Some(r##"{"gate":"a","variables":{"base":"#{Deploy.Url}"}}"##), vec!["\"variables.base\" still holds"]),
        (Some(r#"{"gate":"a","variables":{"my base":"x"}}"#), vec!["\"my base\" among \"variables\""]),
        (Some(r#"{"gate":"a","hurl":["a.hurl"]}"#), vec!["both \"gate\": \"a\" and a policy"]),
        (Some(r#"{"hurl":["a.hurl"],"tests":{"reports":["a.xml"]}}"#), vec!["mixes two kinds"]),
        (Some(r#"{"steady":{"green_for":"1m","give_up_after":"2m"}}"#), vec!["has no smoke test"]),
        (Some(&long), vec!["the limit is 1000"]),
    ] {
        let error = UserParameters::parse(text).and_then(|read| read.choice()).expect_err(text.unwrap_or("none"));
        for part in expected {
            assert!(error.to_string().contains(part), "{text:?} gave: {error}\nwithout: {part}");
        }
    }
}

#[test]
fn a_key_for_another_kind_of_gate_is_refused() {
    let config = "gates: {t: {sarif: {reports: [a]}}, s: {hurl: [a]}}";
    let config = Config::parse("stagegate.yaml", config).unwrap();
    for (text, expected) in [
        (r#"{"gate":"t","variables":{"a":1}}"#, Some("\"variables\" is for a gate that runs smoke tests")),
        (r#"{"gate":"s","variables":{"a":1}}"#, None),
        (r#"{"gate":"s","build":"b"}"#, Some("\"build\" is for a gate that judges reports")),
        (r#"{"gate":"t","build":"b"}"#, None),
    ] {
        let parameters = UserParameters::parse(Some(text)).unwrap();
        let choice = parameters.choice().unwrap();
        let error = parameters.check_for(choice.resolve(&config).unwrap()).err().map(|error| error.to_string());
        assert_eq!(error.is_some(), expected.is_some(), "{text}: {error:?}");
        assert!(error.unwrap_or_default().contains(expected.unwrap_or_default()), "{text}");
    }
}

#[test]
fn a_gate_is_named_or_stands_inline() {
    let config = Config::parse("stagegate.yaml", "gates: {web: {tests: {reports: [a.xml]}}}").unwrap();
    for (text, name, known) in [
        (r#"{"gate":"web","stage":"Test"}"#, "web", true),
        (r#"{"tests":{"reports":["a.xml"],"max_failed":1}}"#, "inline", true),
        (r#"{"hurl":["a.hurl"],"checks":[{"tcp":"a:1"}],"variables":{"base":"x","n":1}}"#, "inline", true),
        (r#"{"gate":"wob"}"#, "wob", false),
    ] {
        let choice = UserParameters::parse(Some(text)).unwrap().choice().unwrap();
        assert_eq!((choice.name(), choice.resolve(&config).is_ok()), (name, known), "{text}");
    }
}
