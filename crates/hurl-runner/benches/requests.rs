//! What running checks costs, beside what it could cost at the least.
//!
//! * 200 files with one request of 50 ms, at most 50 at a time, beside the ideal 200 ms.
//! * One file with many requests, beside the same requests sent by `reqwest` alone.
//! * Where `hurl` is on the `PATH`: `hurl --test --parallel` with the same 200 files, and with files that ask at once.
//!
//! Each line ends with a ratio of medians, from runs that alternate between the two.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]
#![expect(clippy::unwrap_used, reason = "a benchmark may panic as a test may")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Path as Segment;
use axum::routing::get;
use stagegate_hurl_runner::{HurlFile, NetworkPolicy, Outbound, RunOptions, run_file, run_files};

const FILES: usize = 200;
const JOBS: usize = 50;
const CHECK: Duration = Duration::from_millis(50);
const ENTRIES: usize = 500;
const ROUNDS: usize = 15;

fn main() {
    // A server with a thread of its own, so that its work does not count as the client's.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || runtime().block_on(serve(&sender)));
    let base = receiver.recv().unwrap();
    let runtime = runtime();
    beside_the_ideal(&runtime, &base);
    beside_reqwest(&runtime, &base);
    if Command::new("hurl").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        beside_hurl(&runtime, &format!("{base}/slow/50"), "200 files of one request of 50 ms");
        beside_hurl(&runtime, &format!("{base}/hello"), "200 files of one request");
    } else {
        println!("hurl is not on the PATH: not compared with it");
    }
}

/// One thread, as in the functions.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn serve(base: &std::sync::mpsc::Sender<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    base.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let slow = async |Segment(ms): Segment<u64>| {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        "Hello World!"
    };
    let app = Router::new().route("/hello", get(|| async { "Hello World!" })).route("/slow/{ms}", get(slow));
    axum::serve(listener, app).await.unwrap();
}

fn options() -> RunOptions {
    let policy = NetworkPolicy::new().allow_network("127.0.0.0/8".parse().unwrap());
    RunOptions::new(Outbound::new(policy), Instant::now() + Duration::from_secs(600))
}

fn source(url: &str) -> String {
    format!("GET {url}\nHTTP 200\n[Asserts]\nbody == \"Hello World!\"\n")
}

fn files(url: &str) -> Vec<HurlFile> {
    (0..FILES).map(|index| HurlFile::parse(&format!("{index}.hurl"), source(url).as_bytes()).unwrap()).collect()
}

fn beside_the_ideal(runtime: &tokio::runtime::Runtime, base: &str) {
    let files = files(&format!("{base}/slow/{}", CHECK.as_millis()));
    let ideal = CHECK * u32::try_from(FILES / JOBS).unwrap();
    let times: Vec<Duration> = (0..ROUNDS).map(|_| timed(|| runtime.block_on(all_pass(&files)))).collect();
    let median = median(times);
    let ratio = median.as_secs_f64() / ideal.as_secs_f64();
    println!("{FILES} checks of {CHECK:?}, {JOBS} at a time: {median:.1?}, ideal {ideal:?}, ratio {ratio:.3}");
}

async fn all_pass(files: &[HurlFile]) {
    let reports = run_files(files, JOBS, &options()).await;
    assert!(reports.iter().all(|report| report.passed), "a check failed");
}

fn beside_reqwest(runtime: &tokio::runtime::Runtime, base: &str) {
    let url = format!("{base}/hello");
    let file = HurlFile::parse("many.hurl", source(&url).repeat(ENTRIES).as_bytes()).unwrap();
    let (mut of_runner, mut of_reqwest) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_runner.push(timed(|| {
            let report = runtime.block_on(run_file(&file, &options()));
            assert!(report.passed && report.requests() == ENTRIES);
        }));
        of_reqwest.push(timed(|| runtime.block_on(with_reqwest(&url))));
    }
    let entries = u32::try_from(ENTRIES).unwrap();
    let (runner, reqwest) = (median(of_runner) / entries, median(of_reqwest) / entries);
    let ratio = runner.as_secs_f64() / reqwest.as_secs_f64();
    let overhead = runner.saturating_sub(reqwest);
    println!("a request: {runner:.1?}, with reqwest {reqwest:.1?}, overhead {overhead:.1?}, ratio {ratio:.3}");
}

/// The same requests and the same assert, one after the other over one connection.
async fn with_reqwest(url: &str) {
    let client = reqwest::Client::new();
    for _ in 0..ENTRIES {
        let response = client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.text().await.unwrap(), "Hello World!");
    }
}

/// Both read the same files from disk. The time of `hurl` has the start of its process in it.
fn beside_hurl(runtime: &tokio::runtime::Runtime, url: &str, what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..FILES).map(|index| folder.path().join(format!("{index:03}.hurl"))).collect();
    for path in &paths {
        std::fs::write(path, source(url)).unwrap();
    }
    let (mut of_runner, mut of_hurl) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_runner.push(timed(|| {
            let files: Vec<HurlFile> = paths.iter().map(|path| HurlFile::load(path).unwrap()).collect();
            runtime.block_on(all_pass(&files));
        }));
        of_hurl.push(timed(|| hurl(folder.path())));
    }
    let start = median((0..ROUNDS).map(|_| timed(version_of_hurl)).collect());
    let (runner, hurl) = (median(of_runner), median(of_hurl));
    let ratio = runner.as_secs_f64() / hurl.as_secs_f64();
    let mut line = format!("{what}, {JOBS} at a time: {runner:.1?}, hurl --test --parallel {hurl:.1?}");
    let _ = write!(line, " (of which {start:.1?} to start), ratio {ratio:.3}");
    println!("{line}");
}

fn hurl(folder: &Path) {
    let mut command = Command::new("hurl");
    command.args(["--test", "--parallel", "--jobs", &JOBS.to_string()]).arg(folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn version_of_hurl() {
    assert!(Command::new("hurl").arg("--version").output().unwrap().status.success());
}

fn timed(run: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    run();
    begin.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
