//! Reads reports and prints their totals as JSON: `cargo run -p test-report --example read -- FILE...`
//!
//! Exit code 0 if all of them are readable, hold at least one test and show no problem; 1 otherwise.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what the example is for")]

use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use test_report::{Limits, Summary, read_report};

fn main() -> ExitCode {
    let mut summary = Summary::default();
    let mut readable = true;
    for path in std::env::args().skip(1) {
        let read = match File::open(&path) {
            Ok(file) => read_report(&path, BufReader::new(file), None, &Limits::default(), &mut summary)
                .map_err(|error| error.to_string()),
            Err(error) => Err(format!("open {path}: {error}")),
        };
        if let Err(error) = read {
            eprintln!("failed to {error}");
            readable = false;
        }
    }
    if !readable {
        return ExitCode::FAILURE;
    }
    let tests = summary.tests();
    let problems: Vec<String> = summary.problems().iter().map(ToString::to_string).collect();
    let failing: Vec<_> = summary.failing().iter().map(|failing| (&failing.id, &failing.message)).collect();
    let output = serde_json::json!({
        "tests": {
            "total": tests.total,
            "passed": tests.passed,
            "failed": tests.failed,
            "errored": tests.errored,
            "skipped": tests.skipped,
            "flaky": tests.flaky,
        },
        "duration_seconds": summary.duration().as_secs_f64(),
        "failing": failing,
        "problems": problems,
    });
    println!("{output}");
    if tests.total > 0 && summary.problem_count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
