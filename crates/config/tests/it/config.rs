use stagegate_config::{Channel, Config, Rule};

fn error(text: &str) -> String {
    Config::parse("stagegate.yaml", text).expect_err(text).to_string()
}

#[test]
fn a_whole_policy_is_read() {
    let config = Config::parse(
        "stagegate.yaml",
        r#"
gates:
  web-tests:
    tests:
      reports: ["**/TEST-*.xml", {files: "e2e/*.xml", min_files: 2}]
      min_files: 3
      min_total: 100
      max_failed: {limit: 2, shadow: true}
      max_skipped: 5
      min_pass_rate: 99.5
      max_duration: 1h30m
      required: ["web.login::*"]
"#,
    )
    .unwrap();
    let tests = config.gate("web-tests").unwrap().test().unwrap().tests.as_ref().unwrap();
    assert_eq!(tests.min_total, Some(Rule::from(100)));
    assert_eq!(tests.max_failed, Some(Rule { limit: 2, shadow: true }));
    assert_eq!(tests.min_pass_rate.unwrap().limit.get(), 99.5);
    assert_eq!(tests.max_duration.unwrap().limit.as_duration().as_secs(), 5400);
    assert_eq!(tests.reports.iter().map(|files| tests.min_files_of(files)).collect::<Vec<_>>(), [3, 2]);
    assert!(tests.required[0].matches("web.login::works") && !tests.allow_empty);
}

