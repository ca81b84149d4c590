//! Reads SARIF logs and prints their counts: `cargo run -p sarif-report --example read_sarif -- FILE...`
//!
//! Exit code 0 if all of them are readable, count no error and show no problem; 1 otherwise.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what the example is for")]

use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use sarif_report::{Limits, Summary, read_sarif};

fn main() -> ExitCode {
    let mut summary = Summary::default();
    let mut readable = true;
    for path in std::env::args().skip(1) {
        let read = match File::open(&path) {
            Ok(file) => read_sarif(&path, BufReader::new(file), &Limits::default(), &mut summary)
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
    for finding in summary.findings() {
        println!("{finding}");
    }
    for problem in summary.problems() {
        println!("{problem}");
    }
    let counts = summary.counts();
    println!("{} errors, {} warnings, {} notes", counts.error, counts.warning, counts.note);
    let suppressed = summary.uncounted().suppressed;
    println!("{} critical, {} high; {suppressed} suppressed", counts.critical, counts.high);
    if counts.error == 0 && summary.problem_count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
