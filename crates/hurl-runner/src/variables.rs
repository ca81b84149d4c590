//! Variables of a run, and the secrets among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::value::Value;

/// What templates are filled with. Values of secrets never appear in a report or in `Debug`.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, Value>,
    secrets: BTreeSet<String>,
}

impl Variables {
    /// No variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.values.insert(name.into(), value.into());
    }

    /// Sets a variable whose value is replaced by `***` in everything that is reported, wherever it appears. An empty
    /// secret is a variable like any other.
    pub fn set_secret(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let value = value.into();
        self.keep_secret(&value);
        self.values.insert(name.into(), Value::String(value));
    }

    /// Keeps `value` out of everything that is reported, without a variable for it.
    pub fn keep_secret(&mut self, value: &str) {
        if !value.is_empty() {
            self.secrets.insert(value.to_owned());
        }
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// `text` with every secret replaced by `***`, also in the forms that a secret takes in a URL, a form body and in
    /// hexadecimal digits.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut forms: Vec<String> = Vec::new();
        for secret in &self.secrets {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let percent = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
            forms.extend([secret.clone(), encoded, percent, crate::value::hex(secret.as_bytes())]);
        }
        // The longest first, so that a secret within another does not leave the rest of the longer one behind.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        forms.iter().fold(text.to_owned(), |text, form| text.replace(form, "***"))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.values.iter().map(|(name, value)| (name, self.redact(&value.to_string())));
        f.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_redacted_in_every_form() {
        let mut variables = Variables::new();
        variables.set_secret("token", "a b/c");
        variables.set_secret("longer", "a b/c+d");
        variables.set("name", "Bob");
        variables.set_secret("empty", "");
        for (text, expected) in [
            ("x a b/c y", "x *** y"),
            ("?t=a+b%2Fc&u=Bob", "?t=***&u=Bob"),
            ("/a%20b%2Fc", "/***"),
            ("a b/c+d", "***"),
            ("6120622f63", "***"),
        ] {
            assert_eq!(variables.redact(text), expected);
        }
        assert_eq!(format!("{variables:?}"), r#"{"empty": "", "longer": "***", "name": "Bob", "token": "***"}"#);
    }
}