/// Configurations that are refused, and what the error says.
pub(crate) fn refused() -> Vec<(String, Vec<&'static str>)> {
    let gate = |rules: &str| format!("gates:\n  web:\n    tests:\n      reports: [a.xml]\n      {rules}\n");
    let approval = |keys: &str| {
        format!(
            "channels: {{releases: {{slack: C01}}, oncall: {{slack: C02}}}}\napprovals:\n  - pipeline: web\n    {keys}\n"
        )
    };
    let decided =
        |keys: &str| approval(&format!("channel: releases\n    approvers: {{users: [U01, U02]}}\n    {keys}"));
    vec![
        ("channels: {a: {slack: '#releases'}}".to_owned(), vec!["stagegate.yaml:1", "C0123456789"]),
        ("channels: {a: {slack_webhook: 'https://hooks.slack.com/services/T/B/x'}}".to_owned(), vec!["is a secret"]),
        (
            "channels: {a: {slack_webhook: releases}}".to_owned(),
            vec!["\"releases\" is not the name of an SSM parameter"],
        ),
        ("channels: {a: {sns: oncall}}".to_owned(), vec!["\"oncall\" is not the ARN of an SNS topic"]),
        ("channels: {a: {slak: C01}}".to_owned(), vec!["did you mean \"slack\""]),
        ("channels: {a: {}}".to_owned(), vec!["stagegate.yaml:1:12", "the channel \"a\" must have exactly one of"]),
        ("channels: {a: {slack: C01, slack_webhook: /x}}".to_owned(), vec!["must have exactly one of"]),
        (
            approval("channel: releses\n    approvers: {users: [U01]}"),
            vec!["stagegate.yaml:4", "did you mean \"releases\""],
        ),
        (approval("channel: releases\n    approvers: {}"), vec!["stagegate.yaml:5", "nobody could decide"]),
        (approval("channel: releases"), vec!["approvers"]),
        (approval("channel: releases\n    approvers: {users: [ana]}"), vec!["\"ana\" is not a Slack user id"]),
        (approval("channel: releases\n    approvers: {users: [U01, U01]}"), vec!["stands here twice"]),
        (approval("channel: releases\n    approvers: {groups: [U01]}"), vec!["not the id of a Slack user group"]),
        (
            approval("channel: releases\n    approvers: {email_domains: ['@example.com']}"),
            vec!["\"@example.com\" is not a domain"],
        ),
        (decided("quorum: 0"), vec!["stagegate.yaml:6"]),
        (decided("quorum: 3"), vec!["stagegate.yaml:6", "wants 3 people for `quorum`, and only 2 may decide"]),
        (decided("rejections: 2\n    quorum: 3"), vec!["wants 3 people"]),
        (decided("remind_every: 30s"), vec!["30s is too short", "1m or more"]),
        (
            decided("escalate: {after: 9h, channel: oncall}\n    reject_after: 8h"),
            vec!["stagegate.yaml:6", "asks others after 9h"],
        ),
        (decided("escalate: {after: 1h}"), vec!["channel"]),
        (decided("comment: sometimes"), vec!["sometimes", "on_reject"]),
        (decided("automatic: web-relese"), vec!["stagegate.yaml:6", "is answered by a gate that is not there"]),
        (
            decided("automatic: t") + "gates: {t: {tests: {reports: [a]}}} # in vain\n",
            vec!["stagegate.yaml:6", "which judges reports"],
        ),
        (
            decided("automatic: r")
                + "gates: {r: {calendars: [{file: c.ics, artifact: Source, zone: UTC}]}} # in vain\n",
            vec!["stagegate.yaml:6", "in the artifact Source", "put the calendar beside"],
        ),
        (decided("when_failed: ask"), vec!["stagegate.yaml:6", "add `automatic`"]),
        (decided("when_failed: perhaps"), vec!["perhaps", "reject"]),
        ("gates: {r: {windows: [{zone: UTC}], overriders: {}}}".to_owned(), vec!["names nobody under `overriders`"]),
        ("gates: {t: {tests: {reports: [a]}, overriders: {users: [U01]}}}".to_owned(), vec!["mixes two kinds"]),
        (decided("stage: ''"), vec!["an empty pattern matches no name"]),
        (gate("min_totl: 3"), vec!["stagegate.yaml:5:7", "\"min_totl\"", "did you mean \"min_total\""]),
        (gate("min_total: many"), vec!["stagegate.yaml:5", "many"]),
        (gate("min_total: -1"), vec!["stagegate.yaml:5", "-1"]),
        (gate("max_failed: 1.5"), vec!["stagegate.yaml:5", "1.5"]),
        (gate("max_failed: {limit: 1, shadw: true}"), vec!["did you mean \"shadow\""]),
        (gate("max_failed: {shadow: true}"), vec!["limit"]),
        (gate("min_pass_rate: 0.95"), vec!["write 95 where you mean 0.95"]),
        (gate("min_pass_rate: 101"), vec!["from 0 to 100, not 101"]),
        (gate("min_pass_rate: .nan"), vec!["stagegate.yaml:5"]),
        (gate("quarantine: [{test: a, owner: me, until: 2026-12-01}]"), vec!["reason"]),
        (gate("quarantine: [{test: a, owner: ' ', reason: x, until: 2026-12-01}]"), vec!["an empty text says nothing"]),
        (gate("quarantine: [{test: a, owner: me, reason: x, until: soon}]"), vec!["\"soon\" is no day"]),
        (gate("infrastructure_failure_above: 200"), vec!["from 0 to 100"]),
        ("gates: {web: {coverage: {reports: [a], max_drop: -1}}}".to_owned(), vec!["percentage points"]),
        (
            "gates: {web: {sarif: {reports: [a], max_security_severity: hihg}}}".to_owned(),
            vec!["did you mean \"high\""],
        ),
        ("gates: {web: {sarif: {reports: [a]}, provenance: {}}}".to_owned(), vec!["asks for nothing"]),
        (
            "gates: {web: {tests: {codebuild: {project: web}}, provenance: {max_age: 2h}}}".to_owned(),
            vec!["looks at report files, and reads none"],
        ),
        ("gates: {web: {sarif: {reports: [a]}, without_baseline: maybe}}".to_owned(), vec!["maybe", "inconclusive"]),
        (gate("max_duration: 10"), vec!["10m"]),
        (gate("max_duration: soon"), vec!["\"soon\"", "1h30m"]),
        (gate("max_duration: 1.5h"), vec!["no length of time"]),
        (gate("max_duration: 0s"), vec!["no length of time"]),
        (gate("quarantine: [{test: a, owner: me, reason: x, until: 2026-13-01}]"), vec!["is no day"]),
        (gate("quarantine: [{test: a, owner: me, reason: x, until: 2026-12-01T10:00}]"), vec!["is no day"]),
        (gate("codebuild: {project: ''}"), vec!["an empty text says nothing"]),
        (gate("required: [a, 'b', '']"), vec!["an empty pattern"]),
        (gate("allow_empty: perhaps"), vec!["stagegate.yaml:5"]),
        (gate("min_files: -1"), vec!["stagegate.yaml:5"]),
        ("gates: {web: {tests: {reports: [{min_files: 1}]}}}".to_owned(), vec!["files"]),
        ("gates: {web: {tests: {reports: [{files: a, formt: x}]}}}".to_owned(), vec!["did you mean \"format\""]),
        (gate("max_duration: -5m"), vec!["no length of time"]),
        (gate("required: [\"\"]"), vec!["an empty pattern matches no test"]),
        (gate("min_total: 1\n      min_total: 2"), vec!["min_total", "stagegate.yaml:6"]),
        ("gates: {web: {tests: {reports: []}}}".to_owned(), vec!["name no report"]),
        ("gates: {web: {tests: {reports: [\"a[\"]}}}".to_owned(), vec!["\"a[\" is no glob"]),
        ("gates: {web: {tests: {reports: [\"/a.xml\"]}}}".to_owned(), vec!["write \"a.xml\""]),
        ("gates: {web: {coverage: {reports: []}}}".to_owned(), vec!["`reports` names no file"]),
        ("gates: {web: {}}".to_owned(), vec!["\"web\" has no rule"]),
        ("gats: {}".to_owned(), vec!["stagegate.yaml:1:1", "did you mean \"gates\""]),
        ("gates: [".to_owned(), vec!["stagegate.yaml:1"]),
        ("gates: {web: {test: {}}}".to_owned(), vec!["did you mean \"tests\""]),
    ]
    .into_iter()
    .chain(refused_smoke())
    .chain(crate::notifications::refused_notification())
    .chain(crate::releases::refused_release())
    .collect()
}

