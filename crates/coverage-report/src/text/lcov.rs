//! LCOV tracefiles, as geninfo(1) describes them for versions 1 and 2.
//!
//! A file's record goes from `SF:` to `end_of_record`. What is read of it are `DA`, `BRDA` and the counters of both;
//! functions, conditions (`MCDC`), versions and checksums are not looked at.

use report_input::xml::Fault;
use report_input::{ErrorKind, Input, Lines, Opening, ReportError};

use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Branch, Count, Coverage, FilePart, ProblemKind, ReportFacts, Sink};
use crate::output::{self, Header, Output, Part, apart, at_line, is_hit, line_number, outcome_id};
use crate::record::Record;

pub(crate) const ENTRY: Entry = Entry { format: Format::Lcov, recognise, read };

/// How far, in hundredths of a percent, llvm-cov's counters may be from its lines.
const LLVM_SLACK: u32 = 1_000;

fn recognise(opening: &Opening) -> bool {
    let mut lines = opening.text().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| ["TN:", "SF:", "VER:"].iter().any(|tag| line.starts_with(tag)))
}

/// The record that is being read.
#[derive(Debug, Default)]
struct Section {
    part: Part,
    is_open: bool,
    line: Header,
    branch: Header,
    lines_listed: Count,
    branches_listed: Count,
    writer: Signs,
}

/// What tells llvm-cov's records from those of others: no test name, functions counted before the lines, and the
/// counters of lines last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Signs {
    #[default]
    Start,
    FunctionsCounted,
    LinesListed,
    BranchesCounted,
    Llvm,
    Other,
}

impl Signs {
    fn see(&mut self, tag: &str) {
        *self = match (*self, tag) {
            (Signs::Start, "FNF") => Signs::FunctionsCounted,
            (Signs::FunctionsCounted | Signs::LinesListed, "DA") => Signs::LinesListed,
            (Signs::LinesListed, "BRF") => Signs::BranchesCounted,
            (Signs::LinesListed | Signs::BranchesCounted, "LF") => Signs::Llvm,
            (Signs::Llvm, "LH") => Signs::Llvm,
            (known, "FN" | "FNDA" | "FNH" | "BRDA" | "BRH" | "MCDC" | "MCF" | "MCH") => known,
            _ => Signs::Other,
        };
    }
}

/// What is summed over all records.
#[derive(Debug, Default)]
struct Whole {
    names_tests: bool,
    llvm_counters: Count,
    llvm_listed: Count,
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut output = Output::new(input.source(), limits, sink);
    let mut lines = Lines::new(input);
    let (mut section, mut whole) = (Section::default(), Whole::default());
    while let Some(line) = lines.next_line()? {
        let read = read_line(line.trim_end(), &mut section, &mut whole, &mut output);
        at_line(&lines, read)?;
    }
    if section.is_open {
        let detail = format!("the file ends before the `end_of_record` of {}", section.part.path.escape_debug());
        return Err(lines.error(ErrorKind::Truncated, detail));
    }
    if apart(whole.llvm_counters, whole.llvm_listed, LLVM_SLACK) {
        let Whole { llvm_counters: says, llvm_listed: shown, .. } = whole;
        let message = format!(
            "the counters LF and LH say {} of {}, but {} of {} lines are listed",
            says.covered, says.total, shown.covered, shown.total
        );
        output.problem(ProblemKind::CountersDisagree, message);
    }
    Ok(output.finish(Format::Lcov, lines.bytes_read()))
}

fn read_line(line: &str, section: &mut Section, whole: &mut Whole, output: &mut Output<'_>) -> Result<(), Fault> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    if line == "end_of_record" {
        if !section.is_open {
            return Err(Fault::malformed("an `end_of_record` without an `SF:` before it"));
        }
        return end(section, whole, output);
    }
    let (tag, value) = line
        .split_once(':')
        .filter(|(tag, _)| !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_uppercase()))
        .ok_or_else(|| Fault::malformed("a line that is neither `TAG:value` nor `end_of_record`"))?;
    match (tag, section.is_open) {
        ("TN", false) => whole.names_tests = true,
        ("SF", false) => {
            section.part.path = output.begin_file(value)?;
            section.is_open = true;
        }
        ("SF", true) => return Err(Fault::malformed("an `SF:` before the `end_of_record` of the file before it")),
        (_, true) => {
            section.writer.see(tag);
            read_value(tag, value, section, output)?;
        }
        ("VER", false) => {}
        (_, false) => return Err(Fault::malformed(format!("`{}:` outside the record of a file", cut(tag)))),
    }
    Ok(())
}

