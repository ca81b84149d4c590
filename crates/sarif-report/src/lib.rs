//! Reads SARIF 2.1.0 logs as a stream and counts what they found; no AWS, no async.
//!
//! ```
//! use sarif_report::{Limits, Summary, read_sarif};
//!
//! let log = r#"{"version": "2.1.0", "runs": [{
//!     "tool": {"driver": {"name": "lint", "rules": [
//!         {"id": "L1", "defaultConfiguration": {"level": "error"}, "properties": {"security-severity": "8.1"}}
//!     ]}},
//!     "results": [
//!         {"ruleId": "L1", "message": {"text": "never do that"}},
//!         {"ruleId": "L2", "level": "note", "message": {"text": "rather not"}}
//!     ]
//! }]}"#;
//! let mut summary = Summary::default();
//! let facts = read_sarif("lint.sarif", log.as_bytes(), &Limits::default(), &mut summary)?;
//! assert_eq!(facts.tools, ["lint"]);
//! let counts = summary.counts();
//! assert_eq!((counts.error, counts.note, counts.high), (1, 1, 1));
//! assert_eq!(summary.findings()[0].to_string(), "error L1: never do that");
//! assert!(summary.problems().is_empty());
//! # Ok::<(), sarif_report::ReportError>(())
//! ```
//!
//! # What counts
//!
//! A result counts if its kind is `fail`, it is not `absent`, and not suppressed. It is suppressed if it has
//! suppressions and each is `accepted` or has no status. Its level is its own, else that of its rule
//! (`defaultConfiguration`), as an invocation's `ruleConfigurationOverrides` changed it, else warning (3.27.10). An
//! override lowers the level only of results that name their invocation, as the specification has it. A rule is found by
//! its index, its guid, or its id (`CA1000/1` is described by `CA1000`), in the driver or in an extension, before or
//! after the results. Its property `security-severity` counts unless the result has one of its own.
//!
//! # What holds
//!
//! * **Never greener than the evidence.** A log that cannot be read to its end is an error. What is not known is taken
//!   for the worst, with a [`Problem`]; so is a tool that failed, and results that are elsewhere. A run without `results`
//!   was no scan; only an empty array says that nothing was found.
//! * **Bounded.** Results are counted and forgotten. Rules are kept, within [`Limits`].

mod limits;
mod log;
mod model;
mod raw;
mod results;
mod rules;
mod run;
mod summary;

pub use limits::Limits;
pub use model::{
    BaselineState, Counts, Finding, Level, LogFacts, Problem, ProblemKind, SecuritySeverity, Uncounted, Which,
};
pub use report_input::{ErrorKind, Place, ReportError};
pub use summary::Summary;

use std::io::BufRead;

use report_input::Input;
use report_input::json::{self, EachEntry, Refusal};

/// Whether the beginning of a document looks like SARIF: an object that names its version or schema and has runs.
///
/// `beginning` is the first bytes of the document, 64 KiB at most.
#[must_use]
pub fn is_sarif(beginning: &[u8]) -> bool {
    let opening = report_input::Opening::new(beginning);
    let text = opening.text();
    let schema = ["sarif-2", "sarif-schema", "/sarif/", "sarif.json"].iter().any(|part| text.contains(part));
    let keys = opening.json_keys();
    text.trim_start().starts_with('{')
        && (keys.contains(&"$schema") && schema
            || keys.contains(&"version") && text.contains("\"runs\"") && text.contains("\"tool\"")
            || keys.first() == Some(&"runs") && text.contains("\"driver\""))
}

/// Reads one log from `input` and adds what it says to `summary`.
///
/// `source` names the log in errors, problems and findings; it is usually its path.
///
/// # Errors
///
/// Fails with a [`ReportError`] when the log is empty, not well formed, cut short, of another version, or over one of the
/// `limits`. What came before the place of the error may have been added by then: it is a part of the evidence, and the
/// caller must not judge it as the whole.
pub fn read_sarif(
    source: &str,
    input: impl BufRead,
    limits: &Limits,
    summary: &mut Summary,
) -> Result<LogFacts, ReportError> {
    let mut input = input;
    let mut input = Input::new(source, &mut input, limits.bounds());
    let opening = input.opening()?;
    if !opening.text().trim_start().starts_with('{') {
        let detail = format!("the content is no SARIF, which is a JSON object ({})", opening.describe());
        return Err(input.error(ErrorKind::Unrecognised, detail));
    }
    summary.logs += 1;
    let mut context =
        run::Context { source, limits, summary, refusal: Refusal::default(), results: 0, timestamp: String::new() };
    let log = log::Log {
        context: &mut context,
        has_version: false,
        has_runs: false,
        runs: 0,
        scanned_runs: 0,
        tools: Vec::new(),
    };
    match json::parse(input, EachEntry { what: "a SARIF log", on_entry: log }) {
        Ok((log::Log { has_version: true, has_runs: true, runs, scanned_runs, tools, .. }, bytes)) => {
            let run::Context { results, timestamp, .. } = context;
            Ok(LogFacts { bytes, runs, scanned_runs, results, tools, timestamp })
        }
        Ok((log, _)) => {
            let detail = match (log.has_version, log.has_runs) {
                (false, _) => "the document has no `version`, so it is no SARIF 2.1.0",
                _ => "the document has no `runs`, so it is no SARIF 2.1.0",
            };
            Err(ReportError::new(source, None, ErrorKind::Unrecognised, detail))
        }
        Err(error) => Err(context.refusal.explain(error)),
    }
}