/// The same for smoke tests. Those that ask for something in vain have a comment that says so, for what no schema sees.
fn refused_smoke() -> Vec<(String, Vec<&'static str>)> {
    let gate = |rules: &str| format!("gates:\n  web:\n    hurl: [a.hurl]\n    {rules}\n");
    let check = |check: &str| format!("gates:\n  web:\n    checks:\n      - {{tcp: 'a:1'}}\n      - {{{check}}}\n");
    vec![
        (
            gate("tests: {reports: [a]}"),
            vec!["stagegate.yaml:3:5", "mixes two kinds", "`tests`", "`hurl`", "two gates"],
        ),
        (gate("without_baseline: pass"), vec!["mixes two kinds", "judges reports", "runs smoke tests"]),
        ("gates: {web: {variables: {a: 1}}}".to_owned(), vec!["has no smoke test"]),
        ("gates: {web: {always: [a]}}".to_owned(), vec!["has no smoke test"]),
        ("gates: {web: {hurl: []}}".to_owned(), vec!["has no smoke test"]),
        (gate("hurll: [a]"), vec!["did you mean \"hurl\""]),
        ("gates: {web: {hurl: ['']}}".to_owned(), vec!["an empty glob"]),
        ("gates: {web: {hurl: ['/a']}}".to_owned(), vec!["write \"a\""]),
        ("gates: {web: {hurl: ['a[']}}".to_owned(), vec!["is no glob"]),
        ("gates: {web: {hurl: [{files: a, repeet: 3}]}}".to_owned(), vec!["did you mean \"repeat\""]),
        ("gates: {web: {hurl: [{repeat: 3}]}}".to_owned(), vec!["files"]),
        ("gates: {web: {hurl: [{files: a, repeat: 0}]}}".to_owned(), vec!["1 to 1000 times, not 0"]),
        ("gates: {web: {hurl: [{files: a, error_rate: 0.1}]}}".to_owned(), vec!["needs several runs"]),
        (
            "gates: {web: {hurl: [{files: a, repeat: 9, error_rate: 5}]}}".to_owned(),
            vec!["write 0.05 where you mean 5"],
        ),
        ("gates: {web: {hurl: [{files: a, repeat: 9, degraded: {}}]}}".to_owned(), vec!["sets no limit"]),
        (
            "gates: {web: {hurl: [{files: a, p95: 1s, degraded: {p95: 2s}}]}} # in vain".to_owned(),
            vec!["from 1s on it has failed anyway"],
        ),
        (
            "gates: {web: {hurl: [{files: a, repeat: 9, degraded: {error_rate: 0.1}}]}} # in vain".to_owned(),
            vec!["raise `error_rate`"],
        ),
        (check("udp: 'a:1'"), vec!["stagegate.yaml:5", "unknown key \"udp\""]),
        (check("timeout: 3s"), vec!["a check of nothing"]),
        (check("tcp: 'a:1', dns: a"), vec!["two checks in one"]),
        (check("tcp: 'a:1', min_days_left: 3"), vec!["`min_days_left` says nothing in a check of `tcp`"]),
        (check("tcp: a"), vec!["\"a\" has no port"]),
        (check("tcp: 'a:99999'") + "# in vain", vec!["no port from 1 to 65535"]),
        (check("tls: 'https://a'"), vec!["https"]),
        (check("tls: a, min_version: TLSv1.4"), vec!["did you mean \"TLSv1.2\""]),
        (check("dns: 'a b'"), vec!["neither the name of a host nor an address"]),
        (check("dns: a, addresses: [300.1.1.1]") + "# in vain", vec!["stagegate.yaml:5:30", "invalid IP address"]),
        (check("dns: a, exact: true") + "# in vain", vec!["needs the `addresses`"]),
        (check("http: a.b/c"), vec!["is no URL"]),
        (check("http: 'https://a', status: 99"), vec!["no status of HTTP"]),
        (check("http: 'https://a', error_rate: 0.1"), vec!["needs several runs"]),
        (gate("variables: {1a: x} # in vain"), vec!["stagegate.yaml:4:17", "\"1a\""]),
        (gate("variables: {a: [x]}"), vec!["a text, a number, true or false"]),
        (gate("variables: {a: x}\n    secrets: {a: /x} # in vain"), vec!["stagegate.yaml:5:15", "keep one of the two"]),
        (gate("secrets: {a: 'my secret'}"), vec!["no name of an SSM parameter"]),
        (gate("retry: {attempts: 1}"), vec!["2 to 1000 attempts, not 1"]),
        (
            gate("retry: {backoff: 9s, max_backoff: 1s} # in vain"),
            vec!["stagegate.yaml:4:26", "longer than its `max_backoff`"],
        ),
        (gate("steady: {green_for: 3m}"), vec!["give_up_after"]),
        (gate("steady: {green_for: 3m, give_up_after: 3m} # in vain"), vec!["stagegate.yaml:4:29", "green for 3m"]),
        (gate("steady: {green_for: 3m, give_up_after: 24h} # in vain"), vec!["after 24h"]),
        (gate("steady: {every: 1h, green_for: 3m, give_up_after: 9m} # in vain"), vec!["make `every` shorter"]),
        (gate("network: {allow_hosts: ['https://a.b']}"), vec!["without a scheme and a path"]),
        (gate("network: {allow_networks: [localhost]}"), vec!["\"localhost\" is no network"]),
        (gate("network: {allow_networks: [10.0.0.0/33]} # in vain"), vec!["is no network"]),
        (gate("source: s3://bucket"), vec!["is no source of files"]),
        (gate("source: layers"), vec!["is no source of files"]),
        (gate("parallel: 0"), vec!["1 to 100 files and checks run at a time, not 0"]),
        (gate("timeout: 10"), vec!["10s"]),
    ]
}

