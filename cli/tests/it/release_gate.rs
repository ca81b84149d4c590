//! `stagegate release-gate --explain` and `stagegate override`.

use std::path::Path;

use serde_json::Value;

use crate::state_bucket::{KEY, StateBucket};
use crate::{run, stagegate};

const POLICY: &str = r#"
gates:
  web-tests: {tests: {reports: [a.xml]}}
  web-release:
    windows: [{days: [mon, tue, wed, thu], from: "09:00", to: "16:00", zone: Europe/Berlin}]
    freezes: [{name: year end, from: 2026-12-18 18:00, to: 2027-01-03, zone: Europe/Berlin, except: {pipelines: ["hotfix-*"], variables: {KIND: security}}}]
    alarms: {names: [web-5xx], ok_for: 10m}
    verdicts: [web-tests]
"#;

fn explain(policy: &Path, more: &[&str]) -> (i32, String) {
    let policy = policy.to_str().unwrap();
    run(stagegate().args(["release-gate", "--explain", "--policy", policy]).args(more))
}

#[test]
fn it_tells_what_the_clock_allows_and_when() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("stagegate.yaml");
    std::fs::write(&policy, POLICY).unwrap();
    for (more, code, parts) in [
        (
            vec!["--at", "2026-11-25 10:00"],
            0,
            vec![
                "web-release at Wed 2026-11-25 10:00 Europe/Berlin",
                "✓ windows",
                "✓ freezes",
                "· alarms",
                "by the clock, a release is possible\n",
            ],
        ),
        (
            vec!["--at", "2026-11-27T17:00:00Z"],
            1,
            vec!["Fri 2026-11-27 18:00", "✗ windows", "possible from Mon 2026-11-30 09:00 Europe/Berlin, in 2d15h"],
        ),
        (
            vec!["--at", "2026-12-24T18:00[America/New_York]"],
            1,
            vec![
                "Fri 2026-12-25 00:00",
                "the freeze \"year end\" holds until 2027-01-04 00:00",
                "possible from Mon 2027-01-04 09:00",
            ],
        ),
        (vec!["--at", "2026-12-21 10:00"], 1, vec!["✓ windows", "✗ freezes"]),
        (vec!["--at", "2026-12-21 10:00", "--pipeline", "hotfix-web"], 0, vec!["except for the pipeline hotfix-web"]),
        (vec!["--at", "2026-12-21 10:00", "--pipeline", "web"], 1, vec!["✗ freezes"]),
        (
            vec!["--at", "2026-12-21 10:00", "--pipeline", "web", "--variable", "KIND=security"],
            0,
            vec!["except for executions with KIND=security"],
        ),
        (vec!["--at", "soon"], 64, vec!["read the time \"soon\"", "2026-12-24 18:00"]),
        (vec!["--gate", "web-relaese"], 64, vec!["did you mean \"web-release\"?"]),
        (vec!["--gate", "web-tests"], 64, vec!["it judges reports"]),
        (vec!["--variable", "KIND=security"], 64, vec!["--pipeline"]),
    ] {
        let (status, text) = explain(&policy, &more);
        assert_eq!(status, code, "{more:?}: {text}");
        parts.iter().for_each(|part| assert!(text.contains(part), "{more:?} lacks {part:?}: {text}"));
    }
    let (_, json) = explain(&policy, &["--at", "2026-11-27T17:00:00Z", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["gate"], &json["possible_from"]),
        (&"web-release".into(), &"2026-11-30T08:00:00Z".into()),
        "{json}"
    );
    assert_eq!(json["conditions"][0]["state"], "not_yet");
    assert_eq!(json["conditions"][2]["state"], "unknown");
}

#[test]
fn what_cannot_be_known_is_inconclusive_and_what_is_broken_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("stagegate.yaml");
    for (text, code, part) in [
        ("gates: {r: {calendars: [{file: gone.ics, zone: UTC}]}}", 2, "the calendar gone.ics cannot be read"),
        ("gates: {r: {calendars: [{file: c.ics, artifact: Source, zone: UTC}]}}", 2, "stands in the artifact Source"),
        ("gates: {r: {alarms: {names: [a]}}}", 0, "by the clock, a release is possible at any time"),
        (
            "gates: {r: {probes: [{url: 'https://a.b/', jsonpath: '$.[', predicate: exists}]}}",
            65,
            "use the probe 1 of the gate",
        ),
        ("gates: {r: {windows: [{zone: Mars/Olympus}]}}", 65, "is no time zone"),
        ("gates: {t: {tests: {reports: [a]}}}", 65, "it has no gate that decides about releases"),
        ("gates: {r: {alarms: {names: [a]}}, s: {alarms: {names: [a]}}}", 64, "name one of r, s with --gate"),
    ] {
        std::fs::write(&policy, text).unwrap();
        let (status, output) = explain(&policy, &[]);
        assert_eq!(status, code, "{text}: {output}");
        assert!(output.contains(part), "{text}: {output}");
    }
}

