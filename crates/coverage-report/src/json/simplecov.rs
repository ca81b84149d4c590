//! SimpleCov: `.resultset.json`, `coverage.json` of its JSON formatter, and the older simplecov-json.
//!
//! `.resultset.json` has a member for each command (test suite) with its own coverage of the same files; the union of
//! the commands counts. An array gives the counts of a file's lines from the first one; `null` can not be executed.

use report_input::json::{self, EachEntry, EachItem, OnEntry, OnItem, once, skip};
use report_input::xml::Fault;
use report_input::{Input, Opening, ReportError};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::value::{Hits, Whole};
use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Branch, Count, ProblemKind, ReportFacts, Sink};
use crate::output::{Header, Output, Part, checked_line, line_number, outcome_id};

pub(crate) const ENTRY: Entry = Entry { format: Format::SimpleCov, recognise, read };

fn recognise(opening: &Opening) -> bool {
    let text = opening.text();
    text.trim_start().starts_with('{')
        && text.contains("\"coverage\"")
        && (opening.json_keys().first() == Some(&"meta")
            || ["\"lines\"", "\"timestamp\"", "\"covered_percent\""].iter().any(|key| text.contains(key))
            || text.contains("\"coverage\":{") | text.contains("\"coverage\": {"))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut output = Output::new(input.source(), limits, sink);
    let document = Document { output: &mut output, seen: [false; 3], metrics: None, listed: Count::default() };
    match json::parse(input, EachEntry { what: "an object with SimpleCov's results", on_entry: document }) {
        Ok((document, bytes)) => {
            document.compare();
            Ok(output.finish(Format::SimpleCov, bytes))
        }
        Err(error) => Err(output.explain(error)),
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Metrics {
    covered_lines: Whole,
    total_lines: Whole,
}

struct Document<'o, 'a> {
    output: &'o mut Output<'a>,
    seen: [bool; 3],
    metrics: Option<Metrics>,
    listed: Count,
}

impl Document<'_, '_> {
    fn compare(self) {
        if let Some(Metrics { covered_lines, total_lines }) = self.metrics {
            let header = Header { covered: covered_lines.0, total: total_lines.0 };
            self.output.compare("metrics", "line", header, &[self.listed]);
        }
    }
}

impl<'de> OnEntry<'de> for Document<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "coverage" => {
                once(&mut self.seen[0], key)?;
                let on_entry = FileMap { output: self.output };
                map.next_value_seed(EachEntry { what: "an object with a member for each source file", on_entry })?;
            }
            "files" => {
                once(&mut self.seen[1], key)?;
                let on_item = FileList { output: self.output, listed: &mut self.listed };
                map.next_value_seed(EachItem { what: "an array of source files", on_item })?;
            }
            "metrics" if self.seen[1] => {
                once(&mut self.seen[2], key)?;
                self.metrics = Some(map.next_value()?);
            }
            // The JSON formatter's other members. Without its `coverage` they are commands like any other.
            "meta" | "groups" | "total" | "errors" if self.seen[0] => skip(map)?,
            _ => map.next_value_seed(Command { output: self.output })?,
        }
        Ok(())
    }
}

/// The results of a command; anything but an object is none (`timestamp` and the like of simplecov-json).
struct Command<'o, 'a> {
    output: &'o mut Output<'a>,
}

impl<'de> DeserializeSeed<'de> for Command<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Command<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the results of a command")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut seen, output) = (false, self.output);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "coverage" => {
                    once(&mut seen, &key)?;
                    let on_entry = FileMap { output };
                    map.next_value_seed(EachEntry { what: "an object with a member for each source file", on_entry })?;
                }
                "timestamp" => {
                    if let Whole(Some(timestamp)) = map.next_value()? {
                        output.note_timestamp(&timestamp.to_string());
                    }
                }
                _ => skip(&mut map)?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

struct FileMap<'o, 'a> {
    output: &'o mut Output<'a>,
}

impl<'de> OnEntry<'de> for FileMap<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let path = self.output.begin_file(key).map_err(|fault| self.output.refuse(fault))?;
        let mut part = Part { path, ..Part::default() };
        map.next_value_seed(File { output: self.output, part: &mut part })?;
        self.output.flush(&mut part);
        Ok(())
    }
}

/// simplecov-json: `[{"filename": ..., "coverage": [...]}, ...]`.
struct FileList<'o, 'a> {
    output: &'o mut Output<'a>,
    listed: &'o mut Count,
}

impl<'de> OnItem<'de> for FileList<'_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let on_entry = ListedFile { output: self.output, name: None, seen: false, part: Part::default() };
        let Some(file) = items.next_element_seed(EachEntry { what: "a source file", on_entry })? else {
            return Ok(false);
        };
        let ListedFile { name, mut part, .. } = file;
        part.path =
            self.output.begin_file(name.as_deref().unwrap_or_default()).map_err(|fault| self.output.refuse(fault))?;
        self.listed.total += part.lines.len() as u64;
        self.listed.covered += part.lines.iter().filter(|line| line.covered).count() as u64;
        self.output.flush(&mut part);
        Ok(true)
    }
}

