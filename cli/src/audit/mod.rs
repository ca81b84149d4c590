//! What was decided and overridden by whom: the records below `audit/`, which are written once and never changed.

mod record;
mod source;
mod verify;

use stagegate_state_store::RawDocument;

pub(crate) use record::{Entry, Filter, Record};
pub(crate) use source::Source;

use crate::exit::CommandError;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The object.
    pub(crate) key: String,
    /// What is wrong, in a sentence.
    pub(crate) what: String,
    /// Whether it breaks the audit. Else it is worth knowing only.
    pub(crate) is_broken: bool,
}

impl Finding {
    fn broken(key: &str, what: impl Into<String>) -> Self {
        Self { key: key.to_owned(), what: what.into(), is_broken: true }
    }

    fn note(key: &str, what: impl Into<String>) -> Self {
        Self { key: key.to_owned(), what: what.into(), is_broken: false }
    }
}

/// All records, and what is wrong with them or missing beside them.
pub(crate) struct Trail {
    /// In the order of their times.
    pub(crate) records: Vec<Record>,
    pub(crate) findings: Vec<Finding>,
}

impl Trail {
    /// Reads everything that there is. What cannot be read is a finding, so that nothing is passed over.
    pub(crate) async fn read(source: &Source) -> Result<Self, CommandError> {
        let mut trail = Self { records: Vec::new(), findings: Vec::new() };
        for key in source.list("audit/").await? {
            let read = match source.read(&key).await? {
                // Removed between the listing and the reading.
                None => Err("it is gone; records of the audit are never removed".to_owned()),
                Some(bytes) => {
                    RawDocument::new(bytes).map_err(|error| error.to_string()).and_then(|raw| Record::open(&key, &raw))
                }
            };
            match read {
                Ok(record) => trail.records.push(record),
                Err(what) => trail.findings.push(Finding::broken(&key, what)),
            }
        }
        trail.records.sort_by(|one, other| (one.at(), &one.key).cmp(&(other.at(), &other.key)));
        trail.findings.extend(verify::verify(source, &trail.records).await?);
        Ok(trail)
    }

    /// Whether nothing is missing or changed.
    pub(crate) fn is_complete(&self) -> bool {
        self.findings.iter().all(|finding| !finding.is_broken)
    }
}
