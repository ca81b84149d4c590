use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::{root, run, stagegate};

const TEMPLATE: &str = r#"AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  NamePrefix: {Type: String, Default: stagegate}
Resources:
  Configuration:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: config/}
  SmokeTest:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: smoke-test}}
    Properties:
      FunctionName: !Sub "${NamePrefix}-smoke-test"
      CodeUri: gate
      Handler: bootstrap
      Runtime: provided.al2023
      Layers: [!Ref Configuration]
      Environment: {Variables: {STAGEGATE_CONFIG: /opt/stagegate.yaml, STAGEGATE_STATE_BUCKET: state}}
  TestGate:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: test-gate}}
    Properties:
      FunctionName: !Sub "${NamePrefix}-test-gate"
      CodeUri: gate
      Handler: bootstrap
      Runtime: provided.al2023
      Layers: [!Ref Configuration]
      Environment: {Variables: {STAGEGATE_CONFIG: /opt/stagegate.yaml, STAGEGATE_STATE_BUCKET: state}}
"#;

const CONFIG: &str = "\
gates:
  web-tests:
    tests: {reports: ['**/TEST-*.xml'], max_failed: 0}
  web-new:
    tests: {reports: ['*.xml'], max_newly_failed: 0}
  web-young:
    tests: {reports: ['*.xml']}
    provenance: {since_execution: true}
  web-groups:
    tests: {codebuild: {project: web}}
  web-smoke:
    hurl: ['smoke/*.hurl']
  other-groups:
    tests: {codebuild: {project: wob}}
";

const EXECUTION: &str = "#{codepipeline.PipelineExecutionId}";

/// A folder with a template, a configuration and a pipeline whose gate has the given parameters.
struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("infra/template.yaml", TEMPLATE);
        project.write("infra/config/stagegate.yaml", CONFIG);
        project
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, text).unwrap();
    }

    fn check(&self, arguments: &[&str]) -> (i32, String) {
        run(stagegate().arg("check").args(arguments).current_dir(self.0.path()))
    }
}

/// A pipeline `web` with a source, a build of the project `web`, the action `Gate` and a later action. `gate` changes
/// that action.
fn pipeline(gate: impl FnOnce(&mut Value)) -> String {
    let kind = |category: &str, provider: &str| json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"});
    let mut action = json!({
        "name": "Gate", "actionTypeId": kind("Invoke", "Lambda"), "runOrder": 1,
        "configuration": {"FunctionName": "stagegate-test-gate", "UserParameters": ""},
        "inputArtifacts": [{"name": "Reports"}], "namespace": "Gate",
    });
    gate(&mut action);
    let source = json!({"name": "Source", "actionTypeId": kind("Source", "S3"), "outputArtifacts": [{"name": "Code"}], "namespace": "Source"});
    let build = json!({
        "name": "Build", "actionTypeId": kind("Build", "CodeBuild"), "configuration": {"ProjectName": "web"},
        "inputArtifacts": [{"name": "Code"}], "outputArtifacts": [{"name": "Reports"}], "namespace": "Build",
    });
    let late = json!({
        "name": "Late", "actionTypeId": kind("Build", "CodeBuild"), "runOrder": 2, "configuration": {"ProjectName": "late"},
        "outputArtifacts": [{"name": "LateReports"}], "namespace": "Late",
    });
    let stage = |name: &str, actions: &[&Value]| json!({"name": name, "actions": actions});
    let pipeline = json!({"pipeline": {
        "name": "web", "pipelineType": "V2", "variables": [{"name": "gate"}],
        "stages": [stage("Source", &[&source]), stage("Build", &[&build]), stage("Test", &[&action, &late])],
    }});
    serde_json::to_string_pretty(&pipeline).unwrap()
}

fn with_parameters(parameters: &str) -> String {
    pipeline(|action| action["configuration"]["UserParameters"] = parameters.into())
}

