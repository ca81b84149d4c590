//! The rows of the matrix.

use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_aws::faults::{CallFault, CallPlan, InvokeFault, InvokePlan, Refusal, Signal, When};
use stagegate_local_lambda::FunctionConfig;

use crate::cells::{Again, By, Expected, Gate, Row};
use crate::pipelines::ARTIFACTS;

/// How long a function is held up that is to die in the middle of its work.
const HELD: Duration = Duration::from_secs(30);
/// When it dies: later than it has its lease.
const AFTER: Duration = Duration::from_millis(1500);
/// Enough for one answer, and not for work that is held up.
const SHORT: Duration = Duration::from_secs(5);
const ANSWER: &str = "codepipeline:PutJobSuccessResult";
const ANY_ANSWER: &str = "codepipeline:PutJob*";

const ROW: Row = Row {
    fault: "",
    policy: "pass",
    calls: None,
    invokes: None,
    configure: None,
    event: |event| event,
    again: Again::Never,
    expected: [None; 3],
};

const fn of(by: By, code: &'static str, text: &'static str) -> Option<Expected> {
    Some(Expected { by, code, text })
}

const fn all(by: By, code: &'static str, text: &'static str) -> [Option<Expected>; 3] {
    [of(by, code, text); 3]
}

const fn itself(code: &'static str, text: &'static str) -> [Option<Expected>; 3] {
    all(By::Function, code, text)
}

const fn guard(code: &'static str, text: &'static str) -> [Option<Expected>; 3] {
    all(By::Guard, code, text)
}

/// A function that is held up and struck meanwhile.
const fn struck(fault: &'static str, invokes: fn(&Gate) -> InvokePlan, expected: [Option<Expected>; 3]) -> Row {
    Row { fault, calls: Some(|gate| gate.held(HELD)), invokes: Some(invokes), expected, ..ROW }
}

fn answered(when: When, fault: CallFault) -> CallPlan {
    CallPlan::seeded(1).on(ANSWER, "*", when, fault)
}

fn refused(status: u16, when: When) -> CallPlan {
    answered(when, CallFault::Refuse(Refusal::of_status(status)))
}

fn artifacts(refusal: Refusal) -> CallPlan {
    let all = format!("{ARTIFACTS}/*");
    CallPlan::seeded(1).on("s3:GetObject", &all, When::Always, CallFault::Refuse(refusal))
}

fn short(config: &mut FunctionConfig) {
    config.timeout = SHORT;
}

pub(crate) fn rows() -> Vec<Row> {
    [work(), deaths(), answers(), events(), inputs()].concat()
}

fn work() -> Vec<Row> {
    const LATE: &str = "the function had no result after";
    vec![
        Row { fault: "none", expected: itself("", "passed"), ..ROW },
        Row { fault: "a bad result", policy: "fail", expected: itself("JobFailed", ""), ..ROW },
        Row {
            fault: "the deadline is reached while it computes",
            policy: "cpu",
            configure: Some(short),
            event: |mut event| {
                let artifact = &mut event["CodePipeline.job"]["data"]["inputArtifacts"][0];
                artifact["location"]["s3Location"]["objectKey"] = json!("heavy.zip");
                event
            },
            expected: itself("JobFailed", LATE),
            ..ROW
        },
        Row {
            fault: "the deadline is reached in S3",
            policy: "s3",
            configure: Some(short),
            calls: Some(|_| CallPlan::seeded(1).on("s3:GetObject", "*", When::Always, CallFault::Slow(HELD))),
            expected: itself("JobFailed", LATE),
            ..ROW
        },
        Row {
            fault: "the deadline is reached in HTTP",
            policy: "http",
            configure: Some(short),
            calls: Some(|gate| gate.unanswered(HELD)),
            expected: [
                of(By::Function, "JobFailed", LATE),
                of(By::Function, "JobFailed", ""),
                of(By::Function, "JobFailed", ""),
            ],
            ..ROW
        },
    ]
}

fn deaths() -> Vec<Row> {
    fn kill(gate: &Gate, signal: Signal) -> InvokePlan {
        InvokePlan::seeded(1).on(gate.function, When::Always, InvokeFault::Signal(signal, AFTER))
    }
    vec![
        struck("SIGKILL", |gate| kill(gate, Signal::Kill), guard("SystemUnavailable", "was killed")),
        struck(
            "SIGABRT, as for an abort or a stack overflow",
            |gate| kill(gate, Signal::Abort),
            guard("JobFailed", "crashed"),
        ),
        struck(
            "out of memory",
            |gate| InvokePlan::seeded(1).on(gate.function, When::Always, InvokeFault::OutOfMemory(AFTER)),
            guard("JobFailed", "ran out of memory at "),
        ),
        Row {
            configure: Some(short),
            ..struck(
                "the whole process stands still",
                |gate| kill(gate, Signal::Stop),
                guard("JobFailed", "was stopped after 5 s, when its time was over"),
            )
        },
        Row {
            fault: "it is killed at its start",
            invokes: Some(|gate| InvokePlan::seeded(1).on(gate.function, When::Always, InvokeFault::CrashAtStart)),
            expected: guard("SystemUnavailable", "was killed"),
            ..ROW
        },
        Row {
            fault: "SIGKILL, and there is no state bucket",
            configure: Some(|config| drop(config.environment.remove("STAGEGATE_STATE_BUCKET"))),
            ..struck("", |gate| kill(gate, Signal::Kill), guard("SystemUnavailable", "was killed; if it happens again"))
        },
        Row {
            fault: "SIGKILL, and S3 is down for the guard",
            calls: Some(|gate| {
                let refusal = CallFault::Refuse(Refusal::of_s3_status(503));
                gate.held(HELD).on("s3:*", "*/jobs/*", When::Always, refusal)
            }),
            ..struck("", |gate| kill(gate, Signal::Kill), guard("SystemUnavailable", "was killed"))
        },
        Row {
            fault: "it is throttled twice",
            invokes: Some(|gate| InvokePlan::seeded(1).on(gate.function, When::First(2), InvokeFault::Throttle)),
            expected: itself("", "passed"),
            ..ROW
        },
    ]
}

