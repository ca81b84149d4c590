//! Buildspecs as data: what a build prints, leaves behind and fails with.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use stagegate_local_actions::{BuildStatus, CodeBuildProvider, Project};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::{ActionFailure, ActionProvider, ActionSuccess};

use crate::support::{Bucket, content_of, is_gone, no_progress, request, zip_of};

/// One buildspec and what is expected of it.
#[derive(Default)]
struct Case<'a> {
    /// Files of the source beside buildspec.yml.
    files: &'a [(&'a str, &'a str)],
    buildspec: &'a str,
    configuration: &'a [(&'a str, &'a str)],
    outputs: &'a [&'a str],
    /// All of these are in the log, in this order.
    log: &'a [&'a str],
    /// None of these is in the log.
    not_in_log: &'a [&'a str],
    /// The phases with the first letter of their status.
    phases: &'a str,
    /// All of these are in the failure's message; empty: the build succeeds.
    failure: &'a [&'a str],
    variables: &'a [(&'a str, &'a str)],
    /// The names in each output artifact.
    artifacts: &'a [(&'a str, &'a [&'a str])],
}

struct Ran {
    result: Result<ActionSuccess, ActionFailure>,
    bucket: std::sync::Arc<Bucket>,
    provider: CodeBuildProvider,
    _data: tempfile::TempDir,
}

async fn run(case: &Case<'_>) -> Ran {
    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    let mut files = vec![("buildspec.yml", case.buildspec)];
    files.extend(case.files);
    bucket.store("Source", zip_of(&files));
    let provider = CodeBuildProvider::new(data.path(), bucket.clone(), Clock::system())
        .with_project("impatient", Project { timeout: Duration::from_millis(300), ..Project::default() })
        .with_project("elsewhere", Project { buildspec: "ci/build.yml".into(), ..Project::default() })
        .with_parameters(BTreeMap::from([("/web/token".to_owned(), "hunter2-is-secret".to_owned())]));
    let mut configuration = vec![("ProjectName", "web")];
    configuration.extend(case.configuration);
    let request = request("CodeBuild", &configuration, &["Source"], case.outputs);
    let result = provider.run(request, no_progress()).await;
    Ran { result, bucket, provider, _data: data }
}

async fn check(name: &str, case: Case<'_>) {
    let ran = run(&case).await;
    let build = ran.provider.builds().list().pop().expect("a build is recorded");
    let log = std::fs::read_to_string(&build.log).unwrap();
    let mut rest = log.as_str();
    for expected in case.log {
        let found = rest.find(expected).unwrap_or_else(|| panic!("{name}: no {expected:?} in the rest of\n{log}"));
        rest = &rest[found + expected.len()..];
    }
    for unexpected in case.not_in_log {
        assert!(!log.contains(unexpected), "{name}: {unexpected:?} must not be in\n{log}");
    }
    match &ran.result {
        Ok(success) => {
            assert!(case.failure.is_empty(), "{name}: the build must fail\n{log}");
            let variables: Vec<_> = success.output_variables.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(variables, case.variables, "{name}");
            assert_eq!(build.status, BuildStatus::Succeeded, "{name}");
        }
        Err(failure) => {
            assert!(!case.failure.is_empty(), "{name}: {}\n{log}", failure.message);
            for expected in case.failure {
                assert!(failure.message.contains(expected), "{name}: no {expected:?} in {:?}", failure.message);
            }
            assert_eq!(failure.code, "JobFailed", "{name}");
            assert_eq!(failure.external_execution_id.as_ref(), Some(&build.id), "{name}");
        }
    }
    if !case.phases.is_empty() {
        let phases: Vec<_> = build
            .phases
            .iter()
            .map(|phase| format!("{}:{}", phase.phase_type.as_str(), &phase.status.as_str()[..1]))
            .collect();
        assert_eq!(phases.join(" "), case.phases, "{name}");
    }
    for (artifact, expected) in case.artifacts {
        let files = ran.bucket.files(artifact);
        assert_eq!(files.keys().map(String::as_str).collect::<Vec<_>>(), *expected, "{name}: {artifact}");
    }
    let left = std::fs::read_dir(build.log.ancestors().nth(4).unwrap().join("builds")).unwrap().count();
    assert_eq!(left, 0, "{name}: the build's folder must be removed");
}

