//! Istanbul's `coverage-summary.json`: counters of each file, and of all files under `total`.

use std::collections::HashSet;

use report_input::json::{self, EachEntry, OnEntry, once};
use report_input::xml::Fault;
use report_input::{Input, Opening, ReportError};
use serde::Deserialize;
use serde::de::MapAccess;

use super::value::Whole;
use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Count, Coverage, ReportFacts, Sink};
use crate::output::{Header, Output};

pub(crate) const ENTRY: Entry = Entry { format: Format::IstanbulSummary, recognise, read };

fn recognise(opening: &Opening) -> bool {
    let text = opening.text();
    text.trim_start().starts_with('{') && ["\"pct\"", "\"covered\"", "\"lines\""].iter().all(|key| text.contains(key))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut output = Output::new(input.source(), limits, sink);
    let entries = Entries { output: &mut output, seen: HashSet::new(), total: None, sum: Coverage::default() };
    match json::parse(input, EachEntry { what: "an object with a member for each source file", on_entry: entries }) {
        Ok((entries, bytes)) => {
            entries.compare();
            Ok(output.finish(Format::IstanbulSummary, bytes))
        }
        Err(error) => Err(output.explain(error)),
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Metric {
    total: Whole,
    covered: Whole,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Metrics {
    lines: Metric,
    branches: Metric,
}

impl Metric {
    fn count(self) -> Result<Count, Fault> {
        match (self.covered.0, self.total.0) {
            (Some(covered), Some(total)) if covered <= total => Ok(Count { covered, total }),
            (Some(covered), Some(total)) => Err(Fault::malformed(format!("{covered} of {total} are covered"))),
            _ => Err(Fault::malformed("a counter without a number")),
        }
    }
}

struct Entries<'o, 'a> {
    output: &'o mut Output<'a>,
    seen: HashSet<String>,
    total: Option<Coverage>,
    sum: Coverage,
}

impl Entries<'_, '_> {
    fn add(&mut self, key: &str, metrics: Metrics) -> Result<(), Fault> {
        let coverage = Coverage { line: metrics.lines.count()?, branch: metrics.branches.count()? };
        if key == "total" {
            self.total = Some(coverage);
            return Ok(());
        }
        let path = self.output.begin_file(key)?;
        self.output.counted_only(&path, coverage);
        self.sum.add(coverage);
        Ok(())
    }

    /// Compares the total with the files, or hands it on where it is all there is.
    fn compare(self) {
        let Some(total) = self.total else { return };
        if self.seen.len() == 1 {
            self.output.counted_only("", total);
            return;
        }
        for (what, says, shown) in [("line", total.line, self.sum.line), ("branch", total.branch, self.sum.branch)] {
            let header = Header { covered: Some(says.covered), total: Some(says.total) };
            self.output.compare("total", what, header, &[shown]);
        }
    }
}

impl<'de> OnEntry<'de> for Entries<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if !self.seen.insert(key.to_owned()) {
            return once(&mut true, key);
        }
        let metrics = map.next_value()?;
        self.add(key, metrics).map_err(|fault| self.output.refuse(fault))
    }
}
