//! One record, and which of them are wanted.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use stagegate_approval::{Audit, Outcome, Reason, Ruling};
use stagegate_config::NamePattern;
use stagegate_release::OverrideGiven;
use stagegate_state_store::{Document, RawDocument};

/// What a record is about.
pub(crate) enum Entry {
    /// How an approval ended.
    Approval(Box<Audit>),
    /// That an override was given.
    Override(Box<OverrideGiven>),
}

/// A record as it is kept.
pub(crate) struct Record {
    pub(crate) key: String,
    pub(crate) entry: Entry,
    /// How often it was written before; a record is created once.
    pub(crate) earlier_writes: usize,
}

impl Record {
    /// The record of an object, or what is wrong with it.
    pub(crate) fn open(key: &str, raw: &RawDocument) -> Result<Self, String> {
        let entry = match raw.kind() {
            kind if kind == Audit::KIND => Entry::Approval(Box::new(raw.open().map_err(|error| error.to_string())?)),
            kind if kind == OverrideGiven::KIND => {
                Entry::Override(Box::new(raw.open().map_err(|error| error.to_string())?))
            }
            _ => return Err("it is neither the record of an approval nor of an override".to_owned()),
        };
        Ok(Self { key: key.to_owned(), entry, earlier_writes: raw.earlier_writes() })
    }

    /// When it was decided.
    pub(crate) fn at(&self) -> Timestamp {
        match &self.entry {
            Entry::Approval(audit) => audit.outcome.at(),
            Entry::Override(given) => given.given.at,
        }
    }

    /// That day, in UTC.
    pub(crate) fn day(&self) -> Date {
        Offset::UTC.to_datetime(self.at()).date()
    }

    /// What the record is called: the last part of its key.
    pub(crate) fn id(&self) -> &str {
        let name = self.key.rsplit('/').next().unwrap_or(&self.key);
        name.strip_suffix(".json").unwrap_or(name)
    }

    /// The pipeline.
    pub(crate) fn pipeline(&self) -> &str {
        match &self.entry {
            Entry::Approval(audit) => &audit.place.pipeline,
            Entry::Override(given) => &given.given.pipeline,
        }
    }

    /// How it ended, in one word.
    pub(crate) fn word(&self) -> &'static str {
        match &self.entry {
            Entry::Override(_) => "overridden",
            Entry::Approval(audit) => match &audit.outcome {
                Outcome::Desk { decision, .. } => ruling(decision.ruling),
                Outcome::Elsewhere { ruling: Some(found), .. } => ruling(*found),
                Outcome::Elsewhere { .. } => "answered",
                Outcome::Superseded { .. } => "superseded",
                Outcome::Stopped { .. } => "stopped",
                Outcome::Expired { .. } => "expired",
                Outcome::Gone { .. } => "gone",
            },
        }
    }

    /// Who or what decided it, in one line.
    pub(crate) fn by(&self) -> String {
        let audit = match &self.entry {
            Entry::Override(given) => return format!("by {}: {}", given.given.who, given.given.why),
            Entry::Approval(audit) => audit,
        };
        match &audit.outcome {
            Outcome::Desk { decision, .. } => match &decision.reason {
                Reason::Votes => {
                    let votes = audit.votes.iter().filter(|vote| vote.ruling == decision.ruling);
                    let who: Vec<_> = votes.map(|vote| format!("{} ({})", vote.name, vote.user)).collect();
                    format!("by {}", who.join(", "))
                }
                Reason::Deadline => "because nobody decided in time".to_owned(),
                Reason::Gate { gate, .. } => format!("by the gate {gate}"),
            },
            Outcome::Elsewhere { by, .. } => {
                format!("in the console or by the API, by {}", by.as_deref().unwrap_or("somebody who is not known"))
            }
            _ => "by nobody".to_owned(),
        }
    }

    /// Everybody who had a part in it.
    fn people(&self) -> Vec<&str> {
        match &self.entry {
            Entry::Override(given) => vec![&given.given.who],
            Entry::Approval(audit) => {
                let mut people: Vec<&str> =
                    audit.votes.iter().flat_map(|vote| [vote.user.as_str(), vote.name.as_str()]).collect();
                if let Outcome::Elsewhere { by: Some(by), .. } = &audit.outcome {
                    people.push(by);
                }
                people
            }
        }
    }
}

fn ruling(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Approved => "approved",
        Ruling::Rejected => "rejected",
    }
}

/// Which records are wanted.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) id: Option<String>,
    pub(crate) pipeline: Option<NamePattern>,
    pub(crate) from: Option<Date>,
    pub(crate) to: Option<Date>,
    pub(crate) by: Option<String>,
}

impl Filter {
    pub(crate) fn wants(&self, record: &Record) -> bool {
        let day = record.day();
        let is_of =
            |person: &str| record.people().iter().any(|one| one.to_lowercase().contains(&person.to_lowercase()));
        self.id.as_deref().is_none_or(|id| record.id().starts_with(id))
            && self.pipeline.as_ref().is_none_or(|pattern| pattern.matches(record.pipeline()))
            && self.from.is_none_or(|from| day >= from)
            && self.to.is_none_or(|to| day <= to)
            && self.by.as_deref().is_none_or(is_of)
    }
}
