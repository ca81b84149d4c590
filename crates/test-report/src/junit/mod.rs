//! JUnit XML in all its dialects.

use report_input::{Input, Opening, ReportError, xml};

use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{ReportFacts, Sink};

mod case;
mod counters;
mod reader;

pub(crate) const ENTRY: Entry = Entry { format: Format::JUnit, recognise, read };

fn recognise(opening: &Opening) -> bool {
    opening.root().is_some_and(|root| matches!(root.name, "testsuites" | "testsuite"))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut handler = reader::JUnit::new(input.source(), limits, sink);
    let bytes = xml::read(input, &mut handler)?;
    Ok(handler.finish(bytes))
}
