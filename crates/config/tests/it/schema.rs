//! The JSON Schema in the repository: it is the one that the types give, and it decides as they do.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use stagegate_config::{Config, json_schema};

use crate::config::refused;
use crate::kept::check_kept;

/// Configurations that are read, with every key in every form.
const READ: &[&str] = &[
    "gates: {}",
    "channels: {a: {slack: C0123456789}, b: {slack_webhook: /stagegate/webhooks/b}, c: {sns: 'arn:aws:sns:eu-west-1:111122223333:c'}, d: {teams: /t}}",
    "channels: {a: {webhook: {url: 'https://example.com/hook?a=b', secret: /s}}, b: {webhook: {url_parameter: /u, secret: /s, network: {deny_private: true}}}}",
    "channels: {a: {webhook: {url: 'http://127.0.0.1:8080/x', secret: /s, network: {allow_networks: [127.0.0.1]}}}}",
    "{channels: {a: {slack: C01}, b: {sns: 'arn:aws:sns:eu-west-1:111122223333:b'}}, notifications: [{pipeline: 'web-*', on: [failed], channel: a}, {pipeline: '*', stages: [Prod*], on: [started, failed, succeeded, recovered, approval, superseded, stopped, rolled_back, stuck], channels: [a, b], thread: true, first_failure_only: true, once_per: revision, quiet_hours: {days: [mon], from: '22:00', to: '07:00', zone: UTC, except: [failed]}, mention_author: true, stuck_after: 30m}]}",
    "templates: {status: {slack: '{{ name }}'}, failed: {slack: a, sns: b, teams: {file: templates/failed.teams.j2}, webhook: '{}'}, started: {}, succeeded: , recovered: {}, approval: {}, superseded: {}, stopped: {}, rolled_back: {}, stuck: {}}",
    "{channels: {a: {teams: /t}}, notifications: [{project: nightly, on: [failed, succeeded, started, stopped], channel: a, thread: false}, {application: '*', on: [failed], channel: a, quiet_hours: {days: [sat, sun], zone: UTC}}, {pipeline: a, on: [failed], channel: a, once_per: stage}, {pipeline: a, on: [failed], channel: a, once_per: execution}]}",
    "{channels: {a: {slack: C01}}, approvals: [{pipeline: 'web-*', channel: a, approvers: {users: [U01]}}]}",
    "{channels: {a: {slack: C01}, b: {slack: G01}}, approvals: [{pipeline: web, stage: Production, action: 'A?', channel: a, approvers: {groups: [S01], email_domains: [example.com]}, quorum: 2, rejections: 2, author_may_approve: false, comment: always, remind_every: 1h, escalate: {after: 2h, channel: b}, reject_after: 8h}]}",
    "{channels: {a: {slack: C01}}, approvals: [{pipeline: web, channel: a, approvers: {users: [U01, W02]}, quorum: 2, comment: on_reject, escalate: , reject_after: }]}",
    "delivery: [{pipeline: 'web-*'}, {pipeline: infra, production: Apply, deployed_by: ['Terraform*', Migrate]}]",
    "gates: {web: {tests: {reports: ['**/TEST-*.xml', {files: 'e2e/*.xml', min_files: 2, format: junit}]}}}",
    "gates: {web: {tests: {reports: [a], min_files: 0, min_total: 100, max_failed: {limit: 2, shadow: true}}}}",
    "gates: {web: {tests: {reports: [a], max_failed: {limit: 0}, max_skipped: 5, max_flaky: {limit: 3, shadow: false}}}}",
    "gates: {web: {tests: {reports: [a], min_pass_rate: 99.5, infrastructure_failure_above: 30}}}",
    "gates: {web: {tests: {reports: [a], min_pass_rate: {limit: 0}, max_duration: 1h30m, required: ['web.login::*']}}}",
    "gates: {web: {tests: {reports: [a], max_duration: {limit: 7d, shadow: true}, allow_empty: true}}}",
    "gates: {web: {tests: {reports: [a], quarantine: [{test: 'a*', owner: me, reason: slow, until: 2026-12-31}]}}}",
    "gates: {web: {tests: {codebuild: {project: web}, max_newly_failed: 0, max_vanished: 0, max_skipped_growth: 1}}}",
    "gates: {web: {coverage: {reports: [a], min_line: 80, min_branch: {limit: 70.5}, max_drop: 0.5}}}",
    "gates: {web: {coverage: {reports: [a], max_drop: {limit: 0, shadow: true}, ignore_drop_below_lines: 5}}}",
    "gates: {web: {sarif: {reports: [a], max_error: 0, max_warning: 1, max_note: 2, new_only: true}}}",
    "gates: {web: {sarif: {reports: [a], max_security_severity: {limit: medium}}, provenance: {since_execution: true}}}",
    "gates: {s: {hurl: ['smoke/*.hurl', {files: a.hurl, repeat: 20, p95: 400ms, error_rate: 0.01}], parallel: 4}}",
    "gates: {s: {hurl: [{files: a.hurl, p95: 1s, degraded: {p95: 500ms}}], always: ['clean/*.hurl'], source: layer}}",
    "gates: {s: {hurl: [{files: a, repeat: 9, error_rate: 0.5, degraded: {error_rate: 0}}], source: 's3://bucket/a/b.zip'}}",
    "gates: {s: {hurl: [a], source: artifact, variables: {base: 'https://a.b', n: 3, f: 1.5, on: true}, secrets: {t: '/a/b:3'}}}",
    "gates: {s: {hurl: [a], retry: {attempts: 3, backoff: 500ms, max_backoff: 5s, budget: 1m}, timeout: 3m, request_timeout: 10s}}",
    "gates: {s: {hurl: [a], retry: {}, steady: {every: 30s, green_for: 3m, give_up_after: 20m}}}",
    "gates: {s: {hurl: [a], steady: {green_for: 30s, give_up_after: 23h}}}",
    "gates: {s: {hurl: [a], network: {allow_hosts: [a.b, '*.b.c', 'a.b:8443', '[::1]:80'], allow_networks: [127.0.0.0/8, '::1', 'fd00::/8'], deny_private: true}}}",
    "gates: {s: {checks: [{tcp: 'db.internal:5432', timeout: 5s}, {tcp: '{{host}}:1'}, {tcp: '[::1]:22', repeat: 1}]}}",
    "gates: {s: {checks: [{tls: a.b}, {tls: 'a.b:8443', server_name: c.d, min_version: TLSv1.3, min_days_left: 30}]}}",
    "gates: {s: {checks: [{dns: a.b}, {dns: a.b, addresses: [10.0.0.1, '::1'], exact: true}]}}",
    "gates: {s: {checks: [{http: 'https://a.b/health'}, {http: '{{base}}/x', status: 204, repeat: 20, p95: 1s, error_rate: 0.05}]}}",
    "{channels: {a: {slack: C01}}, gates: {r: {windows: [{zone: UTC}], overriders: {users: [U01], groups: [S01]}}}, approvals: [{pipeline: web, channel: a, approvers: {users: [U01]}, automatic: r, when_failed: ask}, {pipeline: x, channel: a, approvers: {users: [U01]}, automatic: r, when_failed: reject}, {pipeline: api, channel: a, approvers: {users: [U01]}, automatic: , when_failed: }]}",
    "gates: {r: {windows: [{zone: UTC}, {days: [mon, fri], from: '22:00', to: '06:00', zone: Europe/Berlin}, {to: '24:00', zone: UTC}]}}",
    "gates: {r: {freezes: [{name: a, from: 2026-12-18 18:00, to: 2027-01-03, zone: Europe/Berlin, except: {pipelines: ['hotfix-*'], variables: {KIND: hotfix}}}]}}",
    "gates: {r: {freezes: [{name: a, from: '2026-12-18T18:00', to: '2026-12-19T00:30', zone: UTC}], otherwise: ask}}",
    "gates: {r: {calendars: [{file: a.ics, zone: UTC}, {file: cal/b.ics, artifact: Source, events: windows, zone: UTC}, {file: c.ics, events: freezes, zone: UTC, except: {pipelines: [a]}}]}}",
    "gates: {r: {alarms: {names: [a, 'b c'], ok_for: 10m, missing_data: not_breaching}}}",
    "gates: {r: {soak: {stage: Staging, for: 30m}, verdicts: [web-tests, web-smoke]}}",
    "gates: {r: {verdicts: {gates: [web-tests], max_age: 2h}, otherwise: fail}}",
    "gates: {r: {metrics: [{name: rate, expression: 100 * e / r, queries: {e: {namespace: Web, metric: E, stat: Sum, dimensions: {A: b}}, r: {namespace: Web, metric: R, stat: p99.9}}, period: 5m, over: 1h, max: 1, min: 0.5, missing_data: breaching}]}}",
    "gates: {r: {metrics: [{name: a, queries: {m: {namespace: Web, metric: M, stat: Sum}}, max: 0}, {name: b, expression: 'SELECT MAX(CPU) FROM Web', min: -1}]}}",
    "gates: {r: {probes: [{url: 'https://a.b/c?d=e', jsonpath: '$.a[0]', predicate: '== \"b\"', timeout: 5s, network: {allow_networks: [127.0.0.0/8]}}]}}",
    "gates: {r: {alarms: {names: [a]}, sampling: {delay: 1m, every: 30s, green_for: 10m, failure_limit: 0, error_limit: 2, give_up_after: 2h}}}",
    "gates: {r: {alarms: {names: [a], ok_for: }, sampling: {give_up_after: 60d}, otherwise: }}",
    "gates: {web: {sarif: {reports: [a]}, provenance: {max_age: 2h}, without_baseline: inconclusive}, b: {tests: {reports: [b], max_failed: }}}",
];

