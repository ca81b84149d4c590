//! JSON of which each value knows its place, for messages about a value in a file.
//!
//! A string keeps the place of each of its characters, so that a place in a document inside of a string, such as
//! `UserParameters`, can be told as a place in the file.

use super::problem::Position;

/// A value and its place in the text that it was read from: the number of the character that it begins with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Text(Text),
    List(Vec<Node>),
    Map(Vec<(Text, Node)>),
    Number(i64),
    /// A number that is no small whole one, a truth value or null.
    Other,
}

/// A string.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub(crate) value: String,
    /// The place of each character of the value, and of the closing quote.
    places: Vec<usize>,
}

impl Text {
    /// The place in the file of a character of the value.
    pub(crate) fn place(&self, character: usize) -> usize {
        self.places[character.min(self.places.len() - 1)]
    }

    /// The place of the opening quote.
    pub(crate) fn start(&self) -> usize {
        self.places[0].saturating_sub(1)
    }
}

impl Node {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub(crate) fn read(text: &str) -> Result<Self, (String, Position)> {
        // The grammar, and how deep values may lie, are looked after here; what follows only notes places.
        serde_json::from_str::<serde_json::Value>(text).map_err(|error| {
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            (message.to_owned(), (error.line() as u64, error.column().max(1) as u64))
        })?;
        let mut walker = Walker { characters: text.chars().collect(), next: 0 };
        Ok(walker.value())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        // The last one wins, as with most readers.
        self.entries().iter().rev().find(|(name, _)| name.value == key).map(|(_, value)| value)
    }

    /// What is below a key of a map, or by its decimal number below a list.
    pub(crate) fn step(&self, step: &str) -> Option<&Self> {
        match &self.kind {
            Kind::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => self.get(step),
        }
    }

    pub(crate) fn entries(&self) -> &[(Text, Self)] {
        if let Kind::Map(entries) = &self.kind { entries } else { &[] }
    }

    pub(crate) fn items(&self) -> &[Self] {
        if let Kind::List(items) = &self.kind { items } else { &[] }
    }

    pub(crate) fn text(&self) -> Option<&Text> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    pub(crate) fn str(&self) -> Option<&str> {
        self.text().map(|text| text.value.as_str())
    }

    pub(crate) fn number(&self) -> Option<i64> {
        if let Kind::Number(number) = &self.kind { Some(*number) } else { None }
    }

    /// The text below a key.
    pub(crate) fn str_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.str()
    }

    /// The items of a list below a key; none where there is no such list.
    pub(crate) fn items_of(&self, key: &str) -> &[Self] {
        self.get(key).map(Self::items).unwrap_or_default()
    }
}

