//! JSON of RSpec's `json` formatter, versions 2 and 3.
//!
//! * `pending` (and `skip`) is skipped; a pending example that passes is written as failed by RSpec itself.
//! * Errors outside of examples (a file that does not load, a failing `before(:suite)`) are errored tests, and a problem
//!   as well: how many examples they kept from running is not known.
//! * A report without its `summary` is refused, because it is what RSpec writes last.

use report_input::{Input, Opening, ReportError};
use serde::Deserialize;
use serde::de::MapAccess;

use super::members::{Members, Number, Object, Text, each};
use super::tally::{Bad, Claimed, Tally, TooMany, seconds};
use super::{Entry, document};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry { format: Format::RSpec, recognise, read };

/// Errors outside of examples that are listed one by one; RSpec counts them and does not list them.
const LISTED_ERRORS: u64 = 100;

fn recognise(opening: &Opening) -> bool {
    let keys = opening.json_keys();
    keys.contains(&"examples")
        && (keys.iter().any(|key| matches!(*key, "summary" | "summary_line" | "version"))
            || opening.text().contains("\"full_description\""))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut report = Report {
        tally: Tally::new(input.source(), limits, sink),
        summary: None,
        has_examples: false,
        message: String::new(),
    };
    let parsed = document::parse(input, Object(&mut report));
    let tally = report.tally;
    let ((), bytes) = parsed.map_err(|error| tally.explain(error))?;
    Ok(tally.finish(Format::RSpec, bytes))
}

struct Report<'a> {
    tally: Tally<'a>,
    summary: Option<Summary>,
    has_examples: bool,
    /// The first message that tells of an error outside of examples.
    message: String,
}

#[derive(Debug, Deserialize)]
struct Summary {
    example_count: u64,
    failure_count: u64,
    errors_outside_of_examples_count: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Example {
    #[serde(default)]
    description: Text,
    #[serde(default)]
    full_description: Text,
    status: String,
    #[serde(default)]
    file_path: Text,
    #[serde(default)]
    run_time: Number,
    #[serde(default)]
    pending_message: Text,
    exception: Option<Exception>,
}

#[derive(Debug, Deserialize)]
struct Exception {
    #[serde(default)]
    class: Text,
    #[serde(default)]
    message: Text,
}

impl Members for Report<'_> {
    const WHAT: &'static str = "a report of RSpec";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "messages" => {
                let limit = self.tally.limits().message;
                object.next_value_seed(each(|message: Text| {
                    if self.message.is_empty() && message.contains("rror") {
                        report_input::cut(message.trim(), limit).clone_into(&mut self.message);
                    }
                    Ok::<(), TooMany>(())
                }))?;
            }
            "examples" => {
                object.next_value_seed(each(|example: Example| take(&mut self.tally, &example)))?;
                self.has_examples = true;
            }
            "summary" => self.summary = Some(object.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(summary) = &self.summary else { return Err("the report has no \"summary\"".to_owned()) };
        if !self.has_examples {
            return Err("the report has no \"examples\"".to_owned());
        }
        let listed = self.tally.listed();
        let claimed = Claimed { tests: Some(summary.example_count), bad: Some(summary.failure_count) };
        let errors = summary.errors_outside_of_examples_count.unwrap_or(0);
        for _ in 0..errors.min(LISTED_ERRORS) {
            let case =
                TestCase { message: &self.message, ..TestCase::new("(error outside of examples)", Outcome::Errored) };
            self.tally.case(&case).map_err(|error| error.to_string())?;
        }
        let rest = errors.saturating_sub(LISTED_ERRORS);
        self.tally.counted_only(rest, Bad::Errored(rest), 0);
        if let Some(message) = claimed.disagreement(listed) {
            self.tally.problem(ProblemKind::CountersDisagree, message);
        }
        if errors > 0 {
            let message = format!("{errors} errors occurred outside of examples");
            self.tally.problem(ProblemKind::SuiteFailed, message);
        }
        Ok(())
    }
}

fn take(tally: &mut Tally<'_>, example: &Example) -> Result<(), TooMany> {
    let name = if example.full_description.is_empty() { &example.description } else { &example.full_description };
    let outcome = match example.status.as_str() {
        "passed" if example.exception.is_some() => Outcome::Failed,
        "passed" => Outcome::Passed,
        "failed" => Outcome::Failed,
        "pending" => Outcome::Skipped,
        unknown => {
            tally.unknown_value("status", unknown, name);
            Outcome::Errored
        }
    };
    let file = example.file_path.strip_prefix("./").unwrap_or(&example.file_path);
    let message = match &example.exception {
        Some(exception) if exception.message.trim().is_empty() => &exception.class,
        Some(exception) => &exception.message,
        None => &example.pending_message,
    };
    tally.case(&TestCase {
        class_name: file,
        suite: file,
        suite_number: 1,
        file,
        duration: example.run_time.0.and_then(seconds),
        message,
        ..TestCase::new(name, outcome)
    })
}
