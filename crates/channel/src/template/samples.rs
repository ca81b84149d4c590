//! One bulletin of each sort, for checks and previews of templates.

use stagegate_notice::{Bulletin, Kind, Line, Mark, Revision, StageLine, Status, Subject};

/// One bulletin of each sort that there is: of each kind and of each subject that knows the kind, with everything that it
/// can have and with as little as it can have.
pub fn samples() -> Vec<Bulletin> {
    let mut samples = Vec::new();
    for subject in [Subject::Pipeline, Subject::Build, Subject::Deployment] {
        for kind in std::iter::once(None).chain(Kind::ALL.map(Some)) {
            let is_known = subject == Subject::Pipeline
                || matches!(kind, None | Some(Kind::Started | Kind::Failed | Kind::Succeeded | Kind::Stopped));
            if is_known {
                samples.extend([rich(subject, kind), poor(subject, kind)]);
            }
        }
    }
    samples
}

/// With everything that it can have.
fn rich(subject: Subject, kind: Option<Kind>) -> Bulletin {
    let is_pipeline = subject == Subject::Pipeline;
    let line = |label: &'static str, text: &str, url: Option<&str>| Line {
        label: label.into(),
        text: text.to_owned(),
        url: url.map(str::to_owned),
    };
    let console = "https://eu-west-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/web";
    let change = line("Change", "0123456789ab Say hello to everybody", Some("https://example.com/commit/0123456789ab"));
    Bulletin {
        stage: (is_pipeline && matches!(kind, Some(Kind::Failed | Kind::Approval | Kind::Stuck)))
            .then(|| "Production".to_owned()),
        lines: match kind {
            Some(Kind::Failed) => vec![
                line("Reason", "3 of 120 tests failed (JobFailed)", None),
                line("Gate", "web-tests: 3 tests failed, 0 are allowed", None),
                line("Details", "open", Some(console)),
            ],
            Some(Kind::Stopped) => vec![line("Comment", "The wrong version", None)],
            _ => Vec::new(),
        },
        stages: if is_pipeline { stages(kind) } else { Vec::new() },
        about: vec![change, line("Author", "Mary Major", None), line("Started by", "Webhook", None)],
        revision: Some(Revision {
            id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            summary: Some("Say hello to everybody".to_owned()),
            url: Some("https://example.com/commit/0123456789ab".to_owned()),
        }),
        author: Some("Mary Major".to_owned()),
        trigger: Some("Webhook".to_owned()),
        region: Some("eu-west-1".to_owned()),
        url: Some(console.to_owned()),
        mention: (kind == Some(Kind::Failed)).then(|| "U0123456789".to_owned()),
        ..poor(subject, kind)
    }
}

/// With as little as it can have.
fn poor(subject: Subject, kind: Option<Kind>) -> Bulletin {
    let (name, execution) = match subject {
        Subject::Pipeline => ("web", "3f2a0c9e-8b1d-4c6f-9a57-0e4d2b7c8f13"),
        Subject::Build => ("nightly", "nightly:8745a7a9-c340-456a-9166-edf953571bee"),
        Subject::Deployment => ("shop/production", "d-123456789"),
    };
    let (status, title) = match kind {
        None => (Status::Running, Status::Running.word()),
        Some(Kind::Started) => (Status::Running, "has started"),
        Some(Kind::Failed) => (Status::Failed, "Deploy has failed in Production"),
        Some(Kind::Succeeded) => (Status::Succeeded, "has succeeded"),
        Some(Kind::Recovered) => (Status::Succeeded, "is green again after 3 h, 2 failed executions"),
        Some(Kind::Approval) => (Status::Waiting, "Approve asks for an approval in Production"),
        Some(Kind::Superseded) => (Status::Superseded, "was superseded by a newer execution"),
        Some(Kind::Stopped) => (Status::Stopped, "was stopped"),
        Some(Kind::RolledBack) => (Status::Running, "rolls back to the execution 0c9e3f2a"),
        Some(Kind::Stuck) => (Status::Running, "has made no progress for 30 min"),
    };
    Bulletin {
        key: kind.map_or("head", Kind::name).to_owned(),
        kind,
        subject,
        name: name.to_owned(),
        execution: execution.to_owned(),
        stage: None,
        status,
        title: title.to_owned(),
        lines: Vec::new(),
        stages: Vec::new(),
        about: Vec::new(),
        revision: None,
        author: None,
        trigger: None,
        region: None,
        url: None,
        mention: None,
        is_reply: false,
    }
}

fn stages(kind: Option<Kind>) -> Vec<StageLine> {
    let last = match kind {
        Some(Kind::Failed) => Mark::Failed,
        Some(Kind::Succeeded | Kind::Recovered) => Mark::Done,
        Some(Kind::Approval) => Mark::Waiting,
        Some(Kind::Stopped | Kind::Superseded) => Mark::Stopped,
        _ => Mark::Running,
    };
    let stage = |name: &str, mark, actions| StageLine { name: name.to_owned(), mark, actions };
    let actions = if last == Mark::Done { Vec::new() } else { vec![("Deploy".to_owned(), last)] };
    let after = if last == Mark::Done { Mark::Done } else { Mark::NotBegun };
    vec![
        stage("Source", Mark::Done, Vec::new()),
        stage("Test", Mark::Done, Vec::new()),
        stage("Production", last, actions),
        stage("Clean", after, Vec::new()),
    ]
}
