//! The document: its version and its runs.

use report_input::json::{EachEntry, EachItem, OnEntry, OnItem, once, skip};
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess};

use crate::model::ProblemKind;
use crate::run::{Context, Nullable, Run};

/// The version of SARIF that is read.
pub(crate) const VERSION: &str = "2.1.0";

/// Tools that are named.
const TOOLS: usize = 16;

/// A `sarifLog` (3.13) that is being read.
pub(crate) struct Log<'l, 'c> {
    pub(crate) context: &'l mut Context<'c>,
    pub(crate) has_version: bool,
    pub(crate) has_runs: bool,
    pub(crate) runs: u64,
    pub(crate) scanned_runs: u64,
    pub(crate) tools: Vec<String>,
}

impl<'de> OnEntry<'de> for Log<'_, '_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "version" => {
                once(&mut self.has_version, key)?;
                let version: String = map.next_value()?;
                if version != VERSION {
                    let version = report_input::cut(&version, 40).escape_debug();
                    let detail = format!("the log is of SARIF version \"{version}\", and only {VERSION} is read");
                    return Err(A::Error::custom(detail));
                }
                Ok(())
            }
            "runs" => {
                once(&mut self.has_runs, key)?;
                let on_item = Runs { log: self };
                let given = map.next_value_seed(Nullable(EachItem { what: "an array of runs", on_item }))?.is_some();
                if self.runs == 0 {
                    let message = if given {
                        "the log has no runs: its array of them is empty, so nothing was scanned"
                    } else {
                        "the log has no runs: they are null, which says that whoever wrote it could not get them"
                    };
                    self.context.problem(ProblemKind::NotScanned, message.to_owned());
                }
                Ok(())
            }
            "inlineExternalProperties" => {
                let on_item = Inline { has_results: false };
                let inline = map.next_value_seed(EachItem { what: "an array of properties", on_item })?;
                if inline.has_results {
                    let message =
                        "results stand in `inlineExternalProperties`, which are not read; write them into runs";
                    self.context.problem(ProblemKind::Incomplete, message.to_owned());
                }
                Ok(())
            }
            _ => skip(map),
        }
    }
}

struct Runs<'r, 'l, 'c> {
    log: &'r mut Log<'l, 'c>,
}

impl<'de> OnItem<'de> for Runs<'_, '_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let on_entry = Run::new(self.log.context);
        let Some(run) = items.next_element_seed(EachEntry { what: "a run", on_entry })? else { return Ok(false) };
        let (tool, is_scanned) = run.finish();
        self.log.runs += 1;
        self.log.scanned_runs += u64::from(is_scanned);
        if self.log.tools.len() < TOOLS && !self.log.tools.contains(&tool) {
            self.log.tools.push(tool);
        }
        Ok(true)
    }
}

/// `inlineExternalProperties`: parts of runs that stand beside them.
struct Inline {
    has_results: bool,
}

impl<'de> OnItem<'de> for Inline {
    fn item<A: SeqAccess<'de>>(&mut self, _: u64, items: &mut A) -> Result<bool, A::Error> {
        let on_entry = InlineEntry { has_results: false };
        let entry = items.next_element_seed(EachEntry { what: "an object of properties", on_entry })?;
        self.has_results |= entry.as_ref().is_some_and(|entry| entry.has_results);
        Ok(entry.is_some())
    }
}

struct InlineEntry {
    has_results: bool,
}

impl<'de> OnEntry<'de> for InlineEntry {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.has_results |= key == "results";
        map.next_value::<IgnoredAny>().map(|_| ())
    }
}
