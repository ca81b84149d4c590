//! Reads code coverage reports of many formats and merges them by source file; no AWS, no async.
//!
//! A report is read as a stream: the reader of a format hands what it finds about each source file to a [`Sink`].
//! [`Merger`] is the sink that most callers want: it unites any number of reports, shards and formats, and gives totals
//! and files.
//!
//! ```
//! use coverage_report::{Limits, Merger, read_coverage};
//!
//! let mut merger = Merger::default();
//! for (shard, lcov) in [
//!     ("shard-1.info", "SF:src/a.c\nDA:1,1\nDA:2,0\nDA:3,0\nend_of_record\n"),
//!     ("shard-2.info", "SF:src/a.c\nDA:1,1\nDA:2,7\nDA:3,0\nend_of_record\n"),
//! ] {
//!     read_coverage(shard, lcov.as_bytes(), None, &Limits::default(), &mut merger)?;
//! }
//! let merged = merger.finish();
//! let line = merged.coverage().line;
//! assert_eq!((line.covered, line.total), (2, 3));
//! assert_eq!(line.percent().map(|percent| percent.to_string()).as_deref(), Some("66.66"));
//! assert!(merged.problems().is_empty());
//! # Ok::<(), coverage_report::ReportError>(())
//! ```
//!
//! # What holds for every format
//!
//! * **Never greener than the evidence.** Totals are counted from the lines. A report that cannot be read to its end is
//!   an error, not a short report. Counters and rates in headers are only compared, and a disagreement is a [`Problem`].
//!   Nothing to cover is no percentage, not 100 %.
//! * **A union, not a sum.** A line or branch that several reports list counts once, and is covered if any of them covers
//!   it. When paths are the same file is said at [`normalise_path`].
//! * **Bounded.** Every reader obeys [`Limits`]; over a limit is an error that names the limit. A line takes four bytes.
//!
//! # What counts as a line and as a branch
//!
//! | format | lines | branches | compared with |
//! |---|---|---|---|
//! | LCOV | `DA` | `BRDA`, by line, block and branch | `LF`, `LH`, `BRF`, `BRH` |
//! | Cobertura | `line` | `condition-coverage`, the largest of each line | `lines-valid`, `lines-covered`, `branches-*`, else the rates |
//! | JaCoCo | `line`, covered if `ci` > 0 | `mb`, `cb`, the largest of each line | `counter` of source files and report |
//! | Clover | lines of type `stmt` and `cond` | `truecount`, `falsecount` | `metrics` of files and project |
//! | SimpleCov | `lines` | by the names that Ruby gives them | `metrics` (simplecov-json) |
//! | Istanbul | lines on which a statement starts | by place | |
//! | Istanbul summary | counted only | counted only | `total` |
//! | llvm-cov | as llvm-cov counts from segments | by place | `totals`, within 10 percentage points |
//! | OpenCover | lines on which a sequence point starts | branch points | `Summary` |
//! | Go | statements of blocks | none | |
//!
//! llvm-cov's own line counters count a line once for each function that has it, in its JSON as well as in the LCOV that
//! it writes. That is why they are only compared roughly.

mod format;
mod formats;
mod json;
mod limits;
mod merge;
mod model;
mod output;
mod path;
mod record;
mod text;
mod union;
mod xml;

pub use format::{Format, UnknownFormat};
pub use limits::Limits;
pub use merge::{FileCoverage, Merged, Merger, Unit};
pub use model::{
    Block, Branch, Count, CountedOnly, Coverage, FilePart, Line, MAX_LINE, Percent, Problem, ProblemKind, ReportFacts,
    Sink,
};
pub use path::normalise_path;
pub use report_input::{ErrorKind, Place, ReportError};

use std::io::BufRead;

use report_input::Input;

/// Reads one report from `input` and hands what it says to `sink`, file by file.
///
/// `source` names the report in errors and problems; it is usually its path. With `format` the content is read as that
/// format; without it the format is recognised from the content, never from the name.
///
/// # Errors
///
/// Fails with a [`ReportError`] when the report is empty, of no known format, not well formed, cut short, or over one of
/// the `limits`. What came before the place of the error has reached the sink by then: it is a part of the evidence, and
/// the caller must not judge it as the whole.
pub fn read_coverage(
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
        None => formats::recognise(&opening),
    };
    let Some(entry) = entry else {
        let detail = format!(
            "the content is of no known coverage format ({}); name the format if it is one of them",
            opening.describe()
        );
        return Err(input.error(ErrorKind::Unrecognised, detail));
    };
    sink.report(source, entry.format);
    (entry.read)(input, limits, sink)
}