fn answers() -> Vec<Row> {
    vec![
        Row {
            fault: "the answer is refused with 429, twice",
            calls: Some(|_| refused(429, When::First(2))),
            expected: itself("", "passed"),
            ..ROW
        },
        Row {
            fault: "the answer is refused with 500, three times",
            calls: Some(|_| refused(500, When::First(3))),
            expected: itself("", "passed"),
            ..ROW
        },
        Row {
            fault: "the answer is refused with 400",
            calls: Some(|_| answered(When::Always, CallFault::Refuse(Refusal::new(400, "ValidationException")))),
            expected: itself("JobFailed", "CodePipeline refused the success that the function reported"),
            ..ROW
        },
        Row {
            fault: "the answer is refused with 403",
            calls: Some(|_| refused(403, When::Always)),
            expected: itself("PermissionError", "allow codepipeline:PutJobSuccessResult"),
            ..ROW
        },
        Row {
            fault: "the connection ends before the answer is taken",
            calls: Some(|_| answered(When::First(1), CallFault::CutOff)),
            expected: itself("", "passed"),
            ..ROW
        },
        Row {
            fault: "the connection ends after the answer is taken",
            calls: Some(|_| answered(When::First(1), CallFault::CutOffAfterwards)),
            expected: itself("", "passed"),
            ..ROW
        },
        Row {
            fault: "the answer takes two seconds",
            calls: Some(|_| {
                CallPlan::seeded(1).on(ANY_ANSWER, "*", When::First(1), CallFault::Slow(Duration::from_secs(2)))
            }),
            expected: itself("", "passed"),
            ..ROW
        },
    ]
}

fn events() -> Vec<Row> {
    vec![
        Row {
            fault: "the event's data are broken",
            event: |mut event| {
                event["CodePipeline.job"]["data"] = Value::Null;
                event
            },
            expected: itself("JobFailed", "failed to read the job event: `CodePipeline.job.data` is missing"),
            ..ROW
        },
        Row {
            fault: "the parameters are no JSON",
            event: |mut event| {
                event["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]["UserParameters"] =
                    json!("{");
                event
            },
            expected: itself("ConfigurationError", "UserParameters"),
            ..ROW
        },
        Row { fault: "the event is a foreign one", expected: all(By::Nobody, "", ""), ..ROW },
        Row {
            fault: "the event comes twice at once",
            calls: Some(|gate| gate.held(Duration::from_secs(1))),
            again: Again::AtOnce,
            expected: itself("", "passed"),
            ..ROW
        },
        Row { fault: "the event comes again later", again: Again::Later, expected: itself("", "passed"), ..ROW },
        Row {
            fault: "the event comes again after a bad result",
            policy: "fail",
            again: Again::Later,
            expected: itself("JobFailed", ""),
            ..ROW
        },
    ]
}

/// The artifact holds the evidence of two functions; to the third a calendar that cannot be read is a question to people.
const fn refused_artifact(text: &'static str) -> [Option<Expected>; 3] {
    let denied = of(By::Function, "PermissionError", text);
    [denied, denied, of(By::Function, "JobFailed", text)]
}

fn inputs() -> Vec<Row> {
    vec![
        Row {
            fault: "the artifact's credentials have expired",
            policy: "artifact",
            calls: Some(|_| artifacts(Refusal::new(400, "ExpiredToken"))),
            expected: refused_artifact("ExpiredToken"),
            ..ROW
        },
        Row {
            fault: "KMS denies the artifact's key",
            policy: "artifact",
            calls: Some(|_| {
                let message =
                    "User is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext";
                artifacts(Refusal { message: message.to_owned(), ..Refusal::new(403, "AccessDenied") })
            }),
            expected: refused_artifact("kms:Decrypt"),
            ..ROW
        },
        Row {
            fault: "the download breaks off each time",
            policy: "artifact",
            calls: Some(|_| {
                let all = format!("{ARTIFACTS}/*");
                CallPlan::seeded(1).on("s3:GetObject", &all, When::Always, CallFault::CutOffAfterwards)
            }),
            expected: {
                let unavailable = of(By::Function, "SystemUnavailable", "the download broke off");
                [unavailable, unavailable, of(By::Function, "JobFailed", "the download broke off")]
            },
            ..ROW
        },
        Row {
            fault: "the configuration layer is missing",
            configure: Some(|config| {
                config.environment.insert("STAGEGATE_CONFIG".to_owned(), "/opt/none/stagegate.yaml".to_owned());
            }),
            expected: itself("ConfigurationError", "/opt/none/stagegate.yaml"),
            ..ROW
        },
        Row {
            fault: "a secret is missing",
            policy: "secret",
            expected: [None, of(By::Function, "ConfigurationError", "SSM has no parameter"), None],
            ..ROW
        },
        Row {
            fault: "the verdict cannot be stored",
            calls: Some(|_| {
                let refusal = CallFault::Refuse(Refusal::of_s3_status(403));
                CallPlan::seeded(1).on("s3:PutObject", "*/executions/*", When::Always, refusal)
            }),
            expected: itself("", "the verdict could not be stored"),
            ..ROW
        },
    ]
}