#[tokio::test]
async fn one_shell_runs_all_commands() {
    let buildspec = r#"
version: 0.2
env: {variables: {GREETING: "hello ${x} $HOME"}}
phases:
  install: {commands: [mkdir -p deep/er, cd deep/er, export A=1, B=2, "f() { echo from-function; }"]}
  build:
    commands:
      - 'echo "in ${PWD##*/} $A $B"'
      - f
      - echo "$GREETING"
      - |
        for i in one two
        do echo "line $i"
        done
      - printf 'no line end'
      - exec 3>/dev/null; echo to-stderr >&2
      - cat
"#;
    let log = ["in er 1 2", "from-function", "hello ${x} $HOME", "line one", "line two", "no line end", "to-stderr"];
    let phases = "DOWNLOAD_SOURCE:S INSTALL:S PRE_BUILD:S BUILD:S POST_BUILD:S UPLOAD_ARTIFACTS:S";
    check("sh", Case { buildspec, log: &log, phases, ..Case::default() }).await;
    let buildspec =
        "version: 0.2\nenv: {shell: bash}\nphases: {build: {commands: ['a=(x y)', 'echo \"second ${a[1]}\"']}}";
    check("bash", Case { buildspec, log: &["second y"], ..Case::default() }).await;
}

/// Name, buildspec, phases, log and failure.
type Transition<'a> = (&'a str, &'a str, &'a str, &'a [&'a str], &'a [&'a str]);

const TRANSITIONS: &[Transition<'_>] = &[
    (
        "a failed build runs post_build and skips the rest of its commands",
        "version: 0.2\nphases:\n  build: {commands: [echo before; ./test.sh, echo skipped], finally: [echo tidy]}\n  post_build: {commands: ['echo succeeding=$CODEBUILD_BUILD_SUCCEEDING']}",
        "DOWNLOAD_SOURCE:S INSTALL:S PRE_BUILD:S BUILD:F POST_BUILD:S UPLOAD_ARTIFACTS:S",
        &["before", "tidy", "succeeding=0"],
        &[
            "Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: Error while executing command: echo before; ./test.sh. Reason: exit status 3",
            "\nlast output:\nbefore\n2 of 3 tests failed",
        ],
    ),
    (
        "a failed pre_build ends the build",
        "version: 0.2\nphases:\n  pre_build: {commands: ['false']}\n  build: {commands: [echo skipped]}\n  post_build: {commands: [echo skipped]}",
        "DOWNLOAD_SOURCE:S INSTALL:S PRE_BUILD:F",
        &[],
        &["Phase: PRE_BUILD", "command: false. Reason: exit status 1"],
    ),
    (
        "ABORT skips post_build",
        "version: 0.2\nphases:\n  build: {on-failure: ABORT, commands: ['exit 4']}\n  post_build: {commands: [echo skipped]}",
        "DOWNLOAD_SOURCE:S INSTALL:S PRE_BUILD:S BUILD:F UPLOAD_ARTIFACTS:S",
        &[],
        &["exit status 4"],
    ),
    (
        "CONTINUE goes on, and the build stays failed",
        "version: 0.2\nphases:\n  install: {on-failure: CONTINUE, commands: [export A=1, cd deep, exit 5]}\n  build: {commands: ['echo \"built with $A in ${PWD##*/}\"']}",
        "DOWNLOAD_SOURCE:S INSTALL:F PRE_BUILD:S BUILD:S POST_BUILD:S UPLOAD_ARTIFACTS:S",
        &["built with 1 in deep"],
        &["Phase: INSTALL", "exit status 5"],
    ),
    (
        "a failed finally fails the phase",
        "version: 0.2\nphases:\n  build: {commands: [echo done], finally: ['exit 6']}",
        "DOWNLOAD_SOURCE:S INSTALL:S PRE_BUILD:S BUILD:F POST_BUILD:S UPLOAD_ARTIFACTS:S",
        &["done"],
        &["exit status 6"],
    ),
    (
        "set -e lasts, so that a failure in the middle of a command is seen",
        "version: 0.2\nphases:\n  build: {commands: [set -e, \"false\\necho skipped\"]}",
        "DOWNLOAD_SOURCE:S INSTALL:S PRE_BUILD:S BUILD:F POST_BUILD:S UPLOAD_ARTIFACTS:S",
        &[],
        &["exit status 1"],
    ),
    (
        "a syntax error fails its command",
        "version: 0.2\nphases:\n  build: {commands: ['if true; then', echo skipped]}\n  post_build: {commands: [echo still]}",
        "DOWNLOAD_SOURCE:S INSTALL:S PRE_BUILD:S BUILD:F POST_BUILD:S UPLOAD_ARTIFACTS:S",
        &["still"],
        &["exit status 2"],
    ),
];

