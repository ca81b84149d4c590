//! `stagegate report`: its table, its JSON, and its page in the browser.

use serde_json::{Value, json};
use stagegate_local_browser::BrowserError;
use tempfile::TempDir;

use super::history::{self, EXECUTIONS};
use super::{browser, picture};
use crate::state_bucket::{KEY, StateBucket};
use crate::{run, stagegate};

/// A Sunday after the last execution.
const UNTIL: &str = "2026-03-22";

fn state() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    history::write(folder.path());
    folder
}

#[test]
fn the_report_says_the_same_in_a_table_and_as_json() {
    let state = state();
    let (code, text) = run(stagegate().args(["report", "--state"]).arg(state.path()));
    assert_eq!(code, 0, "{text}");
    let (code, json) = run(stagegate().args(["report", "--json", "--state"]).arg(state.path()));
    assert_eq!(code, 0, "{json}");
    let report: Value = serde_json::from_str(&json).unwrap();
    let web = &report["pipelines"][0];
    assert_eq!((web["executions"].as_u64(), web["production"].as_str()), (Some(EXECUTIONS as u64), Some("Production")));
    let deployments = web["deployments"].as_array().unwrap().len();
    let (changes, failed) = (web["changes"].as_u64().unwrap(), web["failed_changes"].as_u64().unwrap());
    assert!(deployments > 30 && failed > 2 && changes > failed, "{json}");
    for words in [
        format!("{EXECUTIONS} executions"),
        format!("{deployments} in all"),
        format!("{failed} of {changes} changes"),
        "time to restore".to_owned(),
        "SmokeTest".to_owned(),
        "Approve/Approve".to_owned(),
        "web-tests".to_owned(),
    ] {
        assert!(text.contains(&words), "lacks {words:?}: {text}");
    }
    // Half of the time, and another pipeline.
    let (_, later) = run(stagegate().args(["report", "--json", "--since", "2026-02-09", "--state"]).arg(state.path()));
    let later: Value = serde_json::from_str(&later).unwrap();
    let fewer = later["pipelines"][0]["deployments"].as_array().unwrap();
    assert!(!fewer.is_empty() && fewer.len() < deployments, "{later}");
    assert!(fewer.iter().all(|one| one["at"].as_str().unwrap() >= "2026-02-09"));
    let (code, none) = run(stagegate().args(["report", "--pipeline", "api-*", "--state"]).arg(state.path()));
    assert!(code == 0 && none.contains("no execution is known"), "{none}");
}

#[test]
fn the_report_of_a_bucket_is_that_of_its_copy() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = StateBucket::serve(folder.path());
    let copy = folder.path().join("state");
    history::write(&copy);
    // What is kept of anything else is no execution.
    std::fs::create_dir(copy.join("watched")).unwrap();
    std::fs::write(copy.join("watched/e1.json"), "{}").unwrap();
    let report = |bucket: &str, key: &str| {
        run(s3.command(key).args(["report", "--json", "--until", UNTIL, "--state-bucket", bucket]))
    };
    let (code, text) = report("state", KEY);
    assert_eq!(code, 0, "{text}");
    let (code, expected) = run(stagegate().args(["report", "--json", "--until", UNTIL, "--state"]).arg(&copy));
    assert_eq!(code, 0, "{expected}");
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(json(&text), json(&expected));
    assert_eq!(json(&text)["pipelines"][0]["executions"], EXECUTIONS);
    for (bucket, key, word) in [("nobodys", KEY, "NoSuchBucket"), ("state", "stranger", "InvalidAccessKeyId")] {
        let (code, text) = report(bucket, key);
        assert!(code == 69 && text.contains(&format!("s3://{bucket}")) && text.contains(word), "{code} {text}");
    }
    std::fs::write(copy.join("threads/e1.json"), "{}").unwrap();
    let (code, text) = report("state", KEY);
    assert!(code == 65 && text.contains("s3://state/threads/e1.json"), "{code} {text}");
}

/// What cannot be reported is said with what to do.
#[test]
fn wrong_calls_are_explained() {
    let empty = tempfile::tempdir().unwrap();
    for (arguments, code, word) in [
        (vec!["--state", empty.path().to_str().unwrap()], 65, "aws s3 sync"),
        (vec![], 64, "--state-bucket"),
        (vec!["--since", "yesterday", "--state", "x"], 65, "x"),
    ] {
        let (got, text) = run(stagegate().env_remove("STAGEGATE_STATE_BUCKET").arg("report").args(&arguments));
        assert!(got == code && text.contains(word), "{arguments:?}: {got} {text}");
    }
}

/// Every text stays within its plot and meets no other one, and the page needs nothing from anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_drawn_well() {
    let Some(browser) = browser(1280, 1330).await else { return };
    let state = state();
    let page = state.path().join("report.html");
    let mut command = stagegate();
    command.args(["report", "--until", UNTIL, "--state"]).arg(state.path()).arg("--html").arg(&page);
    let (code, text) = run(&mut command);
    assert!(code == 0 && text.contains("wrote "), "{text}");
    let done = async {
        browser.open(&format!("file://{}", page.display())).await?;
        browser.wait_for("[data-plot=approvals] svg").await?;
        for plot in ["weeks", "lead-time", "failure-rate", "restore-time", "stages", "gates"] {
            browser.wait_for(&format!("[data-plot={plot}] svg")).await?;
        }
        picture(&browser, "report.png").await?;
        let outside = "return [...document.querySelectorAll('svg')].flatMap(svg => {
            const view = svg.viewBox.baseVal;
            return [...svg.querySelectorAll('text, rect')].filter(e => {
                const box = e.getBBox();
                return box.x < -1 || box.y < -1 || box.x + box.width > view.width + 1 || box.y + box.height > view.height + 1;
            }).map(e => svg.closest('figure').dataset.plot + ': ' + e.textContent);
        });";
        assert_eq!(browser.script(outside, json!([])).await?, json!([]));
        let meeting = "return [...document.querySelectorAll('svg')].flatMap(svg => {
            const texts = [...svg.querySelectorAll('text')].map(e => [e.textContent, e.getBBox()]);
            return texts.flatMap(([text, a], i) => texts.slice(i + 1).filter(([, b]) =>
                a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height - 2 && b.y < a.y + a.height - 2,
            ).map(([other]) => text + ' / ' + other));
        });";
        assert_eq!(browser.script(meeting, json!([])).await?, json!([]));
        let foreign = "return performance.getEntriesByType('resource').map(e => e.name);";
        assert_eq!(browser.script(foreign, json!([])).await?, json!([]));
        let overflow = "return document.documentElement.scrollWidth <= innerWidth;";
        assert_eq!(browser.script(overflow, json!([])).await?, json!(true));
        Ok(())
    };
    done.await.unwrap_or_else(|error: BrowserError| panic!("failed to {error}"));
}
