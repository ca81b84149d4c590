//! JSON of `llvm-cov export`.
//!
//! A file has segments: from each place on, code was executed so often, until the next place. Which lines that makes
//! covered follows llvm's `LineCoverageStats`: a line counts what reaches into it and what begins on it, gaps left out.

use std::fmt;

use report_input::json::{self, EachEntry, EachItem, OnEntry, OnItem, once, skip};
use report_input::xml::Fault;
use report_input::{ErrorKind, Input, Opening, ReportError};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::value::{Hits, Whole};
use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Branch, Count, Coverage, ProblemKind, ReportFacts, Sink};
use crate::output::{Output, Part, apart, checked_line, outcome_id};

pub(crate) const ENTRY: Entry = Entry { format: Format::LlvmCov, recognise, read };

const TYPE: &str = "llvm.coverage.json.export";
/// How far, in hundredths of a percent, the counters may be from the lines.
const SLACK: u32 = 1_000;

fn recognise(opening: &Opening) -> bool {
    let text = opening.text();
    text.contains(TYPE)
        || (opening.json_keys().first().is_none_or(|key| *key == "data")
            && text.trim_start().starts_with('{')
            && ["\"data\"", "\"files\"", "\"filename\""].iter().all(|key| text.contains(key)))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut output = Output::new(input.source(), limits, sink);
    let export = Export { output: &mut output, has_data: false, has_type: false };
    match json::parse(input, EachEntry { what: "an export of llvm-cov", on_entry: export }) {
        Ok((Export { has_data: true, has_type: true, .. }, bytes)) => Ok(output.finish(Format::LlvmCov, bytes)),
        Ok(_) => {
            let detail = format!("the document has no `data` or no `type` that is `{TYPE}`");
            Err(ReportError::new(output.source, None, ErrorKind::Unrecognised, detail))
        }
        Err(error) => Err(output.explain(error)),
    }
}

struct Export<'o, 'a> {
    output: &'o mut Output<'a>,
    has_data: bool,
    has_type: bool,
}

impl<'de> OnEntry<'de> for Export<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "data" => {
                once(&mut self.has_data, key)?;
                let on_item = Objects { output: self.output };
                map.next_value_seed(EachItem { what: "an array of exported programs", on_item }).map(|_| ())
            }
            "type" => {
                once(&mut self.has_type, key)?;
                let found: String = map.next_value()?;
                if found != TYPE {
                    let found = report_input::cut(&found, 40).escape_debug();
                    return Err(A::Error::custom(format_args!("the type is \"{found}\" and not \"{TYPE}\"")));
                }
                Ok(())
            }
            _ => skip(map),
        }
    }
}

struct Objects<'o, 'a> {
    output: &'o mut Output<'a>,
}

impl<'de> OnItem<'de> for Objects<'_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let on_entry = Object { output: self.output, seen: [false; 2], totals: None, listed: Count::default() };
        let Some(object) = items.next_element_seed(EachEntry { what: "an exported program", on_entry })? else {
            return Ok(false);
        };
        object.compare();
        Ok(true)
    }
}

/// What was exported of one program.
struct Object<'o, 'a> {
    output: &'o mut Output<'a>,
    seen: [bool; 2],
    totals: Option<Summary>,
    listed: Count,
}

impl Object<'_, '_> {
    fn compare(self) {
        let Some(says) = self.totals.and_then(|totals| totals.lines.count().ok()) else { return };
        if apart(says, self.listed, SLACK) {
            let message = format!(
                "the totals say {} of {} lines, but {} of {} are listed",
                says.covered, says.total, self.listed.covered, self.listed.total
            );
            self.output.problem(ProblemKind::CountersDisagree, message);
        }
    }
}

impl<'de> OnEntry<'de> for Object<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "files" => {
                once(&mut self.seen[0], key)?;
                let on_item = Files { output: self.output, listed: &mut self.listed };
                map.next_value_seed(EachItem { what: "an array of files", on_item }).map(|_| ())
            }
            "totals" => {
                once(&mut self.seen[1], key)?;
                self.totals = Some(map.next_value()?);
                Ok(())
            }
            _ => skip(map),
        }
    }
}

struct Files<'o, 'a> {
    output: &'o mut Output<'a>,
    listed: &'o mut Count,
}