fn cut(tag: &str) -> &str {
    report_input::cut(tag, 20)
}

fn read_value(tag: &str, value: &str, section: &mut Section, output: &mut Output<'_>) -> Result<(), Fault> {
    match tag {
        "DA" => {
            let mut fields = value.splitn(3, ',');
            let number = line_number(fields.next().unwrap_or_default())?;
            let count = fields.next().ok_or_else(|| Fault::malformed("a `DA:` without a count"))?;
            let covered = is_hit(count)?;
            section.lines_listed.total += 1;
            section.lines_listed.covered += u64::from(covered);
            output.count_entry()?;
            section.part.lines.push(crate::model::Line { number, covered });
        }
        "BRDA" => {
            let branch = branch(value)?;
            section.branches_listed.total += 1;
            section.branches_listed.covered += u64::from(matches!(branch, Branch::Outcome { covered: true, .. }));
            output.count_entry()?;
            section.part.branches.push(branch);
        }
        "LF" => section.line.total = Some(output::counter(tag, value)?),
        "LH" => section.line.covered = Some(output::counter(tag, value)?),
        "BRF" => section.branch.total = Some(output::counter(tag, value)?),
        "BRH" => section.branch.covered = Some(output::counter(tag, value)?),
        _ => {}
    }
    Ok(())
}

/// `line,block,branch,taken`: the block may be marked as one of exceptions (`e0`), the branch may be an expression with
/// commas in it, and `-` says that the line was never reached.
fn branch(value: &str) -> Result<Branch, Fault> {
    let shape = || Fault::malformed("a `BRDA:` that is not `line,block,branch,taken`");
    let (line, rest) = value.split_once(',').ok_or_else(shape)?;
    let (rest, taken) = rest.rsplit_once(',').ok_or_else(shape)?;
    let (block, branch) = rest.split_once(',').ok_or_else(shape)?;
    let covered = taken.trim() != "-" && is_hit(taken)?;
    Ok(Branch::Outcome { line: line_number(line)?, id: outcome_id([block.as_bytes(), branch.as_bytes()]), covered })
}

/// Compares the counters with what the record lists and hands it on.
fn end(section: &mut Section, whole: &mut Whole, output: &mut Output<'_>) -> Result<(), Fault> {
    let Section { mut part, line, branch, lines_listed, branches_listed, writer, .. } = std::mem::take(section);
    let mut record = Record::default();
    record.add(&FilePart { path: &part.path, lines: &part.lines, branches: &part.branches, blocks: &[] });
    record.compact();
    let union = record.coverage();
    if part.held() == 0 && (line.total.is_some_and(|total| total > 0) || branch.total.is_some_and(|total| total > 0)) {
        return end_counted_only(&part.path, line, branch, output);
    }
    if writer == Signs::Llvm && !whole.names_tests {
        if let Some(says) = line.count() {
            whole.llvm_counters.covered = whole.llvm_counters.covered.saturating_add(says.covered);
            whole.llvm_counters.total = whole.llvm_counters.total.saturating_add(says.total);
            whole.llvm_listed.covered += union.line.covered;
            whole.llvm_listed.total += union.line.total;
        }
    } else {
        output.compare(&part.path, "line", line, &[union.line, lines_listed]);
        output.compare(&part.path, "branch", branch, &[union.branch, branches_listed]);
    }
    output.flush(&mut part);
    Ok(())
}

fn end_counted_only(path: &str, line: Header, branch: Header, output: &mut Output<'_>) -> Result<(), Fault> {
    let whole = |header: Header| {
        let count = Count { covered: header.covered.unwrap_or(0), total: header.total.unwrap_or(0) };
        if count.covered > count.total {
            return Err(Fault::malformed(format!("more is covered than there is in {}", path.escape_debug())));
        }
        Ok(count)
    };
    output.counted_only(path, Coverage { line: whole(line)?, branch: whole(branch)? });
    Ok(())
}