#[tokio::test]
async fn failures_follow_the_phase_transitions() {
    let files = [("test.sh*", "#!/bin/sh\necho 2 of 3 tests failed\nexit 3\n"), ("deep/file", "")];
    for (name, buildspec, phases, log, failure) in TRANSITIONS {
        let not_in_log = ["\nskipped"];
        let case = Case { files: &files, buildspec, phases, log, failure, not_in_log: &not_in_log, ..Case::default() };
        check(name, case).await;
    }
}

#[tokio::test]
async fn bad_buildspecs_say_what_to_change() {
    let cases = [
        (
            "version 0.1",
            "version: 0.1\nphases: {build: {commands: [x]}}",
            "version \"0.1\" is not supported here; write `version: 0.2`",
        ),
        ("unknown key", "version: 0.2\nphases: {build: {command: [x]}}", "command"),
        ("unknown phase", "version: 0.2\nphases: {test: {commands: [x]}}", "test"),
        ("no commands", "version: 0.2\nphases: {build: {}}", "write at least one under phases.build.commands"),
        ("no YAML", "version: 0.2\nphases: [", "YAML_FILE_ERROR"),
        ("shell", "version: 0.2\nenv: {shell: powershell-core}\nphases: {build: {commands: [x]}}", "powershell-core"),
        ("reserved", "version: 0.2\nenv: {variables: {CODEBUILD_X: 1}}\nphases: {build: {commands: [x]}}", "reserved"),
        (
            "variable name",
            "version: 0.2\nenv: {exported-variables: ['x;y']}\nphases: {build: {commands: [x]}}",
            "\"x;y\" is not the name",
        ),
        (
            "format",
            "version: 0.2\nphases: {build: {commands: [x]}}\nreports: {r: {files: [a], file-format: JUNIT}}",
            "JUNITXML",
        ),
        (
            "parameter",
            "version: 0.2\nenv: {parameter-store: {T: /web/other}}\nphases: {build: {commands: [x]}}",
            "the parameter \"/web/other\" for the variable T is not available locally",
        ),
        (
            "exported secret",
            "version: 0.2\nenv: {parameter-store: {T: /web/token}, exported-variables: [T]}\nphases: {build: {commands: [x]}}",
            "cannot be exported",
        ),
    ];
    for (name, buildspec, failure) in cases {
        let expected = ["Phase: DOWNLOAD_SOURCE", failure];
        check(name, Case { buildspec, failure: &expected, phases: "DOWNLOAD_SOURCE:F", ..Case::default() }).await;
    }
    let configuration = [("ProjectName", "elsewhere")];
    let failure = ["ci/build.yml: there is no such file in the source"];
    check("no file", Case { buildspec: "", configuration: &configuration, failure: &failure, ..Case::default() }).await;
    let configuration = [("EnvironmentVariables", "{}")];
    let buildspec = "version: 0.2\nphases: {build: {commands: [x]}}";
    let failure = ["EnvironmentVariables are not a JSON array"];
    check("variables", Case { buildspec, configuration: &configuration, failure: &failure, ..Case::default() }).await;
}

#[tokio::test]
async fn variables_come_in_their_order_and_go_out() {
    let buildspec = r#"
version: 0.2
env:
  variables: {FROM: buildspec, NUMBER: 1.10, KEPT: spec}
  parameter-store: {TOKEN: /web/token}
  exported-variables: [FROM, NUMBER, COMPUTED, NEVER_SET, MANY]
phases:
  build:
    commands:
      - echo "token is $TOKEN"
      - COMPUTED=$(echo "${#TOKEN}")
      - MANY=$(printf 'a\nb  ')
      - 'echo "id=$CODEBUILD_BUILD_ID initiator=$CODEBUILD_INITIATOR number=$CODEBUILD_BUILD_NUMBER ok=$CODEBUILD_BUILD_SUCCEEDING"'
      - 'echo "revision=$CODEBUILD_RESOLVED_SOURCE_VERSION region=$AWS_REGION ci=$CI"'
      - '[ "$PWD" = "$CODEBUILD_SRC_DIR" ] && echo at-home'
      - 'echo "caller=${CARGO_MANIFEST_DIR:-unset}"'
"#;
    let configuration = [(
        "EnvironmentVariables",
        r#"[{"name":"FROM","value":"action","type":"PLAINTEXT"},{"name":"MORE","value":"2"}]"#,
    )];
    let log = [
        "token is ***",
        "id=web:",
        "initiator=codepipeline/web number=1 ok=1",
        "revision=abc123 region=eu-west-1 ci=true",
        "at-home",
        "caller=unset",
    ];
    let variables = [("COMPUTED", "17"), ("FROM", "action"), ("MANY", "a\nb  "), ("NUMBER", "1.10")];
    let not_in_log = ["hunter2"];
    let case = Case {
        buildspec,
        configuration: &configuration,
        log: &log,
        variables: &variables,
        not_in_log: &not_in_log,
        ..Case::default()
    };
    check("variables", case).await;
}

