//! Events of `go test -json` (test2json), as gotestsum keeps them in its `--jsonfile` too.
//!
//! * Every named test counts, those around subtests included, as gotestsum counts them. Benchmarks, examples, fuzz tests
//!   and their seeds are tests like others.
//! * A test that began and has no result is errored (a panic, `os.Exit`, a timeout), with two exceptions: a benchmark in
//!   a package that passed, and a subtest of a test that passed in a package that passed, of which some versions of Go
//!   lose the result; neither can have failed, the first counts as passed, the second does not count.
//! * A package that fails without a failed test (it does not build, `TestMain` fails) is an errored test under a name in
//!   brackets, and a problem: its tests did not run, or not all of them.
//! * A package that has no result makes the report incomplete. Nothing in the format says which packages there should
//!   be: a report cut between two packages is not told from a whole one.
//! * A later run of a package in which nothing runs but tests that failed before holds attempts of those tests
//!   (gotestsum's `--rerun-fails`). Any other repetition (`-count`, a second run of everything) holds other tests.
//! * Lines that are no objects come from the go command itself; `FAIL` in such a line is not passed over. Objects without
//!   an `Action` are output of programs.

use report_input::{ErrorKind, Input, Lines, Opening, ReportError};

use super::Entry;
use super::events::{self, Line, OPEN_TESTS};
use super::tally::Tally;
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{ReportFacts, Sink};

mod package;
mod run;

use run::{Event, Run};

pub(crate) const ENTRY: Entry = Entry { format: Format::GoTest, recognise, read };

const ACTIONS: [&str; 12] = [
    "start\"",
    "run\"",
    "pause\"",
    "cont\"",
    "pass\"",
    "bench\"",
    "fail\"",
    "output\"",
    "skip\"",
    "build-output\"",
    "build-fail\"",
    "attr\"",
];

fn recognise(opening: &Opening) -> bool {
    events::has_event(opening, |keys, line| {
        keys.contains(&"Action") && ACTIONS.iter().any(|action| events::has_member(line, "Action", action))
    })
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let tally = Tally::new(input.source(), limits, sink);
    let mut lines = Lines::new(input);
    let mut run = Run::new(tally);
    let mut found = 0u64;
    while let Some(line) = events::next::<Event>(&mut lines)? {
        let taken = match line {
            Line::Event(event) if event.action.is_empty() => continue,
            Line::Event(event) => {
                found += 1;
                run.take(&event)
            }
            Line::Other(text) => {
                found += u64::from(run.take_text(&text));
                Ok(())
            }
        };
        taken.map_err(|detail| run.tally.explain(lines.error(ErrorKind::Malformed, detail)))?;
        if run.open_tests() > OPEN_TESTS {
            return Err(events::too_many_open(&lines));
        }
    }
    if found == 0 {
        return Err(lines.error(ErrorKind::Malformed, "no event of go test in the whole report"));
    }
    run.end().map_err(|detail| run.tally.explain(lines.error(ErrorKind::Malformed, detail)))?;
    Ok(run.tally.finish(Format::GoTest, lines.bytes_read()))
}
