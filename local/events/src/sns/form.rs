//! The form of an AWS Query request: `Action=Publish&Message=...&MessageAttributes.entry.1.Name=...`.

use std::collections::BTreeMap;

use super::publication::{Publication, PublishError};
use crate::sqs::MessageAttribute;

/// The most attributes and entries that are looked for.
const MOST: usize = 100;

pub(super) struct Form {
    fields: BTreeMap<String, String>,
}

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        Self { fields: url::form_urlencoded::parse(body).into_owned().collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// What Publish says; with `prefix`, what an entry of PublishBatch says.
    pub(super) fn publication(&self, prefix: &str) -> Result<Publication, PublishError> {
        let field = |name: &str| self.get(&format!("{prefix}{name}"));
        let is_structured = match field("MessageStructure") {
            None | Some("") => false,
            Some("json") => true,
            Some(other) => return Err(PublishError::invalid(format!("MessageStructure must be json, not {other}"))),
        };
        Ok(Publication {
            subject: field("Subject").map(str::to_owned),
            message: field("Message").unwrap_or_default().to_owned(),
            is_structured,
            attributes: self.attributes(prefix)?,
        })
    }

    fn attributes(&self, prefix: &str) -> Result<BTreeMap<String, MessageAttribute>, PublishError> {
        let mut attributes = BTreeMap::new();
        for index in 1..=MOST {
            let entry = format!("{prefix}MessageAttributes.entry.{index}");
            let field = |name: &str| self.get(&format!("{entry}.{name}"));
            let Some(name) = field("Name") else { break };
            let missing = |what: &str| PublishError::invalid(format!("the message attribute '{name}' needs {what}"));
            let data_type = field("Value.DataType").ok_or_else(|| missing("a DataType"))?.to_owned();
            let value = field("Value.StringValue").or(field("Value.BinaryValue")).ok_or_else(|| missing("a value"))?;
            attributes.insert(name.to_owned(), MessageAttribute { data_type, value: value.to_owned() });
        }
        Ok(attributes)
    }

    /// The prefixes of the entries of PublishBatch.
    pub(super) fn batch_entries(&self) -> Vec<String> {
        let prefixes = (1..=MOST).map(|index| format!("PublishBatchRequestEntries.member.{index}."));
        prefixes
            .take_while(|prefix| {
                self.fields.range(prefix.clone()..).next().is_some_and(|(key, _)| key.starts_with(prefix))
            })
            .collect()
    }
}
