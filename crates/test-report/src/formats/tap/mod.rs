//! The Test Anything Protocol, versions 12 to 14.
//!
//! * The test points that are not indented are the tests, as for `prove` and other harnesses; a subtest counts as the one
//!   test point that stands for it. A failed subtest whose test point is ok fails the test point.
//! * `not ok` with `TODO` is skipped (an expected failure), `ok` with `TODO` passed; `ok` with `SKIP` is skipped, `not ok`
//!   with `SKIP` has failed.
//! * Planned tests without a test point are errored and make the report incomplete. So does a missing plan. Test points
//!   outside of the plan are errored. More test points than planned, numbers that do not add up to the plan, and a plan
//!   between test points are a problem; another order of the numbers is none.
//! * `Bail out!` is a problem; what was planned is not expected any more. Harnesses stop there: of what follows, only
//!   failures count.
//! * Counts in the comments at the end (`# fail 2`, as node and tape write them) must not exceed the failures listed.
//! * Reports that were put one behind the other are read as such: each has its own plan.

use report_input::{ErrorKind, Input, Lines, Opening, ReportError};

use super::Entry;
use super::tally::Tally;
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{ReportFacts, Sink};

mod document;
mod line;
mod reader;
mod subtests;

use line::Line;

pub(crate) const ENTRY: Entry = Entry { format: Format::Tap, recognise, read };

fn recognise(opening: &Opening) -> bool {
    if opening.text().trim_start().starts_with(['<', '{', '[']) {
        return false;
    }
    opening.text().lines().any(|text| match line::parse(text) {
        Line::Version | Line::Plan(_) => true,
        Line::Point(point) => point.number.is_some(),
        _ => false,
    })
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let tally = Tally::new(input.source(), limits, sink);
    let mut lines = Lines::new(input);
    let mut reader = reader::Reader::new(tally);
    while let Some(line) = lines.next_line()? {
        let taken = reader.take(line);
        taken.map_err(|detail| reader.tally.explain(lines.error(ErrorKind::Malformed, detail)))?;
    }
    if !reader.found_something() {
        return Err(lines.error(ErrorKind::Malformed, "neither a plan nor a test point in the whole report"));
    }
    reader.end().map_err(|detail| reader.tally.explain(lines.error(ErrorKind::Malformed, detail)))?;
    Ok(reader.tally.finish(Format::Tap, lines.bytes_read()))
}
