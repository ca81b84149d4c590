//! The two little languages inside of texts: `${...}` of `Fn::Sub` and `{{resolve:...}}`.

use crate::error::{Position, Problem, Result};
use crate::settings::Settings;

/// A part of the text of `Fn::Sub`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    Text(&'t str),
    /// `Name`, `LogicalId.Attribute` or a pseudo parameter.
    Variable(&'t str),
}

/// Cuts the text of `Fn::Sub`. `${!x}` stands for the text `${x}`.
pub(crate) fn parts(text: &str, position: Position) -> Result<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        parts.push(Part::Text(&rest[..start]));
        let inner = &rest[start + 2..];
        let Some(end) = inner.find('}') else {
            return Err(Problem::at(position, "a `${` in Fn::Sub has no `}`; write `${!` for a literal one"));
        };
        let name = &inner[..end];
        if let Some(literal) = name.strip_prefix('!') {
            parts.extend([Part::Text("${"), Part::Text(literal), Part::Text("}")]);
        } else if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == ':' || c == '.') {
            parts.push(Part::Variable(name));
        } else {
            let message = format!("`${{{name}}}` in Fn::Sub names nothing; write `${{!{name}}}` for a literal one");
            return Err(Problem::at(position, message));
        }
        rest = &inner[end + 1..];
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// Puts the given values in for `{{resolve:SERVICE:...}}`.
pub(crate) fn replace_dynamic_references(text: &str, settings: &Settings, position: Position) -> Result<String> {
    const OPEN: &str = "{{resolve:";
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        result.push_str(&rest[..start]);
        let inner = &rest[start + OPEN.len()..];
        let Some(end) = inner.find("}}") else {
            return Err(Problem::at(position, "a `{{resolve:` has no `}}`"));
        };
        let reference = &inner[..end];
        let Some(value) = settings.dynamic_references.get(reference) else {
            let message = format!("the dynamic reference `{reference}` is not looked up here; give it a value");
            return Err(Problem::at(position, message));
        };
        result.push_str(value);
        rest = &inner[end + 2..];
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HERE: Position = Position { line: 1, column: 1 };

    #[test]
    fn variables_and_literals_are_told_apart() {
        for (text, expected) in [
            ("plain", Some("plain")),
            ("${A}-${B.Arn}", Some("<A>-<B.Arn>")),
            ("${AWS::Region}", Some("<AWS::Region>")),
            ("${!A}", Some("${A}")),
            ("$${A}$", Some("$<A>$")),
            ("${}", None),
            ("${a-b}", None),
            ("${A", None),
        ] {
            let show = |parts: Vec<Part<'_>>| -> String {
                parts
                    .iter()
                    .map(|part| match part {
                        Part::Text(text) => (*text).to_owned(),
                        Part::Variable(name) => format!("<{name}>"),
                    })
                    .collect()
            };
            assert_eq!(parts(text, HERE).map(show).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn dynamic_references_need_a_value() {
        let mut settings = Settings::default();
        settings.dynamic_references.insert("ssm:/a".into(), "{{resolve:ssm:/b}}".into());
        // A value is not looked at again.
        let seen = replace_dynamic_references("x {{resolve:ssm:/a}} y", &settings, HERE).unwrap();
        assert_eq!(seen, "x {{resolve:ssm:/b}} y");
        for text in ["{{resolve:ssm:/b}}", "{{resolve:ssm:/a"] {
            assert!(replace_dynamic_references(text, &settings, HERE).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_without_a_variable_stays_as_it_is(text in "[^$]*") {
            prop_assert_eq!(parts(&text, HERE).unwrap(), vec![Part::Text(text.as_str())]);
        }

        #[test]
        fn no_text_panics(text in "[${}!A.:]{0,12}") {
            let _ = parts(&text, HERE);
        }
    }
}
