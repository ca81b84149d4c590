//! The functions of RFC 9535, section 2.4.

/// The type of an argument or a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Value,
    Logical,
    Nodes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Count,
    Match,
    Search,
    Value,
}

impl Function {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "length" => Self::Length,
            "count" => Self::Count,
            "match" => Self::Match,
            "search" => Self::Search,
            "value" => Self::Value,
            _ => return None,
        })
    }

    pub(super) fn parameters(self) -> &'static [Type] {
        match self {
            Self::Length => &[Type::Value],
            Self::Count | Self::Value => &[Type::Nodes],
            Self::Match | Self::Search => &[Type::Value, Type::Value],
        }
    }

    pub(super) fn result(self) -> Type {
        match self {
            Self::Length | Self::Count | Self::Value => Type::Value,
            Self::Match | Self::Search => Type::Logical,
        }
    }
}

/// Whether `text` matches an I-Regexp (RFC 9485), as a whole or somewhere. A pattern that is not valid matches nothing.
pub(super) fn matches(text: &str, pattern: &str, whole: bool) -> bool {
    let pattern = dot_without_line_ends(pattern);
    let pattern = if whole { format!(r"\A(?:{pattern})\z") } else { pattern };
    regex::Regex::new(&pattern).is_ok_and(|regex| regex.is_match(text))
}

/// In an I-Regexp the dot matches neither a line feed nor a carriage return.
fn dot_without_line_ends(pattern: &str) -> String {
    let mut translated = String::new();
    let mut in_class = false;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                translated.push('\\');
                translated.extend(characters.next());
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                translated.push_str(r"[^\n\r]");
                continue;
            }
            _ => {}
        }
        translated.push(character);
    }
    translated
}
