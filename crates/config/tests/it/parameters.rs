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
        (Some(&long), vec!["the limit is 1000"]),
    ] {
        let error = UserParameters::parse(text).and_then(|read| read.choice()).expect_err(text.unwrap_or("none"));
        for part in expected {
            assert!(error.to_string().contains(part), "{text:?} gave: {error}\nwithout: {part}");
        }
    }
}

#[test]
fn a_gate_is_named_or_stands_inline() {
    let config = Config::parse("stagegate.yaml", "gates: {web: {tests: {reports: [a.xml]}}}").unwrap();
    for (text, name, known) in [
        (r#"{"gate":"web","stage":"Test"}"#, "web", true),
        (r#"{"tests":{"reports":["a.xml"],"max_failed":1}}"#, "inline", true),
        (r#"{"gate":"wob"}"#, "wob", false),
    ] {
        let choice = UserParameters::parse(Some(text)).unwrap().choice().unwrap();
        assert_eq!((choice.name(), choice.resolve(&config).is_ok()), (name, known), "{text}");
    }
}