/// The place in a pipeline file at which `part` of `text` begins; `text` stands there in a JSON string.
fn place(pipeline: &str, text: &str, part: &str) -> String {
    let escaped = |text: &str| text.replace('"', "\\\"");
    let (text, part) = (escaped(text), escaped(part));
    let at = pipeline.find(&text).unwrap_or_else(|| panic!("{text} is not in {pipeline}"));
    let at = at + text.find(&part).unwrap_or_else(|| panic!("{part} is not in {text}"));
    let line = pipeline[..at].matches('\n').count() + 1;
    let column = at - pipeline[..at].rfind('\n').map_or(0, |end| end + 1) + 1;
    format!("pipeline.json:{line}:{column}\n")
}

#[test]
fn the_repository_is_in_order() {
    for folder in [root(), root().join("examples/web")] {
        let (code, text) =
            run(stagegate().args(["check", "--deny-warnings", "--at", "2026-11-23"]).current_dir(folder));
        assert_eq!(code, 0, "{text}");
        assert!(
            text.contains("stagegate.yaml, ") && text.contains("example-pipeline.yaml: 0 errors, 0 warnings"),
            "{text}"
        );
    }
}

#[test]
fn hurl_files_are_read_where_they_are_at_hand() {
    let project = Project::new();
    project.write("code/smoke/good.hurl", "GET http://a.b/\nHTTP 200\n");
    for (broken, code, words) in [
        (None, 0, vec!["0 errors"]),
        (Some("GET http://a.b/\nHTTP 200\n[Asserts]\nnonsense\n"), 65, vec!["code/smoke/bad.hurl:4:1", "error: "]),
    ] {
        if let Some(text) = broken {
            project.write("code/smoke/bad.hurl", text);
        }
        let (got, text) = project.check(&["--source", "code", "--config", "infra/config/stagegate.yaml"]);
        assert_eq!(got, code, "{text}");
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
    let (code, text) = project.check(&["--source", "infra", "--config", "infra/config/stagegate.yaml"]);
    assert!(code == 65 && text.contains("no file in infra matches \"smoke/*.hurl\""), "{text}");
}

#[test]
fn a_gate_is_named_in_an_action_of_its_function() {
    let project = Project::new();
    let action = |function: &str, gate: &str, inputs: bool| {
        pipeline(|action| {
            action["configuration"]["FunctionName"] = function.into();
            action["configuration"]["UserParameters"] = json!({"gate": gate}).to_string().into();
            if !inputs {
                action["inputArtifacts"] = json!([]);
            }
        })
    };
    for (function, gate, inputs, code, words) in [
        ("stagegate-smoke-test", "web-smoke", true, 0, "0 errors"),
        (
            "stagegate-test-gate",
            "web-smoke",
            true,
            65,
            "calls test-gate, and its gate \"web-smoke\" is one of smoke-test",
        ),
        (
            "stagegate-smoke-test",
            "web-tests",
            true,
            65,
            "calls smoke-test, and its gate \"web-tests\" is one of test-gate",
        ),
        ("stagegate-smoke-test", "web-smoke", false, 65, "its gate reads Hurl files from there"),
    ] {
        project.write("pipeline.json", &action(function, gate, inputs));
        let (got, text) = project.check(&["pipeline.json"]);
        assert!(got == code && text.contains(words), "{function} {gate}: {text}");
    }
}

/// Parameters of the gate: what is said about them, and the text at whose beginning it is said.
#[test]
fn parameters_are_checked_against_gates_and_pipeline() {
    let cases = [
        (r#"{"gate":"web-tests","pipeline":"web","stage":"Test"}"#, "", ""),
        (
            r#"{"gate":"web-test"}"#,
            "error: infra/config/stagegate.yaml has no gate \"web-test\": did you mean \"web-tests\"?",
            r#""web-test""#,
        ),
        (r#"{"gaet":"web-tests"}"#, "unknown key \"gaet\": did you mean \"gate\"?", r#""gaet""#),
        (r#"{"gate":7}"#, "invalid type: integer `7`", "7}"),
        (r#"{"gate":"web-tests""#, "EOF while parsing", ""),
        ("web-tests", "expected value", ""),
        (r#"{"execution":"x"}"#, "neither \"gate\" nor a policy", ""),
        (r#"{"tests":{"reports":["a.xml"],"max_faild":0}}"#, "did you mean \"max_failed\"?", r#""max_faild""#),
        (r#"{"tests":{"max_failed":0}}"#, "name no report", ""),
        (
            r#"{"gate":"web-tests","pipeline":"wob"}"#,
            "warning: \"pipeline\" is \"wob\", but the pipeline is named \"web\"",
            r#""wob""#,
        ),
        (
            r#"{"gate":"web-tests","stage":"Tset"}"#,
            "warning: \"stage\" is \"Tset\", but the stage is named \"Test\"",
            r#""Tset""#,
        ),
        (
            r#"{"gate":"web-tests","execution":"7cb1"}"#,
            "warning: \"execution\" is not the id of the execution",
            r#""7cb1""#,
        ),
        (
            r##"{"gate":"web-tests","execution":"#{Source.CommitId}"}"##,
            "warning: \"execution\" is not the id of the execution",
            r##""#{Source"##,
        ),
        (
            r##"{"gate":"web-tests","execution":"#{codepipline.PipelineExecutionId}"}"##,
            "names a namespace that no action has: did you mean \"codepipeline\"?",
            "#{codepipline",
        ),
        (
            r##"{"gate":"web-tests","execution":"#{codepipeline.ExecutionId}"}"##,
            "does not exist: did you mean #{codepipeline.PipelineExecutionId}?",
            "#{codepipeline",
        ),
        (
            r##"{"gate":"web-tests","build":"#{Late.ID}"}"##,
            "#{Late.ID} is set by action Late in stage Test, which has not ended",
            "#{Late",
        ),
        (r##"{"gate":"web-tests","build":"#{Gate.ID}"}"##, "#{Gate.ID} is set by action Gate", "#{Gate"),
        (
            r##"{"gate":"web-tests","build":"#{variables.gaet}"}"##,
            "names no variable of the pipeline: did you mean \"gate\"?",
            "#{variables",
        ),
        (
            r##"{"gate":"#{variables.gate}"}"##,
            "warning: action Gate in stage Test takes its gate from #{variables.gate}",
            r##""#{variables"##,
        ),
        (r##"{"gate":"web-tests","build":"#{Build ID}"}"##, "#{Build ID} is no variable", "#{Build ID}"),
        (r#"{"gate":"web-new"}"#, "compares with a baseline, which is kept by pipeline: add \"pipeline\":\"web\"", ""),
        (r#"{"gate":"web-new","pipeline":"web"}"#, "", ""),
        (r#"{"tests":{"reports":["*.xml"],"max_vanished":0}}"#, "the gate \"inline\" compares with a baseline", ""),
        (r#"{"gate":"web-young","pipeline":"web"}"#, "add \"execution\":\"#{codepipeline.PipelineExecutionId}\"", ""),
        (r#"{"gate":"web-young"}"#, "add \"pipeline\":\"web\" and \"execution\"", ""),
        (r#"{"tests":{"reports":["a.xml","b/"]}}"#, "\"b/\" matches no file", r#""b/""#),
        (r#"{"sarif":{"reports":[{"files":"a","format":"serif"}]}}"#, "serif", r#""serif""#),
        (
            r#"{"tests":{"reports":["a"],"quarantine":[{"test":"t","owner":"me","reason":"x","until":"2020-01-31"}]}}"#,
            "warning: the quarantine of \"t\" ended on 2020-01-31",
            r#""2020-01-31""#,
        ),
        (r##"{"gate":"web-groups","build":"#{Build.CODEBUILD_BUILD_ID}"}"##, "", ""),
        (r#"{"gate":"web-groups"}"#, "write \"build\":\"#{Build.CODEBUILD_BUILD_ID}\"", ""),
        (
            r##"{"gate":"web-groups","build":"#{Source.ID}"}"##,
            "is of action Source in stage Source, which does not run the project \"web\"",
            r##""#{Source"##,
        ),
        (
            r##"{"gate":"other-groups","build":"#{Build.ID}"}"##,
            "runs the CodeBuild project \"wob\", whose reports the gate judges: did you mean \"web\"?",
            "",
        ),
        (
            r##"{"tests":{"codebuild":{"project":"late","build":"#{Build.ID}"}}}"##,
            "action Late in stage Test runs the CodeBuild project \"late\" of the gate, but has not ended",
            r#""late""#,
        ),
    ];
    let project = Project::new();
    for (parameters, message, at) in cases {
        let pipeline = with_parameters(parameters);
        project.write("pipeline.json", &pipeline);
        let (code, text) = project.check(&["pipeline.json"]);
        if message.is_empty() {
            assert_eq!((code, text.matches("-->").count()), (0, 0), "{parameters}: {text}");
            continue;
        }
        assert!(text.contains(message), "{parameters} lacks {message}: {text}");
        assert_eq!(code, if text.contains("error: ") { 65 } else { 0 }, "{parameters}: {text}");
        let place = if at.is_empty() { "pipeline.json:".to_owned() } else { place(&pipeline, parameters, at) };
        assert!(text.contains(&format!("--> {place}")), "{parameters} is not at {place}: {text}");
    }
}

#[test]
fn the_action_is_checked_against_template_and_pipeline() {
    let named = |name: &str| {
        let (name, parameters) = (name.to_owned(), r#"{"gate":"web-tests"}"#);
        pipeline(|action| action["configuration"] = json!({"FunctionName": name, "UserParameters": parameters}))
    };
    let foreign =
        pipeline(|action| action["configuration"] = json!({"FunctionName": "mailer", "UserParameters": "hello"}));
    let inputs = |names: Value| {
        pipeline(|action| {
            action["configuration"]["UserParameters"] = r#"{"gate":"web-tests"}"#.into();
            action["inputArtifacts"] = names;
        })
    };
    let long = format!("{{\"gate\":\"web-tests\",\"stage\":\"{}\"}}", "x".repeat(1000));
    let prefix = ["pipeline.json", "--parameter", "NamePrefix=team"];
    let plain = ["pipeline.json"];
    let cases: [(String, &[&str], &str); 14] = [
        (named("stagegate-test-gate"), &plain, ""),
        (named("arn:aws:lambda:eu-west-1:111122223333:function:stagegate-test-gate:1"), &plain, ""),
        (
            named("stagegate-tset-gate"),
            &plain,
            "deploys no function \"stagegate-tset-gate\": did you mean \"stagegate-test-gate\"?",
        ),
        (
            named("team-test-gate"),
            &plain,
            "gates of the template: stagegate-smoke-test, stagegate-test-gate; name the template",
        ),
        (named("something"), &plain, "deploys no function \"something\""),
        (named("team-test-gate"), &prefix, ""),
        (foreign, &plain, ""),
        (inputs(json!([])), &plain, "has no input artifact, and its gate reads reports from there"),
        (inputs(json!([{"name": "Report"}])), &plain, "makes the artifact \"Report\": did you mean \"Reports\"?"),
        (inputs(json!([{"name": "LateReports"}])), &plain, "makes the artifact \"LateReports\""),
        (inputs(json!([{"name": "Code"}, {"name": "Reports"}])), &plain, ""),
        (with_parameters(&long), &plain, "have 1031 characters, the limit is 1000"),
        (
            pipeline(|action| action["configuration"] = json!({"FunctionName": "stagegate-test-gate"})),
            &plain,
            "has no UserParameters",
        ),
        ("{\"pipeline\": {\n".to_owned(), &plain, "error: no valid JSON: EOF"),
    ];
    let project = Project::new();
    for (pipeline, arguments, message) in cases {
        project.write("pipeline.json", &pipeline);
        let (code, text) = project.check(arguments);
        if message.is_empty() {
            assert_eq!((code, text.matches("-->").count()), (0, 0), "{pipeline}: {text}");
        } else {
            assert_eq!(code, 65, "{message}: {text}");
            assert!(text.contains(message) && text.contains("--> pipeline.json:"), "lacks {message}: {text}");
        }
    }
}

/// A gate as a rule of a stage condition is checked as an action is, in the place that the condition has.
#[test]
fn the_rules_of_conditions_are_checked() {
    let rule = |member: &str, name: &str, parameters: &str, inputs: Value| {
        let mut root: Value = serde_json::from_str(&pipeline(|action| action["configuration"] = json!({}))).unwrap();
        let rule = json!({
            "name": "Entry", "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "LambdaInvoke", "version": "1"},
            "configuration": {"FunctionName": name, "UserParameters": parameters}, "inputArtifacts": inputs,
        });
        root["pipeline"]["stages"][2][member] = json!({"conditions": [{"result": "FAIL", "rules": [rule]}]});
        serde_json::to_string_pretty(&root).unwrap()
    };
    let (gate, good) = ("stagegate-test-gate", r#"{"gate":"web-tests"}"#);
    let (reports, late) = (json!([{"name": "Reports"}]), json!([{"name": "LateReports"}]));
    let cases = [
        (rule("beforeEntry", gate, good, reports.clone()), ""),
        (rule("beforeEntry", gate, r#"{"gate":"web-test"}"#, reports.clone()), "did you mean \"web-tests\"?"),
        (rule("beforeEntry", "stagegate-tset-gate", good, reports.clone()), "deploys no function"),
        (rule("beforeEntry", gate, good, json!([])), "rule Entry in stage Test has no input artifact"),
        (rule("beforeEntry", gate, good, late.clone()), "no action before rule Entry in stage Test makes the artifact"),
        (rule("onSuccess", gate, good, late), ""),
        (
            rule("onFailure", gate, r##"{"gate":"web-tests","execution":"#{Other.x}"}"##, reports),
            "a namespace that no action has",
        ),
    ];
    let project = Project::new();
    for (pipeline, message) in cases {
        project.write("pipeline.json", &pipeline);
        let (code, text) = project.check(&["pipeline.json"]);
        if message.is_empty() {
            assert_eq!((code, text.matches("-->").count()), (0, 0), "{pipeline}: {text}");
        } else {
            assert_eq!(code, 65, "{message}: {text}");
            assert!(text.contains(message), "lacks {message}: {text}");
        }
    }
}

#[test]
fn configurations_are_checked_alone() {
    let quarantine = "gates:\n  a:\n    tests:\n      reports: [a.xml]\n      quarantine:\n        - {test: slow, owner: me, reason: x, until: 2026-06-30}\n";
    let broken = "gates:\n  a:\n    tests: {reprots: [a]}\n  b: {}\n  c:\n    sarif: {reports: [a], max_error: many}\n";
    let cases: [(&str, &[&str], i32, &[&str]); 12] = [
        (quarantine, &["--at", "2026-06-30"], 0, &["0 errors, 0 warnings"]),
        (
            quarantine,
            &["--at", "2026-07-01"],
            0,
            &["warning: the quarantine of \"slow\" ended on 2026-06-30", "c.yaml:6:", "0 errors, 1 warning\n"],
        ),
        (quarantine, &["--at", "2026-07-01", "--deny-warnings"], 65, &["0 errors, 1 warning\n"]),
        (
            broken,
            &[],
            65,
            &["c.yaml:3:13", "did you mean \"reports\"", "c.yaml:4:3", "no rule", "c.yaml:6:", "many", "3 errors"],
        ),
        (
            "gates:\n  a: {tests: {reports: [reports/]}}\n",
            &[],
            65,
            &["c.yaml:2:25", "\"reports/\" matches no file: it ends with a slash"],
        ),
        ("gates:\n  a: {tests: {reports: [{files: ../a.xml}]}}\n", &[], 65, &["c.yaml:2:26", "matches no file"]),
        ("gates:\n  a: {sarif: {reports: [a, a]}}\n", &[], 0, &["c.yaml:2:28", "stands here twice"]),
        ("gates:\n  a: {tests: {reports: [{files: a, format: junti}]}}\n", &[], 65, &["c.yaml:2:", "junti"]),
        ("gates:\n  a: {tests: {reports: [{files: a, min_files: 2}]}}\n", &[], 0, &["names one file"]),
        ("gates: [\n", &[], 65, &["c.yaml:", "1 error,"]),
        ("gates: {}\n", &["--at", "soon"], 64, &["a day such as 2026-12-31"]),
        ("gates: {}\n", &[], 0, &["checked c.yaml: 0 errors, 0 warnings"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (text, arguments, expected, words) in cases {
        fs::write(folder.path().join("c.yaml"), text).unwrap();
        let mut command = stagegate();
        let (code, output) =
            run(command.args(["check", "--config", "c.yaml"]).args(arguments).current_dir(folder.path()));
        assert_eq!(code, expected, "{text}{output}");
        for word in words {
            assert!(output.contains(word), "{text} lacks {word}: {output}");
        }
    }
}

#[test]
fn the_template_must_hand_the_configuration_to_its_gates() {
    let project = Project::new();
    project.write(
        "pipeline.json",
        &with_parameters(&format!(r#"{{"gate":"web-new","pipeline":"web","execution":"{EXECUTION}"}}"#)),
    );
    project.write("other.yaml", CONFIG);
    let (code, text) = project.check(&["--config", "other.yaml", "pipeline.json"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("warning: stagegate-test-gate is deployed with infra/config/stagegate.yaml, not with other.yaml"),
        "{text}"
    );
    assert!(text.contains("--> infra/template.yaml:12:5"), "{text}");

    let cases = [
        (
            TEMPLATE.replace("opt/stagegate.yaml", "opt/gates.yaml"),
            "reads its configuration from /opt/gates.yaml, but none of its layers holds gates.yaml",
        ),
        (TEMPLATE.replace("/opt/", "/var/"), "a layer can only be below /opt/"),
        (TEMPLATE.replace("Runtime:", "Runtmie:"), "infra/template.yaml:16:7"),
        (TEMPLATE.replace("ContentUri: config/", "ContentUri: confgi/"), "none of its layers holds stagegate.yaml"),
        (
            TEMPLATE.replace("STATE_BUCKET", "BUCKET"),
            "no state bucket (STAGEGATE_STATE_BUCKET), and the gate \"web-new\" compares",
        ),
    ];
    for (template, message) in cases {
        project.write("infra/template.yaml", &template);
        let (code, text) = project.check(&["pipeline.json"]);
        assert_eq!(code, 65, "{text}");
        assert!(text.contains(message), "lacks {message}: {text}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.yaml"), "gates: {}\n").unwrap();
    let cases: [(&[&str], i32, &str); 4] = [
        (&[], 64, "failed to find infra/config/stagegate.yaml in this folder or above it; name another with --config"),
        (&["--config", "c.yaml", "p.json"], 64, "name another with --template"),
        (&["--config", "d.yaml"], 65, "error: the file cannot be read"),
        (&["--config", "c.yaml", "--template", "t.yaml"], 65, "error: the template cannot be read"),
    ];
    for (arguments, expected, message) in cases {
        let (code, text) = run(stagegate().arg("check").args(arguments).current_dir(folder.path()));
        assert_eq!(code, expected, "{text}");
        assert!(text.contains(message), "{text}");
    }
}