struct ListedFile<'o, 'a> {
    output: &'o mut Output<'a>,
    name: Option<String>,
    seen: bool,
    part: Part,
}

impl<'de> OnEntry<'de> for ListedFile<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "filename" if self.name.is_none() => self.name = Some(map.next_value()?),
            "coverage" => {
                once(&mut self.seen, key)?;
                map.next_value_seed(File { output: self.output, part: &mut self.part })?;
            }
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// What is covered in a file: an array of lines, or an object with `lines` and `branches`.
struct File<'o, 'a> {
    output: &'o mut Output<'a>,
    part: &'o mut Part,
}

impl<'de> DeserializeSeed<'de> for File<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for File<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the lines of a source file")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut lines = LineCounts { output: self.output, part: self.part };
        let mut index = 0;
        while lines.item(index, &mut items)? {
            index += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut seen, mut oneshot, output, part) = ([false; 2], false, self.output, self.part);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "lines" => {
                    once(&mut seen[0], &key)?;
                    let lines: Option<()> = map.next_value_seed(Lines { output, part })?;
                    seen[0] = lines.is_some();
                }
                "branches" => {
                    once(&mut seen[1], &key)?;
                    map.next_value_seed(Branches { output, part })?;
                }
                "oneshot_lines" => {
                    oneshot = true;
                    skip(&mut map)?;
                }
                _ => skip(&mut map)?,
            }
        }
        if oneshot && !seen[0] {
            let message = format!("{} lists only the lines that were executed, not those that were not", part.path);
            output.problem(ProblemKind::Incomplete, message);
        }
        Ok(())
    }
}

struct LineCounts<'o, 'a> {
    output: &'o mut Output<'a>,
    part: &'o mut Part,
}

impl<'de> OnItem<'de> for LineCounts<'_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, index: u64, items: &mut A) -> Result<bool, A::Error> {
        let Some(hits) = items.next_element::<Hits>()? else { return Ok(false) };
        if hits != Hits::Absent {
            let add = checked_line(index + 1).and_then(|number| {
                self.output.count_entry()?;
                self.part.lines.push(crate::model::Line { number, covered: hits.is_covered() });
                Ok(())
            });
            add.map_err(|fault| self.output.refuse(fault))?;
        }
        Ok(true)
    }
}

/// An array of counts, or `null` where lines were not measured.
struct Lines<'o, 'a> {
    output: &'o mut Output<'a>,
    part: &'o mut Part,
}

impl<'de> DeserializeSeed<'de> for Lines<'_, '_> {
    type Value = Option<()>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<()>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Lines<'_, '_> {
    type Value = Option<()>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of counts or null")
    }

    fn visit_none<E>(self) -> Result<Option<()>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<()>, D::Error> {
        let on_item = LineCounts { output: self.output, part: self.part };
        EachItem { what: "an array of counts", on_item }.deserialize(deserializer).map(|_| Some(()))
    }
}

/// Branches: in `.resultset.json` an object of conditions with their outcomes, under the names that Ruby gives them
/// (`[:if, 0, line, column, end line, end column]`); in `coverage.json` an array of outcomes.
struct Branches<'o, 'a> {
    output: &'o mut Output<'a>,
    part: &'o mut Part,
}

impl<'de> DeserializeSeed<'de> for Branches<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[derive(Debug, Deserialize)]
struct ListedOutcome {
    #[serde(default)]
    r#type: String,
    start_line: Whole,
    #[serde(default)]
    end_line: Whole,
    coverage: Hits,
}

impl<'de> Visitor<'de> for Branches<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the branches of a source file")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom("branches that are a text"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0u64;
        while let Some(outcome) = items.next_element::<ListedOutcome>()? {
            let start = outcome.start_line.0.unwrap_or(0);
            let numbers = [start, outcome.end_line.0.unwrap_or(0), index].map(u64::to_le_bytes);
            index += 1;
            let id = outcome_id(numbers.iter().map(|number| &number[..]).chain([outcome.r#type.as_bytes()]));
            let line = checked_line(start);
            add(self.output, self.part, line, id, outcome.coverage).map_err(|fault| self.output.refuse(fault))?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(condition) = map.next_key::<String>()? {
            let on_entry = Outcomes { output: self.output, part: self.part, condition };
            map.next_value_seed(EachEntry { what: "the outcomes of a condition", on_entry })?;
        }
        Ok(())
    }
}

struct Outcomes<'o, 'a> {
    output: &'o mut Output<'a>,
    part: &'o mut Part,
    condition: String,
}

impl<'de> OnEntry<'de> for Outcomes<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let hits = map.next_value()?;
        let id = outcome_id([self.condition.as_bytes(), key.as_bytes()]);
        let line = self.condition.split(',').nth(2).map_or(Ok(0), line_number);
        add(self.output, self.part, line, id, hits).map_err(|fault| self.output.refuse(fault))
    }
}

fn add(output: &mut Output<'_>, part: &mut Part, line: Result<u32, Fault>, id: u64, hits: Hits) -> Result<(), Fault> {
    if hits == Hits::Absent {
        return Ok(());
    }
    output.count_entry()?;
    part.branches.push(Branch::Outcome { line: line?, id, covered: hits.is_covered() });
    Ok(())
}