/// Line and column of a character.
pub(crate) fn position(text: &str, character: usize) -> Position {
    let (mut line, mut column) = (1, 1);
    for c in text.chars().take(character) {
        (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    (line, column)
}

/// The number of the character at a line and column.
pub(crate) fn character_at(text: &str, (line, column): Position) -> usize {
    let before: usize = text.split_inclusive('\n').take(to_usize(line) - 1).map(|line| line.chars().count()).sum();
    before + to_usize(column) - 1
}

/// Lines and columns are from 1.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).max(1)
}

/// Goes through a text that is known to be JSON.
struct Walker {
    characters: Vec<char>,
    next: usize,
}

impl Walker {
    fn value(&mut self) -> Node {
        self.skip_blanks();
        let at = self.next;
        let kind = match self.peek() {
            '"' => Kind::Text(self.text()),
            '[' => Kind::List(self.list()),
            '{' => Kind::Map(self.map()),
            _ => {
                let mut word = String::new();
                while !matches!(self.peek(), ',' | ']' | '}' | '\0') && !self.peek().is_whitespace() {
                    word.push(self.take());
                }
                word.parse().map_or(Kind::Other, Kind::Number)
            }
        };
        self.skip_blanks();
        Node { at, kind }
    }

    /// The character at hand; NUL, which JSON cannot hold, at the end.
    fn peek(&self) -> char {
        self.characters.get(self.next).copied().unwrap_or('\0')
    }

    fn take(&mut self) -> char {
        let c = self.peek();
        self.next += 1;
        c
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_whitespace() {
            self.next += 1;
        }
    }

    fn list(&mut self) -> Vec<Node> {
        let mut items = Vec::new();
        self.next += 1;
        self.skip_blanks();
        while !matches!(self.peek(), ']' | '\0') {
            items.push(self.value());
            if self.peek() == ',' {
                self.next += 1;
            }
        }
        self.next += 1;
        items
    }

    fn map(&mut self) -> Vec<(Text, Node)> {
        let mut entries = Vec::new();
        self.next += 1;
        self.skip_blanks();
        while self.peek() == '"' {
            let key = self.text();
            self.skip_blanks();
            // The colon.
            self.next += 1;
            entries.push((key, self.value()));
            if self.peek() == ',' {
                self.next += 1;
                self.skip_blanks();
            }
        }
        self.next += 1;
        entries
    }

    fn text(&mut self) -> Text {
        self.next += 1;
        let (mut value, mut places) = (String::new(), Vec::new());
        while !matches!(self.peek(), '"' | '\0') {
            places.push(self.next);
            value.push(match self.take() {
                '\\' => self.escaped(),
                c => c,
            });
        }
        places.push(self.next);
        self.next += 1;
        Text { value, places }
    }

    fn escaped(&mut self) -> char {
        match self.take() {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let high = self.unit();
                let pair = (0xd800..0xdc00).contains(&high) && self.peek() == '\\';
                let code = if pair {
                    // The second half of a pair, `\uXXXX`.
                    self.next += 2;
                    0x1_0000 + ((high - 0xd800) << 10) + (self.unit().wrapping_sub(0xdc00) & 0x3ff)
                } else {
                    high
                };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            c => c,
        }
    }

    fn unit(&mut self) -> u32 {
        (0..4).fold(0, |code, _| code * 16 + self.take().to_digit(16).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// What serde_json makes of the same text.
    fn agrees(node: &Node, value: &Value) -> bool {
        match (&node.kind, value) {
            (Kind::Text(text), Value::String(value)) => {
                text.value == *value && text.places.len() == value.chars().count() + 1
            }
            (Kind::List(items), Value::Array(values)) => {
                items.len() == values.len() && items.iter().zip(values).all(|(item, value)| agrees(item, value))
            }
            (Kind::Map(_), Value::Object(map)) => {
                map.iter().all(|(key, value)| node.get(key).is_some_and(|node| agrees(node, value)))
            }
            (Kind::Number(number), value) => value.as_i64() == Some(*number),
            (Kind::Other, Value::Null | Value::Bool(_) | Value::Number(_)) => value.as_i64().is_none(),
            _ => false,
        }
    }

    #[test]
    fn values_are_those_of_serde_json() {
        for text in [
            "{}",
            " [ ] ",
            "[[],{},[1]]",
            r#"{"a": [1, -2.5e3, true, null, "x"], "b": {"c": ""}}"#,
            r#"["\"\\\/\b\f\n\r\t", "\u00e9\ud83d\ude00", "😀 ü"]"#,
            "{\n\t\"a\" :\r\n 1 , \"b\":[ ]\n}\n",
            r#"{"a": 1, "a": "the last one"}"#,
            include_str!("../../../events/codepipeline-job.json"),
        ] {
            assert!(agrees(&Node::read(text).unwrap(), &serde_json::from_str(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn places_are_those_in_the_file() {
        let text = "{\n  \"ü\": [1, \"x\\\"y\\u00e9z\"]\n}";
        let node = Node::read(text).unwrap();
        let items = node.items_of("ü");
        assert_eq!((position(text, items[0].at), position(text, items[1].at)), ((2, 9), (2, 12)));
        let string = items[1].text().unwrap();
        assert_eq!(string.value, "x\"yéz");
        let columns: Vec<_> = (0..7).map(|character| position(text, string.place(character)).1).collect();
        assert_eq!(columns, [13, 14, 16, 17, 23, 24, 24]);
        assert_eq!(character_at(text, (2, 9)), items[0].at);
    }

    #[test]
    fn what_is_no_json_is_named_with_its_place() {
        for (text, place) in [("", (1, 1)), ("{\n  \"a\": trux\n}", (2, 11)), ("[1,]", (1, 4)), ("{} x", (1, 4))] {
            let (_, position) = Node::read(text).unwrap_err();
            assert_eq!(position.0, place.0, "{text}");
            assert!(position.1.abs_diff(place.1) <= 1, "{text}: {position:?}");
        }
        assert!(Node::read(&"[".repeat(100_000)).is_err());
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        scalar.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|entries| entries.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_document_is_read_as_serde_json_reads_it(value in any_value(), pretty: bool) {
            let written = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let written = written.unwrap();
            prop_assert!(agrees(&Node::read(&written).unwrap(), &value), "{written}");
        }
    }
}
