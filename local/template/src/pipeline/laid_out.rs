//! JSON whose values stand on the lines of the template.

use serde_json::Value;

use crate::error::Position;
use crate::yaml::{Entry, Kind, Node};

/// Writes a node as JSON. A value that is written behind its place already follows at once.
pub(super) fn laid_out(node: &Node) -> String {
    let mut page = Page { text: String::new(), at: Position { line: 1, column: 1 } };
    page.node(node);
    page.text
}

struct Page {
    text: String,
    at: Position,
}

impl Page {
    fn go_to(&mut self, place: Position) {
        while self.at.line < place.line {
            self.text.push('\n');
            self.at = Position { line: self.at.line + 1, column: 1 };
        }
        while self.at.line == place.line && self.at.column < place.column {
            self.put(" ");
        }
    }

    /// Writes text without line breaks.
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.at.column += text.chars().count();
    }

    fn node(&mut self, node: &Node) {
        self.go_to(node.position);
        match &node.kind {
            Kind::Mapping(entries) => {
                self.put("{");
                entries.iter().enumerate().for_each(|(number, entry)| self.entry(number, entry));
                self.put("}");
            }
            Kind::Sequence(items) => {
                self.put("[");
                for (number, item) in items.iter().enumerate() {
                    self.put(if number > 0 { "," } else { "" });
                    self.node(item);
                }
                self.put("]");
            }
            Kind::Scalar(_) | Kind::Call { .. } => self.put(&node.to_json().to_string()),
        }
    }

    fn entry(&mut self, number: usize, entry: &Entry) {
        self.put(if number > 0 { "," } else { "" });
        self.go_to(entry.key_position);
        self.put(&Value::from(entry.key.as_str()).to_string());
        self.put(":");
        self.node(&entry.value);
    }
}