/// Name, artifacts section, and the names in the artifact.
const ARTIFACTS: &[(&str, &str, &[&str])] = &[
    (
        "everything",
        "artifacts: {base-directory: out, files: ['**/*']}",
        &[".hidden", "a/b/z.log", "a/y.txt", "link*", "x.txt*"],
    ),
    ("one folder deep", "artifacts: {base-directory: out, files: ['*.txt', 'a/*']}", &["a/y.txt", "x.txt*"]),
    ("from the root", "artifacts: {files: [out/x.txt, ./out/a/**/*]}", &["out/a/b/z.log", "out/a/y.txt", "out/x.txt*"]),
    (
        "without paths",
        "artifacts: {base-directory: out, files: ['**/*.txt', '**/*.log'], discard-paths: yes}",
        &["x.txt*", "y.txt", "z.log"],
    ),
    (
        "without some",
        "artifacts: {base-directory: out, files: ['**/*'], exclude-paths: ['a/**/*', .hidden, link]}",
        &["x.txt*"],
    ),
    ("two bases", "artifacts: {base-directory: 'out*', files: ['*.txt']}", &["w.txt", "x.txt*"]),
    ("links", "artifacts: {base-directory: out, files: [link, x.txt], enable-symlinks: yes}", &["link@", "x.txt*"]),
    ("secondary", "artifacts: {secondary-artifacts: {Out: {base-directory: out2, files: ['*']}}}", &["w.txt"]),
];

#[tokio::test]
async fn artifacts_hold_what_the_buildspec_names() {
    const MAKE: &str = "version: 0.2\nphases: {build: {commands: ['mkdir -p out/a/b out2 && cd out && echo 1 >x.txt && echo 2 >a/y.txt && echo 3 >a/b/z.log && echo 4 >.hidden && chmod +x x.txt && ln -s x.txt link && echo 5 >../out2/w.txt']}}\n";
    for (name, artifacts, expected) in ARTIFACTS {
        let buildspec = format!("{MAKE}{artifacts}\n");
        check(
            name,
            Case { buildspec: &buildspec, outputs: &["Out"], artifacts: &[("Out", expected)], ..Case::default() },
        )
        .await;
    }
    let failures = [
        (
            "nothing",
            "artifacts: {files: [nothing.txt]}",
            "no matching artifact paths found: nothing matches nothing.txt",
        ),
        (
            "no base",
            "artifacts: {base-directory: dist, files: ['*']}",
            "no matching base directory path found for dist",
        ),
        ("outside", "artifacts: {files: ['../../*']}", "stay within the source directory"),
        ("no section", "", "has the output artifact Out, but the buildspec has no artifacts.files"),
    ];
    for (name, artifacts, failure) in failures {
        let buildspec = format!("{MAKE}{artifacts}\n");
        let failure = ["Phase: UPLOAD_ARTIFACTS, Code: CLIENT_ERROR", failure];
        check(name, Case { buildspec: &buildspec, outputs: &["Out"], failure: &failure, ..Case::default() }).await;
    }
    let buildspec =
        format!("{MAKE}artifacts: {{files: ['out/*'], secondary-artifacts: {{A: {{files: ['out2/*']}}}}}}\n");
    let failure = ["no artifacts.secondary-artifacts.B"];
    check("several", Case { buildspec: &buildspec, outputs: &["A", "B"], failure: &failure, ..Case::default() }).await;
}

