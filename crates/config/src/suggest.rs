//! The known name that a misspelt one was probably meant to be.

/// The candidate nearest to `name`, if it is near enough to be a slip of the keyboard.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase().replace('-', "_")), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The part of a serde message "unknown field `x`, expected one of `a`, `b`" that can be acted on.
pub(crate) struct UnknownName<'a> {
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    pub(crate) known: Vec<&'a str>,
}

impl<'a> UnknownName<'a> {
    /// Reads serde's message; `None` for any other message.
    pub(crate) fn read(message: &'a str) -> Option<Self> {
        let start = message.find("unknown field `").or_else(|| message.find("unknown variant `"))?;
        let message = &message[start + "unknown ".len()..];
        let mut quoted = message.split('`');
        let kind = quoted.next()?.trim();
        let name = quoted.next()?;
        let known = quoted.skip(1).step_by(2).collect();
        Some(Self { kind: if kind == "field" { "key" } else { "value" }, name, known })
    }

    pub(crate) fn describe(&self) -> String {
        let Self { kind, name, known } = self;
        match nearest(name, known.iter().copied()) {
            Some(near) => format!("unknown {kind} {name:?}: did you mean {near:?}? known here: {}", known.join(", ")),
            None if known.is_empty() => format!("unknown {kind} {name:?}: none is known here"),
            None => format!("unknown {kind} {name:?}: known here: {}", known.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let known = ["min_total", "max_failed", "reports"];
        for (name, expected) in [
            ("min_totl", Some("min_total")),
            ("min-total", Some("min_total")),
            ("MAX_FAILED", Some("max_failed")),
            ("raports", Some("reports")),
            ("coverage", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }

    #[test]
    fn serde_messages_are_read() {
        let read = UnknownName::read("x: unknown field `foo`, expected one of `fob`, `bar` at line 1").unwrap();
        assert_eq!((read.kind, read.name, read.known), ("key", "foo", vec!["fob", "bar"]));
        assert!(UnknownName::read("invalid type").is_none());
    }
}
