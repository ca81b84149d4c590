//! The demo, watched and answered in the browser.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_delivery::Metric;
use stagegate_local_browser::BrowserError;

use super::{browser, picture};
use crate::{run, stagegate};

/// The demo takes seconds; this is for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(300);

/// The demo as a process, with somebody at its terminal who says nothing.
struct Demo {
    process: Child,
    lines: Receiver<String>,
}

impl Demo {
    fn start(data: &Path) -> Self {
        let mut process = stagegate()
            .args(["demo", "--data"])
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = process.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { process, lines }
    }

    /// Waits for a line that contains `word`.
    fn line(&self, word: &str) -> String {
        let mut seen = String::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if line.contains(word) {
                return line;
            }
            seen += &(line + "\n");
        }
        panic!("the demo does not say {word:?}: {seen}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The request comes with its evidence, an approver clicks, the stage turns green and the release goes through; what people
/// hear of it and what it has done to delivery stands on the page.
#[tokio::test(flavor = "multi_thread")]
async fn an_approver_clicks_and_the_release_goes_through() {
    let Some(browser) = browser(1280, 1060).await else { return };
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path());
    let console = demo.line("in a browser: ").split("in a browser: ").nth(1).unwrap().trim().to_owned();
    demo.line("Version 1.5.0 follows");
    let done = async {
        browser.open(&format!("{console}?as=U0001")).await?;
        browser.wait_for("[data-stage=Approve][data-status=waiting]").await?;
        // The request of the release before is closed a moment later than that release.
        let asked = "return document.querySelector('[data-stage=Approve] input[name=execution]')?.value;";
        let execution = browser.script(asked, json!([])).await?.as_str().unwrap_or_default().to_owned();
        let request = format!(".slack-message:has(a[href*='execution={execution}']):has([data-action=approve])");
        let approve = format!("{request} [data-action=approve]");
        browser.wait_for(&approve).await?;
        let said = browser.text(&request).await?;
        for word in ["Approve web?", "17 tests: 17 passed", "2 smoke tests: 2 passed", "Approve", "Reject"] {
            assert!(said.contains(word), "the request lacks {word:?}: {said}");
        }
        // What people hear has come as far.
        browser.wait_for("[data-thread][data-status='waiting for approval']").await?;
        let scroll = "document.querySelector(arguments[0]).scrollIntoView({block: 'center'});";
        browser.script(scroll, json!([request])).await?;
        picture(&browser, "approval.png").await?;
        browser.click(&approve).await?;
        browser.write("#input-comment", "Looks good.").await?;
        browser.click("#modal-submit-button").await?;
        browser.wait_for("[data-stage=Approve][data-status=succeeded]").await?;
        browser.wait_for("[data-stage=Production][data-status=succeeded]").await?;
        browser.wait_until_gone(&approve).await?;
        let summary = browser.text("[data-stage=Approve] .console-summary").await?;
        assert!(
            summary.contains("Approved in Slack by Ada Adler (U0001)") && summary.contains("Looks good."),
            "{summary}"
        );
        // What people hear of it stands on the page when it is over, and so do the figures of both releases.
        browser.wait_for("[data-thread][data-status=succeeded] [data-notice=approval]").await?;
        browser.wait_for("[data-thread] [data-notice=succeeded]").await?;
        browser.wait_for("[data-delivery=web] [data-figure=lead-time]").await?;
        let deployed = "return document.querySelector('[data-figure=frequency]').innerText.includes('2 in all');";
        let end = Instant::now() + PATIENCE;
        while browser.script(deployed, json!([])).await? != json!(true) {
            assert!(Instant::now() < end, "the second deployment is not counted");
            tokio::time::sleep(Duration::from_millis(500)).await;
            browser.open(&format!("{console}?as=U0001")).await?;
            browser.wait_for("[data-delivery=web]").await?;
        }
        browser.script(scroll, json!(["[data-delivery]"])).await?;
        picture(&browser, "delivery.png").await
    };
    done.await.unwrap_or_else(|error: BrowserError| panic!("failed to {error}"));
    let last = demo.line("production serves");
    assert!(last.contains("1.5.0"), "{last}");
    let stages = check_report(data.path());
    check_metrics(data.path(), stages);
}

/// The function has logged each measurement once, as CloudWatch reads it. It does so a moment after the page shows it.
fn check_metrics(data: &Path, stages: u64) {
    let expected = |logged: &BTreeMap<String, u64>| {
        let count = |metric: &str| logged.get(metric).copied().unwrap_or_default();
        ["Changes", "Deployments", "LeadTime", "ApprovalWait"].map(count) == [2; 4]
            && ["FailedChanges", "RestoreTime", "GateFailed"].map(count) == [0; 3]
            && count("StageDuration") == 2 * stages
            && count("GatePassed") >= 4
    };
    let end = Instant::now() + PATIENCE;
    while !expected(&logged(data)) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(expected(&logged(data)), "{stages} stages: {:?}", logged(data));
}

/// How often each metric was logged.
fn logged(data: &Path) -> BTreeMap<String, u64> {
    let mut logged = BTreeMap::new();
    each_line(&data.join("logs/lambda"), &mut |line| {
        let Some(from) = line.find("{\"_aws\"") else { return };
        // A line that is being written is read next time.
        let Ok(value) = serde_json::from_str::<Value>(&line[from..]) else { return };
        assert_eq!(value["Pipeline"], "web", "{line}");
        for metric in Metric::ALL.iter().filter(|metric| !value[metric.name()].is_null()) {
            let values = value[metric.name()].as_array().map_or(1, Vec::len);
            *logged.entry(metric.name().to_owned()).or_default() += values as u64;
        }
    });
    logged
}

fn each_line(folder: &Path, visit: &mut impl FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => each_line(&path, visit),
            path => String::from_utf8_lossy(&std::fs::read(&path).unwrap()).lines().for_each(&mut *visit),
        }
    }
}

/// The report reads what the functions have kept. Gives the number of stages.
fn check_report(data: &Path) -> u64 {
    let (code, text) = run(stagegate().args(["report", "--json", "--state"]).arg(data));
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{code} {error}: {text}"));
    let web = &report["pipelines"][0];
    assert_eq!((&web["pipeline"], &web["changes"], &web["failed_changes"]), (&json!("web"), &json!(2), &json!(0)));
    assert_eq!(web["deployments"].as_array().unwrap().len(), 2, "{text}");
    let stages = web["stages"].as_array().unwrap().len();
    assert!(stages >= 5, "{text}");
    stages as u64
}
