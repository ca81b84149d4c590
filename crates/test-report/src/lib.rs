//! Reads test reports of many formats into one model; no AWS, no async.
//!
//! A report is read as a stream: the reader of a format hands each test to a [`Sink`] as soon as it is complete and
//! forgets it, so that memory does not grow with the report. [`Summary`] is the sink that most callers want: totals,
//! the first failing tests, and everything about the report that does not add up.
//!
//! ```
//! use test_report::{Limits, Summary, read_report};
//!
//! let xml = r#"<testsuite name="web" tests="2">
//!     <testcase classname="web.login" name="accepts_password" time="0.01"/>
//!     <testcase classname="web.login" name="rejects_empty_password"><failure message="expected 401"/></testcase>
//! </testsuite>"#;
//! let mut summary = Summary::default();
//! let facts = read_report("TEST-web.xml", xml.as_bytes(), None, &Limits::default(), &mut summary)?;
//! assert_eq!(facts.format.to_string(), "junit");
//! assert_eq!((summary.tests().total, summary.tests().failed), (2, 1));
//! assert_eq!(summary.failing()[0].id, "web.login::rejects_empty_password");
//! assert!(summary.problems().is_empty());
//! # Ok::<(), test_report::ReportError>(())
//! ```
//!
//! # What holds for every format
//!
//! * **Never greener than the evidence.** A report that cannot be read to its end is an error, not a short report.
//!   Headers that claim more tests or failures than the report lists are a [`Problem`]. A test that is both failed and
//!   skipped has failed. What failed outside of any test is a problem, and the totals are never those of a good report:
//!   an errored test stands for it.
//! * **Bounded.** Every reader obeys [`Limits`]; over a limit is an error that names the limit. The bytes are read by `report-input`, whose rules
//!   about encodings, well-formedness and forbidden constructs hold here as they do for coverage reports and SARIF logs.
//! * **No expansion.** XML readers know the five predefined entities and character references, nothing else.

mod format;
mod formats;
mod junit;
mod limits;
mod model;
mod recognise;
mod repeats;
mod summary;
mod time;

pub use format::{Format, UnknownFormat};
pub use limits::Limits;
pub use model::{CountedOnly, Outcome, Problem, ProblemKind, ReportFacts, Sink, TestCase};
pub use repeats::Standing;
pub use report_input::{ErrorKind, Place, ReportError};
pub use summary::{Failing, Observed, Summary, Tests, Visitor};

use std::io::BufRead;

use report_input::Input;

/// Reads one report from `input` and hands its tests to `sink`, one at a time.
///
/// `source` names the report in errors and problems; it is usually its path. With `format` the content is read as that
/// format; without it the format is recognised from the content, never from the name.
///
/// # Errors
///
/// Fails with a [`ReportError`] when the report is empty, of no known format, not well formed, cut short, or over one of
/// the `limits`. Tests that came before the place of the error have reached the sink by then: what the sink holds is
/// a part of the evidence, and the caller must not judge it as the whole.
pub fn read_report(
    source: &str,
    input: impl BufRead,
    format: Option<Format>,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<ReportFacts, ReportError> {
    let mut input = input;
    let mut input = Input::new(source, &mut input, limits.bounds());
    let opening = input.opening()?;
    let entry = match format {
        Some(format) => formats::entry(format),
        None => recognise::recognise(&opening),
    };
    let entry = match (entry, format) {
        (Some(entry), _) => entry,
        (None, Some(format)) => {
            return Err(input.error(ErrorKind::Unrecognised, format!("there is no reader for the format {format}")));
        }
        (None, None) => return Err(input.error(ErrorKind::Unrecognised, recognise::unknown(&opening))),
    };
    sink.report(source, entry.format);
    (entry.read)(input, limits, sink)
}