#[test]
fn a_gate_is_of_one_kind() {
    let text = "gates: {t: {sarif: {reports: [a]}}, s: {hurl: [a], parallel: 3, retry: {}}}";
    let config = Config::parse("stagegate.yaml", text).unwrap();
    let (test, smoke) = (config.gate("t").unwrap(), config.gate("s").unwrap());
    assert!(test.test().is_ok() && smoke.smoke().is_ok_and(|gate| gate.parallel() == 3));
    let wrong = smoke.test().unwrap_err().to_string();
    assert_eq!(wrong, "apply the gate: it runs smoke tests, so name it in an action of the function smoke-test");
    assert!(test.smoke().unwrap_err().to_string().contains("it judges reports"));
}

#[test]
fn errors_say_where_what_and_what_instead() {
    for (text, expected) in refused() {
        let error = error(&text);
        for part in expected {
            assert!(error.contains(part), "{text}\ngave: {error}\nwithout: {part}");
        }
    }
}

#[test]
fn the_first_entry_that_matches_an_approval_holds() {
    let config = Config::parse(
        "stagegate.yaml",
        r#"
channels: {releases: {slack: C0123456789}, oncall: {sns: "arn:aws:sns:eu-west-1:111122223333:oncall"}}
approvals:
  - {pipeline: "web-*", stage: Production, channel: releases, approvers: {users: [U01, U02]}, quorum: 2}
  - {pipeline: "web-*", channel: oncall, approvers: {groups: [S01]}}
"#,
    )
    .unwrap();
    let channel =
        |pipeline, stage| config.approval(pipeline, stage, "Approve").map(|approval| approval.channel.as_str());
    assert_eq!(channel("web-eu", "Production"), Some("releases"));
    assert_eq!(channel("web-eu", "Staging"), Some("oncall"));
    assert_eq!(channel("api", "Production"), None);
    let first = &config.approvals()[0];
    assert_eq!((first.quorum.get(), first.rejections.get(), first.author_may_approve), (2, 1, true));
    assert_eq!(config.channel("releases"), Ok(&Channel::Slack("C0123456789".to_owned())));
    assert!(config.channel("release").unwrap_err().to_string().contains("did you mean \"releases\"?"));
}

