//! Release gates that are refused, and what the error says.

/// Configurations and what the error says. A comment in one stands for what only the reader sees.
pub(crate) fn refused_release() -> Vec<(String, Vec<&'static str>)> {
    let release = |keys: &str| format!("gates:\n  web:\n    {keys}\n");
    vec![
        (release("windows: [{zone: Europe/Berln}]"), vec!["did you mean \"Europe/Berlin\"", "stagegate.yaml:3"]),
        (release("windows: [{days: [mo], zone: UTC}]"), vec!["did you mean \"mon\""]),
        (release("windows: [{days: [], zone: UTC}]"), vec!["never opens; leave `days` out"]),
        (release("windows: [{from: '9:00', zone: UTC}]"), vec!["\"9:00\" is no time of the day"]),
        (release("windows: [{from: 900, zone: UTC}]"), vec!["in quotes, such as \"09:00\""]),
        (release("windows: [{from: '25:00', zone: UTC}]"), vec!["is no time of the day"]),
        (release("windows: [{form: '09:00', zone: UTC}]"), vec!["did you mean \"from\""]),
        (release("windows: [{from: '09:00'}]"), vec!["zone"]),
        (release("windows: []"), vec!["has no condition"]),
        (
            release("windows: [{from: '09:00', to: '09:00', zone: UTC}] # never opens"),
            vec!["which never opens", "stagegate.yaml:3:"],
        ),
        (release("freezes: [{name: a, from: 2026-12-18, to: 2026-12-32, zone: UTC}]"), vec!["is no day and no time"]),
        (
            release("freezes: [{name: a, from: 2026-12-18 9:00, to: 2026-12-19, zone: UTC}]"),
            vec!["is no day and no time"],
        ),
        (
            release("freezes: [{name: a, from: 2026-12-19, to: 2026-12-18 12:00, zone: UTC}] # too early"),
            vec!["\"a\" that ends before it begins"],
        ),
        (release("freezes: [{from: 2026-12-19, to: 2026-12-20, zone: UTC}]"), vec!["name"]),
        (
            release("freezes: [{name: a, from: 2026-12-19, to: 2026-12-20, zone: UTC, except: {pipeline: [a]}}]"),
            vec!["did you mean \"pipelines\""],
        ),
        (
            release(
                "freezes: [{name: a, from: 2026-12-19, to: 2026-12-20, zone: UTC}, {name: a, from: 2026-12-19, to: 2026-12-20, zone: UTC}] # twice",
            ),
            vec!["\"a\" twice under `freezes`"],
        ),
        (release("calendars: [{file: ../a.ics, zone: UTC}]"), vec!["is no path below stagegate.yaml"]),
        (release("calendars: [{file: /opt/a.ics, zone: UTC}]"), vec!["is no path below stagegate.yaml"]),
        (release("calendars: [{file: a.ics, events: window, zone: UTC}]"), vec!["did you mean \"windows\""]),
        (
            release("calendars: [{file: a.ics, events: windows, zone: UTC, except: {pipelines: [a]}}] # not of this"),
            vec!["has exceptions for the windows"],
        ),
        (release("alarms: {names: []}"), vec!["1 to 100 alarms, not 0"]),
        (
            release("alarms: {names: ['arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a']}"),
            vec!["write the name of the alarm"],
        ),
        (release("alarms: {names: [a], ok_fr: 10m}"), vec!["did you mean \"ok_for\""]),
        (release("alarms: {names: [a], missing_data: ignore}"), vec!["not_breaching"]),
        (release("alarms: {names: [a, a]} # twice"), vec!["\"a\" twice under `alarms`"]),
        (release("soak: {stage: Staging}"), vec!["for"]),
        (release("soak: {stage: Staging, for: 0s}"), vec!["no length of time"]),
        (release("verdicts: []"), vec!["names no gate"]),
        (release("verdicts: {max_age: 2h}"), vec!["gates"]),
        (release("verdicts: {gates: [a], max_aeg: 2h}"), vec!["did you mean \"max_age\""]),
        (
            release("metrics: [{name: a, queries: {m: {namespace: Web, metric: M, stat: Sum}}}]"),
            vec!["without a limit; add `max` or `min`"],
        ),
        (
            release("metrics: [{name: a, queries: {M: {namespace: Web, metric: M, stat: Sum}}, max: 1}]"),
            vec!["no expression can name"],
        ),
        (release("metrics: [{name: a, max: 1}] # not of this"), vec!["with 0 queries"]),
        (
            release(
                "metrics: [{name: a, queries: {m: {namespace: Web, metric: M, stat: Sum}}, min: 2, max: 1}] # not of this",
            ),
            vec!["`min` is above its `max`"],
        ),
        (
            release(
                "metrics: [{name: a, queries: {m: {namespace: Web, metric: M, stat: Sum}}, max: 1, period: 45s}] # not of this",
            ),
            vec!["a period of 45s"],
        ),
        (
            release(
                "metrics: [{name: a, queries: {m: {namespace: Web, metric: M, stat: Sum}}, max: 1, period: 400ms}] # not of this",
            ),
            vec!["whose `period` is 400ms; CloudWatch counts in whole seconds"],
        ),
        (
            release(
                "metrics: [{name: a, queries: {m: {namespace: Web, metric: M, stat: Sum}}, max: 1, over: 1m500ms}] # not of this",
            ),
            vec!["whose `over` is 1m500ms"],
        ),
        (
            release(
                "metrics: [{name: a, queries: {m: {namespace: Web, metric: M, stat: Sum}}, max: 1, period: 5m, over: 1m}] # not of this",
            ),
            vec!["looks at 0 values"],
        ),
        (
            release("probes: [{url: 'https://a.b/', jsonpath: $, predicate: exists, timeout: 21s}] # too long"),
            vec!["a probe may take 20s at the most, not 21s"],
        ),
        (release("probes: [{url: status.example.com, jsonpath: $, predicate: exists}]"), vec!["is no URL"]),
        (release("probes: [{url: 'https://a.b/', jsonpath: \"$\\n\", predicate: exists}]"), vec!["on one line"]),
        (release("probes: [{url: 'https://a.b/', jsonpath: $, predicate: '== {{x}}'}]"), vec!["{{variables}}"]),
        (release("alarms: {names: [a]}\n    sampling: {green_for: 10m}"), vec!["give_up_after"]),
        (
            release("alarms: {names: [a]}\n    sampling: {green_for: 10m, delay: 5m, give_up_after: 15m} # too early"),
            vec!["stagegate.yaml:4:", "before it can have passed"],
        ),
        (
            release(
                "alarms: {names: [a]}\n    sampling: {green_for: 10m500ms, delay: 5m500ms, give_up_after: 15m1s} # too early",
            ),
            vec!["before it can have passed"],
        ),
        (
            release("alarms: {names: [a]}\n    sampling: {give_up_after: 61d} # too early"),
            vec!["no approval of CodePipeline waits longer"],
        ),
        (
            release("alarms: {names: [a]}\n    sampling: {every: 2m, green_for: 1m, give_up_after: 1h} # too early"),
            vec!["so that 1m show a single sample"],
        ),
        (
            release("alarms: {names: [a]}\n    sampling: {failure_limit: -1, give_up_after: 1h}"),
            vec!["stagegate.yaml:4:"],
        ),
        (release("alarms: {names: [a]}\n    otherwise: aks"), vec!["did you mean \"ask\""]),
        (release("otherwise: ask"), vec!["has no condition"]),
        (
            "gates: {web: {windows: [{zone: UTC}], tests: {reports: [a]}}}".to_owned(),
            vec![
                "mixes two kinds: with `tests` it judges reports, with `windows` it decides whether a release may go on",
            ],
        ),
    ]
}