#[test]
fn an_override_is_written_and_audited() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = StateBucket::serve(folder.path());
    let give = |more: &[&str]| {
        let mut command = s3.command(KEY);
        command.args([
            "override",
            "--pipeline",
            "web",
            "--execution",
            "7cb1f2d4",
            "--gate",
            "web-release",
            "--state-bucket",
            "state",
        ]);
        run(command.args(more).env("USER", "erin"))
    };
    for (more, code, part) in [
        (vec!["--reason", " "], 64, "--reason is empty"),
        (vec!["--reason", "x", "--for", "soon"], 64, "a length of time such as 90m or 4h"),
        (vec!["--reason", "x", "--for", "8d"], 64, "seven days at the most"),
        (vec!["--reason", "x", "--by", ""], 64, "--by is empty"),
        (vec!["--reason", "x", "--state-bucket", "nobodys"], 64, "cannot be used multiple times"),
        (vec!["--reason", "the fix for the outage", "--for", "2h"], 0, "7cb1f2d4 passes the gate web-release until"),
        (vec!["--reason", "and once more"], 0, "passes the gate"),
    ] {
        let (status, text) = give(&more);
        assert_eq!(status, code, "{more:?}: {text}");
        assert!(text.contains(part), "{more:?}: {text}");
    }
    let read = |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let given = read(&folder.path().join("state/overrides/7cb1f2d4/web-release.json")).to_string();
    assert!(given.contains("\"who\":\"erin\"") && given.contains("\"why\":\"and once more\""), "{given}");
    let days = std::fs::read_dir(folder.path().join("state/audit")).unwrap().flatten();
    let entries: Vec<_> =
        days.flat_map(|day| std::fs::read_dir(day.path()).unwrap().flatten()).map(|entry| entry.path()).collect();
    let texts: Vec<_> = entries
        .iter()
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .map(|path| read(path).to_string())
        .collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("the fix for the outage")), "{texts:?}");
}

#[test]
fn check_finds_what_a_release_gate_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("stagegate.yaml");
    std::fs::write(folder.path().join("good.ics"), "BEGIN:VCALENDAR\nEND:VCALENDAR\n").unwrap();
    std::fs::write(folder.path().join("cut.ics"), "BEGIN:VCALENDAR\n").unwrap();
    for (keys, code, parts) in [
        ("alarms: {names: [a]}\n    verdicts: [web-tests]", 0, vec!["0 errors, 0 warnings"]),
        (
            "verdicts: [web-tets]",
            65,
            vec!["stagegate.yaml:4:5", "waits for the verdict of \"web-tets\"", "did you mean \"web-tests\"?"],
        ),
        ("verdicts: [r]", 65, vec!["waits for its own verdict"]),
        ("calendars: [{file: good.ics, zone: UTC}]", 0, vec!["0 errors"]),
        ("calendars: [{file: cut.ics, zone: UTC}]", 65, vec!["stagegate.yaml:4:", "it ends before END:VCALENDAR"]),
        ("calendars: [{file: gone.ics, zone: UTC}]", 65, vec!["the calendar gone.ics cannot be read"]),
        ("calendars: [{file: gone.ics, artifact: Source, zone: UTC}]", 0, vec!["0 errors"]),
        (
            "probes: [{url: 'https://a.b/', jsonpath: $.a, predicate: is 1}]",
            65,
            vec!["stagegate.yaml:4:", "its `predicate` cannot be read"],
        ),
        (
            "freezes: [{name: old, from: 2020-01-01, to: 2020-01-02, zone: UTC}]",
            0,
            vec!["the freeze \"old\" is over", "1 warning"],
        ),
    ] {
        std::fs::write(&config, format!("gates:\n  web-tests: {{tests: {{reports: [a.xml]}}}}\n  r:\n    {keys}\n"))
            .unwrap();
        let (status, text) = run(stagegate().args(["check", "--config", "stagegate.yaml"]).current_dir(folder.path()));
        assert_eq!(status, code, "{keys}: {text}");
        parts.iter().for_each(|part| assert!(text.contains(part), "{keys} lacks {part:?}: {text}"));
    }
}

#[test]
fn check_looks_at_actions_of_the_release_gate() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("stagegate.yaml"),
        "gates:\n  soaked: {soak: {stage: Build, for: 10m}}\n  slow: {alarms: {names: [a]}, sampling: {give_up_after: 25h}}\n  dated: {calendars: [{file: c.ics, artifact: Other, zone: UTC}]}\n",
    )
    .unwrap();
    let template = crate::root().join("infra/template.yaml");
    for (parameters, code, part) in [
        (r##"{"gate":"soaked","pipeline":"web","execution":"#{codepipeline.PipelineExecutionId}"}"##, 0, "0 errors"),
        (r#"{"gate":"soaked","pipeline":"web"}"#, 65, "nothing says which execution this is"),
        (r#"{"gate":"slow"}"#, 0, "CodePipeline fails an action of a Lambda function after 24 hours"),
        (r#"{"gate":"dated"}"#, 65, "has no input artifact \"Other\""),
    ] {
        let kind = |category: &str, provider: &str| serde_json::json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"});
        let configuration = serde_json::json!({"FunctionName": "stagegate-release-gate", "UserParameters": parameters});
        let pipeline = serde_json::json!({"pipeline": {"name": "web", "stages": [
            {"name": "Source", "actions": [{"name": "S", "actionTypeId": kind("Source", "S3"), "outputArtifacts": [{"name": "Code"}]}]},
            {"name": "Production", "actions": [{"name": "Gate", "actionTypeId": kind("Invoke", "Lambda"), "configuration": configuration}]},
        ]}});
        std::fs::write(folder.path().join("pipeline.json"), pipeline.to_string()).unwrap();
        let mut command = stagegate();
        command.args(["check", "--config", "stagegate.yaml", "pipeline.json", "--template"]).arg(&template);
        let (status, text) = run(command.current_dir(folder.path()));
        assert_eq!(status, code, "{parameters}: {text}");
        assert!(text.contains(part), "{parameters}: {text}");
    }
}