/// What only the reader sees: the text is no JSON data, or it asks for what no schema can say.
const ONLY_THE_READER: &[&str] = &[
    "Europe/Berln",
    "never opens",
    "too early",
    "too long",
    "twice",
    "not of this",
    "after: 9h",
    "channel: releses",
    "# of the whole",
    "before noon",
    "quorum: 3",
    "automatic: web-relese",
    "when_failed: ask",
    "rejections: 2",
    "30s",
    ".nan",
    "min_total: 1\n      min_total: 2",
    "gates: [",
    "until: 2026-02-30",
    "in vain",
];

fn accepts(text: &str) -> bool {
    let data: Value = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    SCHEMA.is_valid(&data)
}

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::draft7::new(&json_schema()).expect("a valid schema"));

#[test]
fn the_schema_in_the_repository_is_the_current_one() {
    let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    check_kept(&repository().join("infra/config/stagegate.schema.json"), &text);
}

#[test]
fn the_schema_decides_as_the_reader_does() {
    for text in READ {
        Config::parse("stagegate.yaml", text).unwrap_or_else(|error| panic!("the reader refuses {text}: {error}"));
        assert!(accepts(text), "the schema refuses {text}");
    }
    let deployed = std::fs::read_to_string(repository().join("infra/config/stagegate.yaml")).unwrap();
    assert!(accepts(&deployed));
    let mut compared = 0;
    for (text, _) in refused() {
        if !ONLY_THE_READER.iter().any(|part| text.contains(part)) {
            assert!(!accepts(&text), "the schema accepts {text}");
            compared += 1;
        }
    }
    assert!(compared > 30, "{compared}");
}