impl<'de> OnItem<'de> for Files<'_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let on_entry = File {
            output: self.output,
            listed: self.listed,
            seen: [false; 4],
            name: String::new(),
            part: Part::default(),
            summary: None,
        };
        let Some(file) = items.next_element_seed(EachEntry { what: "a file", on_entry })? else { return Ok(false) };
        let File { name, part, summary, seen, .. } = file;
        hand_on(&name, part, summary.filter(|_| !seen[1]), self.output, self.listed)
            .map_err(|fault| self.output.refuse(fault))?;
        Ok(true)
    }
}

fn hand_on(
    name: &str,
    mut part: Part,
    summary: Option<Summary>,
    output: &mut Output<'_>,
    listed: &mut Count,
) -> Result<(), Fault> {
    part.path = output.begin_file(name)?;
    if let Some(summary) = summary {
        let coverage = Coverage { line: summary.lines.count()?, branch: summary.branches.count()? };
        listed.add(coverage.line);
        output.counted_only(&part.path, coverage);
    }
    output.flush(&mut part);
    Ok(())
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Summary {
    lines: Counters,
    branches: Counters,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Counters {
    count: Whole,
    covered: Whole,
}

impl Counters {
    fn count(self) -> Result<Count, Fault> {
        let count = Count { covered: self.covered.0.unwrap_or(0), total: self.count.0.unwrap_or(0) };
        if count.covered > count.total {
            return Err(Fault::malformed(format!("{} of {} are covered", count.covered, count.total)));
        }
        Ok(count)
    }
}

struct File<'o, 'a> {
    output: &'o mut Output<'a>,
    listed: &'o mut Count,
    seen: [bool; 4],
    name: String,
    part: Part,
    summary: Option<Summary>,
}

impl<'de> OnEntry<'de> for File<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "filename" => {
                once(&mut self.seen[0], key)?;
                self.name = map.next_value()?;
            }
            "segments" => {
                once(&mut self.seen[1], key)?;
                let walk = Walk { output: self.output, part: &mut self.part, before: None, line: None };
                let walk = map.next_value_seed(EachItem { what: "an array of segments", on_item: walk })?;
                walk.finish().map_err(|fault| self.output.refuse(fault))?;
                self.listed.total += self.part.lines.len() as u64;
                self.listed.covered += self.part.lines.iter().filter(|line| line.covered).count() as u64;
            }
            "branches" => {
                once(&mut self.seen[2], key)?;
                let on_item = Branches { output: self.output, part: &mut self.part };
                map.next_value_seed(EachItem { what: "an array of branches", on_item })?;
            }
            "summary" => {
                once(&mut self.seen[3], key)?;
                self.summary = Some(map.next_value()?);
            }
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// `[line, column, count, has count, is region entry, is gap region]`; old versions have no last one.
#[derive(Debug, Clone, Copy)]
struct Segment {
    line: u64,
    is_hit: bool,
    has_count: bool,
    is_entry: bool,
    is_gap: bool,
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;

        impl<'de> Visitor<'de> for Seen {
            type Value = Segment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a segment of five numbers and flags or more")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Segment, A::Error> {
                let missing = |at| A::Error::invalid_length(at, &"five or more");
                let line: u64 = items.next_element()?.ok_or_else(|| missing(0))?;
                items.next_element::<IgnoredAny>()?.ok_or_else(|| missing(1))?;
                let hits: Hits = items.next_element()?.ok_or_else(|| missing(2))?;
                let has_count = items.next_element::<Flag>()?.ok_or_else(|| missing(3))?.0;
                let is_entry = items.next_element::<Flag>()?.ok_or_else(|| missing(4))?.0;
                let is_gap = items.next_element::<Flag>()?.is_some_and(|flag| flag.0);
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Segment { line, is_hit: hits.is_covered(), has_count, is_entry, is_gap })
            }
        }

        deserializer.deserialize_seq(Seen)
    }
}

/// `true` or `false`; old versions write 1 or 0.
struct Flag(bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;

        impl Visitor<'_> for Seen {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }

            fn visit_u64<E>(self, flag: u64) -> Result<Flag, E> {
                Ok(Flag(flag != 0))
            }
        }

        deserializer.deserialize_any(Seen)
    }
}

/// What is known of the line whose segments are being read.
#[derive(Debug, Clone, Copy)]
struct OpenLine {
    number: u32,
    begins_skipped: bool,
    starts: bool,
    starts_hit: bool,
    enters_counted: bool,
    last: Segment,
}

