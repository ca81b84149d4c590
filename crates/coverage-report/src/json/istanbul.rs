//! Istanbul's `coverage-final.json` (istanbul-lib-coverage: `FileCoverage`).
//!
//! A file has maps of its statements and branches, and counters under the same keys. Istanbul derives lines from
//! statements: a line on which statements start is covered if one of them is.

use std::collections::{BTreeMap, HashMap};

use report_input::json::{self, EachEntry, OnEntry, once, skip};
use report_input::xml::Fault;
use report_input::{Input, Opening, ReportError};
use serde::Deserialize;
use serde::de::MapAccess;

use super::value::{Hits, Whole};
use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Branch, ReportFacts, Sink};
use crate::output::{Output, Part, checked_line, outcome_id};

pub(crate) const ENTRY: Entry = Entry { format: Format::Istanbul, recognise, read };

fn recognise(opening: &Opening) -> bool {
    opening.text().trim_start().starts_with('{') && opening.text().contains("\"statementMap\"")
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut output = Output::new(input.source(), limits, sink);
    let files = Files { output: &mut output };
    match json::parse(input, EachEntry { what: "an object with a member for each source file", on_entry: files }) {
        Ok((_, bytes)) => Ok(output.finish(Format::Istanbul, bytes)),
        Err(error) => Err(output.explain(error)),
    }
}

/// The document: a file for each key.
struct Files<'o, 'a> {
    output: &'o mut Output<'a>,
}

impl<'de> OnEntry<'de> for Files<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let on_entry = File { output: self.output, data: Data::default() };
        let data = map.next_value_seed(EachEntry { what: "the coverage of a source file", on_entry })?.data;
        data.hand_on(key, self.output).map_err(|fault| self.output.refuse(fault))
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Place {
    line: Whole,
    column: Whole,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Range {
    start: Place,
    end: Place,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BranchPlace {
    loc: Option<Range>,
    line: Whole,
    locations: Vec<Range>,
}

/// What a file's members say, in order, so that of several faults always the same one is named.
#[derive(Debug, Default)]
struct Data {
    seen: [bool; 6],
    path: Option<String>,
    statements: BTreeMap<String, Place>,
    hits: BTreeMap<String, Hits>,
    branches: BTreeMap<String, BranchPlace>,
    taken: BTreeMap<String, Vec<Hits>>,
}

struct File<'o, 'a> {
    output: &'o mut Output<'a>,
    data: Data,
}

impl<'de> OnEntry<'de> for File<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let known = ["path", "statementMap", "s", "branchMap", "b", "data"].iter().position(|known| *known == key);
        let Some(known) = known else { return skip(map) };
        once(&mut self.data.seen[known], key)?;
        let output = &mut *self.output;
        match key {
            "path" => self.data.path = Some(map.next_value()?),
            "statementMap" => self.data.statements = table::<A, Range>(map, output, "statements")?.map(|at| at.start),
            "s" => self.data.hits = table::<A, Hits>(map, output, "counts of statements")?.map(|hits| hits),
            "branchMap" => self.data.branches = table::<A, BranchPlace>(map, output, "branches")?.map(|at| at),
            "b" => self.data.taken = table::<A, Vec<Hits>>(map, output, "counts of branches")?.map(|taken| taken),
            // Some versions write the object around the data.
            _ => {
                let file = File { output, data: Data { seen: self.data.seen, ..Data::default() } };
                let data =
                    map.next_value_seed(EachEntry { what: "the coverage of a source file", on_entry: file })?.data;
                self.data = data;
            }
        }
        Ok(())
    }
}

/// A map from the keys of one table of a file to its values.
struct Table<'o, 'a, V> {
    output: &'o mut Output<'a>,
    values: BTreeMap<String, V>,
}

impl<V> Table<'_, '_, V> {
    fn map<W>(self, value: impl Fn(V) -> W) -> BTreeMap<String, W> {
        self.values.into_iter().map(|(key, found)| (key, value(found))).collect()
    }
}

fn table<'de, 'o, 'a, A: MapAccess<'de>, V: Deserialize<'de>>(
    map: &mut A,
    output: &'o mut Output<'a>,
    what: &'static str,
) -> Result<Table<'o, 'a, V>, A::Error> {
    map.next_value_seed(EachEntry { what, on_entry: Table { output, values: BTreeMap::new() } })
}

impl<'de, V: Deserialize<'de>> OnEntry<'de> for Table<'_, '_, V> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.output.count_entry().map_err(|fault| self.output.refuse(fault))?;
        if self.values.insert(key.to_owned(), map.next_value()?).is_some() {
            return once(&mut true, key);
        }
        Ok(())
    }
}

impl Data {
    fn hand_on(mut self, key: &str, output: &mut Output<'_>) -> Result<(), Fault> {
        let mut part = Part { path: output.begin_file(self.path.as_deref().unwrap_or(key))?, ..Part::default() };
        for (id, place) in &self.statements {
            let covered = self.hits.remove(id).is_some_and(Hits::is_covered);
            output.line(&mut part, checked_line(place.line.0.unwrap_or(0))?, covered)?;
        }
        if let Some(id) = self.hits.keys().next() {
            return Err(unplaced("statement", id));
        }
        let mut branches: Vec<_> = std::mem::take(&mut self.branches).into_iter().collect();
        branches.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        let mut alike: HashMap<[u64; 4], u64> = HashMap::new();
        for (id, branch) in branches {
            let taken = self.taken.remove(&id).unwrap_or_default();
            let at = branch.loc.unwrap_or_else(|| branch.locations.first().copied().unwrap_or_default());
            let place =
                [at.start.line, at.start.column, at.end.line, at.end.column].map(|number| number.0.unwrap_or(0));
            let line = checked_line(branch.line.0.or(at.start.line.0).unwrap_or(0))?;
            let nth = alike.entry(place).or_default();
            for index in 0..taken.len().max(branch.locations.len()) {
                let numbers = [place[0], place[1], place[2], place[3], *nth, index as u64].map(u64::to_le_bytes);
                let id = outcome_id(numbers.iter().map(|number| &number[..]));
                let covered = taken.get(index).is_some_and(|hits| hits.is_covered());
                output.branch(&mut part, Branch::Outcome { line, id, covered })?;
            }
            *nth += 1;
        }
        if let Some(id) = self.taken.keys().next() {
            return Err(unplaced("branch", id));
        }
        output.flush(&mut part);
        Ok(())
    }
}

fn unplaced(what: &str, id: &str) -> Fault {
    let id = report_input::cut(id, 40).escape_debug();
    Fault::malformed(format!("the {what} `{id}` is counted, but its map does not say where it is"))
}
