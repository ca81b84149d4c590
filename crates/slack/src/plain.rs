//! Text without markup.

use crate::length::cut;

/// Plain text, for headers, buttons, labels and titles: shown as it is, on one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plain(String);

impl Plain {
    /// Takes any text. Line ends become blanks, and characters that hide or reorder others become `�`.
    pub fn new(text: &str) -> Self {
        let lines = text.split(['\r', '\n', '\u{2028}', '\u{2029}']).map(str::trim).filter(|line| !line.is_empty());
        Self(lines.collect::<Vec<_>>().join(" ").chars().map(visible).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text within a limit.
    pub(crate) fn within(&self, max: usize) -> String {
        cut(&self.0, max)
    }
}

/// The character, or `�` for one that controls a terminal, changes the direction of writing or is not a character.
pub(crate) fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        control if control.is_control() => '\u{fffd}',
        other => other,
    }
}
