//! Unites coverage reports and prints their totals: `cargo run -p coverage-report --example read_coverage -- FILE...`
//!
//! Exit code 0 if all of them are readable, list at least one line and show no problem; 1 otherwise.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what the example is for")]

use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

use coverage_report::{Count, Limits, Merger, read_coverage};

fn share(count: Count) -> String {
    let percent = count.percent().map_or("nothing to cover".to_owned(), |percent| format!("{percent} %"));
    format!("{} of {} ({percent})", count.covered, count.total)
}

fn main() -> ExitCode {
    let mut merger = Merger::default();
    let mut readable = true;
    for path in std::env::args().skip(1) {
        let read = match File::open(&path) {
            Ok(file) => read_coverage(&path, BufReader::new(file), None, &Limits::default(), &mut merger)
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
    let merged = merger.finish();
    for file in merged.files() {
        println!("{}: {} lines", file.path(), share(file.coverage().line));
    }
    for problem in merged.problems() {
        println!("{problem}");
    }
    let total = merged.coverage();
    println!("{} lines, {} branches in {} files", share(total.line), share(total.branch), merged.files().len());
    if total.line.total > 0 && merged.problem_count() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