/// Goes from segment to segment and from line to line.
struct Walk<'o, 'a> {
    output: &'o mut Output<'a>,
    part: &'o mut Part,
    /// The last segment before the line.
    before: Option<Segment>,
    line: Option<OpenLine>,
}

impl<'de> OnItem<'de> for Walk<'_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let Some(segment) = items.next_element::<Segment>()? else { return Ok(false) };
        self.take(segment).map_err(|fault| self.output.refuse(fault))?;
        Ok(true)
    }
}

impl Walk<'_, '_> {
    fn take(&mut self, segment: Segment) -> Result<(), Fault> {
        let number = checked_line(segment.line)?;
        let is_start = !segment.is_gap && segment.has_count && segment.is_entry;
        match &mut self.line {
            Some(line) if number < line.number => return Err(Fault::malformed("segments that are not in order")),
            Some(line) if number == line.number => {
                line.starts |= is_start;
                line.starts_hit |= is_start && segment.is_hit;
                line.enters_counted |= segment.is_entry && segment.has_count;
                line.last = segment;
                return Ok(());
            }
            Some(line) => {
                let between = line.number + 1..number;
                self.end_line()?;
                self.fill(between)?;
            }
            None => {}
        }
        self.line = Some(OpenLine {
            number,
            begins_skipped: !segment.has_count && segment.is_entry,
            starts: is_start,
            starts_hit: is_start && segment.is_hit,
            enters_counted: segment.is_entry && segment.has_count,
            last: segment,
        });
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), Fault> {
        let Some(line) = self.line.take() else { return Ok(()) };
        let reached = self.before.is_some_and(|before| before.has_count);
        let is_mapped = (!line.begins_skipped && (reached || line.starts)) || line.enters_counted;
        let covered = line.starts_hit || self.before.is_some_and(|before| before.is_hit);
        self.before = Some(line.last);
        if is_mapped {
            self.add(line.number, covered)?;
        }
        Ok(())
    }

    /// Lines without a segment of their own.
    fn fill(&mut self, numbers: std::ops::Range<u32>) -> Result<(), Fault> {
        let Some(before) = self.before.filter(|before| before.has_count) else { return Ok(()) };
        self.output.count_span(numbers.len() as u64)?;
        let lines = numbers.map(|number| crate::model::Line { number, covered: before.is_hit });
        self.part.lines.extend(lines);
        Ok(())
    }

    fn add(&mut self, number: u32, covered: bool) -> Result<(), Fault> {
        self.output.count_entry()?;
        self.part.lines.push(crate::model::Line { number, covered });
        Ok(())
    }

    fn finish(mut self) -> Result<(), Fault> {
        self.end_line()
    }
}

struct Branches<'o, 'a> {
    output: &'o mut Output<'a>,
    part: &'o mut Part,
}

/// `[line, column, end line, end column, taken, not taken, ...]`.
struct BranchItem;

impl<'de> DeserializeSeed<'de> for BranchItem {
    type Value = ([u64; 4], [bool; 2]);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for BranchItem {
    type Value = ([u64; 4], [bool; 2]);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a branch of six numbers or more")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let (mut place, mut taken) = ([0; 4], [false; 2]);
        for (at, number) in place.iter_mut().enumerate() {
            *number = items.next_element()?.ok_or_else(|| A::Error::invalid_length(at, &"six or more"))?;
        }
        for (at, taken) in taken.iter_mut().enumerate() {
            let hits: Hits = items.next_element()?.ok_or_else(|| A::Error::invalid_length(4 + at, &"six or more"))?;
            *taken = hits.is_covered();
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok((place, taken))
    }
}

impl<'de> OnItem<'de> for Branches<'_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let Some((place, taken)) = items.next_element_seed(BranchItem)? else { return Ok(false) };
        for (side, covered) in [0u8, 1].into_iter().zip(taken) {
            let numbers = place.map(u64::to_le_bytes);
            let id = outcome_id(numbers.iter().map(|number| &number[..]).chain([&[side][..]]));
            let add = checked_line(place[0]).and_then(|line| {
                self.output.count_entry()?;
                self.part.branches.push(Branch::Outcome { line, id, covered });
                Ok(())
            });
            add.map_err(|fault| self.output.refuse(fault))?;
        }
        Ok(true)
    }
}
