//! Go cover profiles, as `go test -coverprofile` writes them and `go tool cover` reads them.
//!
//! A line is `file:line.column,line.column statements count`; a block is executed as a whole, and Go's percentage is that
//! of statements. The same block stands once for each package that was tested (`-coverpkg`), so blocks are united by
//! file, start and end.

use report_input::xml::Fault;
use report_input::{ErrorKind, Input, Lines, Opening, ReportError};

use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Block, ReportFacts, Sink};
use crate::output::{self, Output, Part, at_line, is_hit, line_number};

pub(crate) const ENTRY: Entry = Entry { format: Format::GoCover, recognise, read };

fn recognise(opening: &Opening) -> bool {
    opening.text().strip_prefix("mode:").is_some_and(|rest| mode(rest.lines().next().unwrap_or_default()).is_some())
}

/// The mode of counting, of which only zero or more matters here.
fn mode(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|mode| matches!(*mode, "set" | "count" | "atomic"))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut output = Output::new(input.source(), limits, sink);
    let mut lines = Lines::new(input);
    let mut part = Part::default();
    let mut file = String::new();
    while let Some(line) = lines.next_line()? {
        let read = read_line(line, &mut file, &mut part, &mut output);
        at_line(&lines, read.and_then(|is_mode| check_order(is_mode, lines.number())))?;
    }
    if !lines.ends_with_newline() {
        // Go ends every line. What is cut within a number may still look like a whole line.
        return Err(lines.error(ErrorKind::Truncated, "the file ends within a line"));
    }
    output.flush(&mut part);
    Ok(output.finish(Format::GoCover, lines.bytes_read()))
}

fn check_order(is_mode: bool, number: u64) -> Result<(), Fault> {
    if number == 1 && !is_mode {
        return Err(Fault::malformed("the first line of a Go cover profile is `mode: set`, `count` or `atomic`"));
    }
    Ok(())
}

/// Reads a line; `true` for one that names the mode. Profiles that were put one behind the other have several.
fn read_line(line: &str, file: &mut String, part: &mut Part, output: &mut Output<'_>) -> Result<bool, Fault> {
    if let Some(rest) = line.strip_prefix("mode:") {
        return mode(rest)
            .map(|_| true)
            .ok_or_else(|| Fault::malformed("a mode that is none of set, count and atomic"));
    }
    let shape = || Fault::malformed("a line that is not `file:line.column,line.column statements count`");
    let (rest, count) = line.rsplit_once(' ').ok_or_else(shape)?;
    let (rest, statements) = rest.rsplit_once(' ').ok_or_else(shape)?;
    let (path, range) = rest.rsplit_once(':').ok_or_else(shape)?;
    let (start, end) = range.split_once(',').ok_or_else(shape)?;
    if path != file || part.path.is_empty() {
        output.flush(part);
        part.path = output.begin_file(path)?;
        path.clone_into(file);
    }
    let statements = output::counter("number of statements", statements)?;
    let statements =
        u32::try_from(statements).map_err(|_| Fault::malformed("more statements than a block can have"))?;
    let block = Block { start: place(start)?, end: place(end)?, statements, covered: is_hit(count)? };
    output.block(part, block)?;
    Ok(false)
}

fn place(text: &str) -> Result<(u32, u32), Fault> {
    let (line, column) = text.split_once('.').ok_or_else(|| Fault::malformed("a place that is not `line.column`"))?;
    let column = column.parse().map_err(|_| output::not_a_number("column", column))?;
    Ok((line_number(line)?, column))
}