#[test]
fn every_key_is_described() {
    fn check(schema: &Value, place: &str) {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            let place = format!("{place}.{key}");
            let known = value["description"].is_string() || key == "limit" || key == "files";
            assert!(known, "{place} has no description");
            check(value, &place);
        }
        for member in ["anyOf", "items", "additionalProperties"] {
            match &schema[member] {
                Value::Array(choices) => choices.iter().for_each(|choice| {
                    // A choice that only narrows the keys beside it describes nothing.
                    if choice["type"].is_string() {
                        check(choice, place);
                    }
                }),
                Value::Object(_) => check(&schema[member], place),
                _ => {}
            }
        }
    }
    check(&json_schema(), "");
}

proptest! {
    /// An editor must not complain about what the function takes.
    #[test]
    fn what_the_reader_takes_the_schema_takes(
        glob in r"[a-c*?\[\]{},!^/.\\-]{1,8}",
        name in r"[a-c*?\[\]{}!\\ ]{0,4}",
        length in "[0-9]{0,3}[dhms]?[0-9]{0,3}[dhms]?",
        number in prop_oneof![
            (-2i64..12).prop_map(|n| n.to_string()),
            (-1.0f64..110.0).prop_map(|n| n.to_string()),
            Just("null".to_owned()), Just("text".to_owned()), Just("{limit: 1}".to_owned()), Just("{limit: 101}".to_owned()),
        ],
        key in prop::sample::select(vec![
            "min_total", "max_failed", "min_pass_rate", "infrastructure_failure_above", "min_files", "max_duration", "min_totl",
        ]),
    ) {
        let quoted = |text: &str| text.replace('\'', "''");
        let parts = [
            format!("gates: {{a: {{tests: {{reports: ['{}']}}}}}}", quoted(&glob)),
            format!("gates: {{a: {{tests: {{reports: [a], required: ['{}']}}}}}}", quoted(&name)),
            format!("gates: {{a: {{tests: {{reports: [a], max_duration: '{length}'}}}}}}"),
            format!("gates: {{a: {{tests: {{reports: [a], {key}: {number}}}}}}}"),
        ];
            for (index, text) in parts.iter().enumerate() {
            let (read, accepted) = (Config::parse("stagegate.yaml", text).is_ok(), accepts(text));
            // The pattern of a glob does not count braces.
            prop_assert!(read == accepted || (index == 0 && accepted), "read: {read}, schema: {accepted}: {text}");
        }
    }
}

pub(crate) fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