#[tokio::test]
async fn reports_are_kept_when_the_build_fails_too() {
    let buildspec = "version: 0.2\nphases: {build: {commands: ['mkdir r && echo \"<x/>\" >r/TEST-a.xml && exit 1']}}\n\
        reports: {unit: {base-directory: r, files: ['*.xml']}, none: {files: ['n/*'], file-format: CucumberJson}}\n";
    let ran = run(&Case { buildspec, ..Case::default() }).await;
    assert!(ran.result.is_err());
    let build = ran.provider.builds().list().pop().unwrap();
    let reports: Vec<_> = build
        .reports
        .iter()
        .map(|report| (report.report_group.as_str(), report.file_format.as_str(), report.files.len()))
        .collect();
    assert_eq!(reports, [("web-none", "CUCUMBERJSON", 0), ("web-unit", "JUNITXML", 1)]);
    assert_eq!(build.reports[1].files[0].name, "TEST-a.xml");
    assert_eq!(std::fs::read_to_string(&build.reports[1].files[0].path).unwrap(), "<x/>\n");
    assert!(build.reports[1].arn.starts_with("arn:aws:codebuild:eu-west-1:111122223333:report/web-unit:"));
    let upload = build.phases.last().unwrap();
    assert!(upload.contexts[0].message.contains("report none: report files not found in build"), "{upload:?}");
}

#[tokio::test]
async fn secondary_sources_have_folders_of_their_own() {
    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    let buildspec = "version: 0.2\nphases: {build: {commands: ['cp \"$CODEBUILD_SRC_DIR_Other/data\" .']}}\nartifacts: {files: [data]}\n";
    bucket.store("Main", zip_of(&[("buildspec.yml", buildspec)]));
    bucket.store("Other", zip_of(&[("data", "from the other source")]));
    let provider = CodeBuildProvider::new(data.path(), bucket.clone(), Clock::system());
    let mut asked = request("CodeBuild", &[("ProjectName", "web")], &["Other", "Main"], &["Out"]);
    let failure = provider.run(asked.clone(), no_progress()).await.unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.message.contains("PrimarySource is required")),
        ("ConfigurationError", true)
    );
    asked.configuration.insert("PrimarySource".into(), "Main".into());
    provider.run(asked, no_progress()).await.unwrap();
    assert_eq!(bucket.files("Out")["data"], "from the other source");
}

#[tokio::test]
async fn a_build_that_takes_too_long_is_killed() {
    let configuration = [("ProjectName", "impatient")];
    let buildspec = "version: 0.2\nphases: {build: {commands: [echo started, sleep 300]}}";
    let began = Instant::now();
    let case = Case {
        buildspec,
        configuration: &configuration,
        failure: &["TIMED_OUT", "project impatient"],
        ..Case::default()
    };
    check("timeout", case).await;
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn nothing_is_left_when_the_build_is_dropped() {
    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    let pids = data.path().join("pids");
    let buildspec = "version: 0.2\nphases: {build: {commands: ['sleep 300 & echo $! >\"$PIDS\"; sh -c \"echo \\$\\$ >>$PIDS.2; sleep 300\"']}}";
    bucket.store("Source", zip_of(&[("buildspec.yml", buildspec)]));
    let provider = CodeBuildProvider::new(data.path(), bucket, Clock::system());
    let variables = format!(r#"[{{"name":"PIDS","value":"{}"}}]"#, pids.display());
    let asked = request("CodeBuild", &[("ProjectName", "web"), ("EnvironmentVariables", &variables)], &["Source"], &[]);
    let second = data.path().join("pids.2");
    let (background, foreground) = tokio::select! {
        _ = provider.run(asked, no_progress()) => panic!("the build cannot end by itself"),
        both = async { (content_of(&pids).await, content_of(&second).await) } => both,
    };
    assert!(is_gone(background.trim()).await, "the background process must be killed");
    assert!(is_gone(foreground.trim()).await, "the running command must be killed");
    let build = provider.builds().list().pop().unwrap();
    assert_eq!(build.status, BuildStatus::Stopped);
    assert!(build.phases.iter().all(|phase| phase.end_time.is_some()));
    assert_eq!(std::fs::read_dir(data.path().join("builds")).unwrap().count(), 0);
}

#[tokio::test]
async fn background_processes_end_with_the_build() {
    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    let pids = data.path().join("pids");
    let buildspec = "version: 0.2\nphases: {build: {commands: ['sleep 300 & echo $! >\"$PIDS\"', echo done]}}";
    bucket.store("Source", zip_of(&[("buildspec.yml", buildspec)]));
    let provider = CodeBuildProvider::new(data.path(), bucket, Clock::system());
    let variables = format!(r#"[{{"name":"PIDS","value":"{}"}}]"#, pids.display());
    let asked = request("CodeBuild", &[("ProjectName", "web"), ("EnvironmentVariables", &variables)], &["Source"], &[]);
    let began = Instant::now();
    provider.run(asked, no_progress()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(60), "the build must not wait for its background process");
    assert!(is_gone(content_of(&pids).await.trim()).await);
}
