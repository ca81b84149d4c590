//! JUnit XML in all its dialects.

use crate::error::ReportError;
use crate::format::Format;
use crate::formats::Entry;
use crate::input::Input;
use crate::model::{ReportFacts, Sink};
use crate::recognise::Opening;
use crate::xml;

mod case;
mod counters;
mod reader;

pub(crate) const ENTRY: Entry = Entry { format: Format::JUnit, recognise, read };

fn recognise(opening: &Opening) -> bool {
    opening.root().is_some_and(|root| matches!(root.name, "testsuites" | "testsuite"))
}

fn read(input: Input<'_>, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let (source, limits) = (input.source, input.limits);
    let mut handler = reader::JUnit::new(source, limits, sink);
    let bytes = xml::read(input, &mut handler)?;
    Ok(handler.finish(bytes))
}
