//! The page without a script.

use serde_json::json;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_codepipeline::provider::ArtifactBucket;
use stagegate_notice::{ExecutionState, Moment, Post, Posted, Stage, StageState, Thread};
use stagegate_verdict::{Execution, Finding, Outcome, VerdictBuilder};

use crate::world::{App, World};

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_shown_and_answered() {
    let world = World::new().await;
    assert!(world.get("").await.contains("It has not run yet."));
    for (answer, status) in [("reject", ExecutionStatus::Failed), ("approve", ExecutionStatus::Succeeded)] {
        let (code, _) = world.post("start", "pipeline=web".into()).await;
        assert_eq!(code, 303);
        let open = world.waiting().await;
        let page = world.get("").await;
        for word in
            ["data-stage=\"Source\" data-status=\"succeeded\"", "data-stage=\"Approve\" data-status=\"waiting\""]
        {
            assert!(page.contains(word), "lacks {word}: {page}");
        }
        assert!(page.contains("Release &lt;b&gt;web&lt;/b&gt;?") && page.contains("data-status=\"not-started\""));
        assert!(!page.contains(open.token.expose()), "the token is on the page");
        let form = |answer: &str| {
            format!(
                "pipeline=web&stage=Approve&action=Approve&execution={}&answer={answer}&comment=well+tested",
                open.pipeline_execution_id
            )
        };
        assert_eq!(world.post("approval", form("perhaps")).await.0, 409);
        assert_eq!(world.post("approval", form(answer)).await.0, 303);
        let ended = world.aws.codepipeline().wait_for_execution("web", &open.pipeline_execution_id).await;
        assert_eq!(ended, Some(status));
        let (code, why) = world.post("approval", form(answer)).await;
        assert_eq!((code, why.as_str()), (409, "failed to answer the approval: it is not open any more"));
        let page = world.get("").await;
        assert!(page.contains("at the console: well tested"), "{page}");
        assert_eq!(page.contains("id=\"retry-Approve\""), answer == "reject");
    }
    let page = world.get("").await;
    assert!(
        page.contains("Executions") && page.contains("data-stage=\"Production\" data-status=\"succeeded\""),
        "{page}"
    );
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_stage_is_retried() {
    let world = World::new().await;
    let open = world.start().await;
    let form = format!("pipeline=web&stage=Approve&execution={}", open.pipeline_execution_id);
    let answer = format!("{form}&action=Approve&answer=reject");
    assert_eq!(world.post("approval", answer).await.0, 303);
    world.aws.codepipeline().wait_for_execution("web", &open.pipeline_execution_id).await;
    assert_eq!(world.post("retry", form).await.0, 303);
    let again = world.waiting().await;
    assert_eq!(again.pipeline_execution_id, open.pipeline_execution_id);
    assert!(world.get("").await.contains("data-stage=\"Approve\" data-status=\"waiting\""));
    let (code, why) = world.post("start", "pipeline=nothing".into()).await;
    assert!(code == 409 && why.contains("PipelineNotFoundException"), "{why}");
    world.aws.shutdown().await;
}

/// Verdicts are those of the state bucket, at the stage that they name; what cannot be read is said.
#[tokio::test(flavor = "multi_thread")]
async fn verdicts_stand_at_their_stage() {
    let world = World::new().await;
    let open = world.start().await;
    let id = &open.pipeline_execution_id;
    let [bucket] = world.aws.buckets() else { panic!("{:?}", world.aws.buckets()) };
    let verdict = |gate: &str, stage: &str, outcome| {
        let execution =
            Execution { pipeline: Some("web".into()), stage: Some(stage.into()), execution: Some(id.clone()) };
        let mut verdict = VerdictBuilder::new(gate, execution);
        let finding =
            Finding::new("max_failed", outcome, "1 test failed: <login>").measured(1, 0).about(["web::login"]);
        verdict.finding(finding);
        let document = verdict.build(jiff::Timestamp::UNIX_EPOCH);
        json!({"kind": "verdict", "version": 1, "write": "w", "earlier": [], "document": document}).to_string()
    };
    let key = |gate: &str| format!("executions/{id}/verdicts/{gate}.json");
    let put = async |gate: &str, text: String| world.aws.s3().put(bucket, &key(gate), text.into_bytes()).await.unwrap();
    put("web-tests", verdict("web-tests", "Approve", Outcome::Failed)).await;
    put("web-smoke", verdict("web-smoke", "Nowhere", Outcome::Passed)).await;
    put("broken", "{".into()).await;
    // One of another execution, whose id begins in the same way.
    let other = format!("executions/{id}0/verdicts/other.json");
    world.aws.s3().put(bucket, &other, verdict("other", "Approve", Outcome::Passed).into_bytes()).await.unwrap();
    let page = world.get("").await;
    let stage = page.split("data-stage=\"Approve\"").nth(1).unwrap().split("data-stage=").next().unwrap();
    for word in
        ["data-gate=\"web-tests\" data-outcome=\"failed\"", "max_failed", "1 test failed: &lt;login&gt;", "web::login"]
    {
        assert!(stage.contains(word), "lacks {word}: {stage}");
    }
    assert!(
        page.contains("data-gate=\"web-smoke\"") && page.contains("The verdict cannot be shown: failed to read s3://")
    );
    assert!(!page.contains("data-gate=\"other\""));
    world.aws.shutdown().await;
}

/// What people hear of an execution and how its pipeline delivers stands on the page, from the documents of the state
/// bucket; one that cannot be read is named.
#[tokio::test(flavor = "multi_thread")]
async fn threads_and_delivery_are_shown() {
    let world = World::new().await;
    let open = world.start().await;
    let id = &open.pipeline_execution_id;
    assert!(!world.get("").await.contains("What people hear"));
    let [bucket] = world.aws.buckets() else { panic!("{:?}", world.aws.buckets()) };
    let put = async |name: &str, document: serde_json::Value| {
        let text = json!({"kind": "thread", "version": 1, "write": "w", "document": document}).to_string();
        world.aws.s3().put(bucket, &format!("threads/{name}.json"), text.into_bytes()).await.unwrap();
    };
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let mut thread = Thread::new("web", id);
    let picture = &mut thread.picture;
    (picture.started, picture.about.is_looked_up) = (Some(at("2026-01-05T09:00:00Z")), true);
    picture.about.are_sources_looked_up = true;
    picture.enter(ExecutionState::Succeeded, at("2026-01-05T09:12:00Z"));
    let succeeded = Moment { at: at("2026-01-05T09:12:00Z"), state: StageState::Succeeded };
    picture.stages.insert("Production".into(), Stage { state: Some(succeeded), ..Stage::default() });
    thread
        .posts
        .entry("releases".into())
        .or_default()
        .insert("head".into(), Post { posted: Posted::Done, ..Post::default() });
    put(id, json!(thread)).await;
    put("of-another-pipeline", json!(Thread::new("api", "e2"))).await;
    put("broken", json!({"pipeline": 1})).await;
    let page = world.get("").await;
    for word in [
        "What people hear",
        &format!("data-thread=\"{id}\" data-status=\"succeeded\""),
        "<span class=\"console-channel\">#releases</span>",
        "<li data-notice=\"succeeded\"><span>has succeeded</span>",
        "data-delivery=\"web\"",
        "Lead time",
        "12 min",
        "0 of 1 change",
        "An execution cannot be shown: failed to read s3://",
    ] {
        assert!(page.contains(word), "lacks {word}: {page}");
    }
    world.aws.shutdown().await;
}

/// The page leads from an execution to its messages and back.
#[tokio::test(flavor = "multi_thread")]
async fn messages_and_executions_lead_to_each_other() {
    let world = World::new().await;
    let open = world.start().await;
    let id = open.pipeline_execution_id.clone();
    App::ask(&world, open).await;
    let page = world.get("?as=U0002").await;
    let ts = world.slack.look(|state| state.messages("C0001")[0].ts.replace('.', ""));
    let address = format!("/?pipeline=web&amp;execution={id}&amp;channel=C0001&amp;as=U0002");
    for word in [
        format!("In Slack: <a href=\"{address}#m{ts}\">"),
        format!("<a href=\"{address}\">Show execution {}</a>", &id[..8]),
    ] {
        assert!(page.contains(&word), "lacks {word}: {page}");
    }
    world.aws.shutdown().await;
}

/// Other web pages cannot answer an approval.
#[tokio::test(flavor = "multi_thread")]
async fn other_pages_are_kept_out() {
    let world = World::new().await;
    let url = format!("{}start", world.console.url());
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    let request = axum::http::Request::post(&url).header("origin", "https://evil.example");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body("pipeline=web".to_owned());
    assert_eq!(client.request(request.unwrap()).await.unwrap().status(), 403);
    assert!(world.get("").await.contains("It has not run yet."));
    world.aws.shutdown().await;
}