#[test]
fn a_gate_that_is_not_there_is_named_with_its_neighbour() {
    let config = Config::parse("stagegate.yaml", "gates: {web-tests: {tests: {reports: [a]}}}").unwrap();
    let error = config.gate("web-test").unwrap_err().to_string();
    assert!(error.contains("did you mean \"web-tests\"?"), "{error}");
    let none = Config::default().gate("web").unwrap_err().to_string();
    assert!(none.contains("it has no gates"), "{none}");
}

#[test]
fn a_hostile_file_is_answered_quickly() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (from, to) in ('a'..'i').zip('b'..'j') {
        bomb += &format!("{to}: &{to} [*{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}]\n");
    }
    for text in [bomb, "[".repeat(100_000), "a: ".repeat(100_000), "\u{0}".to_owned()] {
        assert!(Config::parse("stagegate.yaml", &text).is_err());
    }
}

#[test]
fn a_missing_or_oversized_file_is_named() {
    let missing = Config::load(std::path::Path::new("no/such/stagegate.yaml")).unwrap_err().to_string();
    assert!(missing.starts_with("no/such/stagegate.yaml: the configuration cannot be read"), "{missing}");
}

proptest::proptest! {
    #[test]
    fn any_text_is_answered_without_a_panic(text in ".{0,200}") {
        let _ = Config::parse("stagegate.yaml", &text);
    }
}
