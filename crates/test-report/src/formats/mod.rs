//! The readers, one module per format.
//!
//! # Adding a format
//!
//! 1. Write `formats/<name>.rs` (or a folder, where one file would grow over 500 lines) with
//!    `pub(crate) const ENTRY: Entry`, and add **one line** for it to the `readers!` table below. The table's order is
//!    the order of recognition: an entry whose sign is weaker stands further down.
//! 2. `recognise` looks at an [`Opening`]: [`Opening::root`] and [`Opening::tags`] for XML, [`Opening::json_keys`] for
//!    JSON, [`Opening::text`] for the rest. It must say yes to nothing but its own format.
//! 3. `read` is a plain function `fn(Input<'_>, &Limits, &mut dyn Sink) -> Result<ReportFacts, ReportError>`:
//!    * **XML**: implement [`xml::Handler`](report_input::xml::Handler) (start, end and text of elements) and run it with
//!      [`xml::read`](report_input::xml::read), which holds all rules about encoding, entities, limits and well-formedness.
//!    * **JSON documents**: [`json::parse`](report_input::json::parse) with a `DeserializeSeed` whose `Visitor` hands each test
//!      to the sink while it is read; never collect the tests of a document.
//!    * **Lines**: [`Lines`](report_input::Lines), bounded and decoded.
//! 4. Each test is one [`TestCase`](crate::TestCase) that borrows from the reader's buffers; build it with
//!    [`TestCase::new`](crate::TestCase::new) and set what is known. Names and messages are cut with
//!    [`cut`](report_input::cut). Durations are read by [`time`](crate::time).
//!    `suite_number` differs for each suite *instance*. Set `may_be_attempt` only if the format's writers list the
//!    attempts of a repeated test as tests; otherwise equal names stay different tests.
//! 5. Decide outcomes so that nothing turns greener: a value that is not known is never `Passed` but an error, or
//!    `Errored` with a [`Problem`](crate::Problem) of kind `UnknownValue`; counters that claim more tests or failures
//!    than are listed are a `CountersDisagree`; a document without the one element or event that says that it is
//!    complete is an error (`Truncated`) or an `Incomplete`.
//! 6. Fixtures go to `tests/it/fixtures/<name of the format>/`, one row for each in the `expected.tsv` there.

mod boost;
mod cppunit;
mod ctest;
mod ctrf;
mod cucumber;
mod cunit;
mod dart;
mod document;
mod elements;
mod events;
mod go_test;
mod googletest;
mod libtest;
mod members;
mod mocha;
mod nunit;
mod phpunit;
mod qttest;
mod rspec;
mod support;
mod tally;
mod tap;
mod testng;
mod trx;
mod xunit;

pub(crate) use support::OUTSIDE;

use report_input::{Input, Opening, ReportError};

use crate::format::Format;
use crate::junit;
use crate::limits::Limits;
use crate::model::{ReportFacts, Sink};

/// How a format is recognised and read.
pub(crate) struct Entry {
    /// The format.
    pub(crate) format: Format,
    /// Whether the beginning of a report belongs to the format.
    pub(crate) recognise: fn(&Opening) -> bool,
    /// Reads a report of the format to its end.
    pub(crate) read: fn(Input<'_>, &Limits, &mut dyn Sink) -> Result<ReportFacts, ReportError>,
}

macro_rules! readers {
    ($($entry:path,)+) => {
        /// All readers, in the order of recognition.
        pub(crate) static ENTRIES: &[Entry] = &[$($entry,)+];
    };
}

readers! {
    junit::ENTRY,
    nunit::NUNIT2,
    nunit::NUNIT3,
    testng::ENTRY,
    cppunit::ENTRY,
    trx::ENTRY,
    xunit::ENTRY,
    boost::ENTRY,
    ctest::ENTRY,
    cunit::ENTRY,
    phpunit::ENTRY,
    qttest::ENTRY,
    go_test::ENTRY,
    libtest::ENTRY,
    dart::ENTRY,
    cucumber::ENTRY,
    ctrf::ENTRY,
    googletest::ENTRY,
    mocha::ENTRY,
    rspec::ENTRY,
    tap::ENTRY,
}

/// The reader of a format.
pub(crate) fn entry(format: Format) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.format == format)
}
