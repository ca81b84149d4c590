//! Finds the end of an XML document's root element, one character at a time, and refuses what is not well-formed.

use crate::element::{
    has_known_references, is_char, is_known_reference, is_name_start, is_space, parse_start_tag, split_name,
};

/// What a character completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first character of the document.
    StartDocument,
    /// A start tag, or the first half of an empty-element tag.
    StartElement,
    /// An end tag, or the second half of an empty-element tag.
    EndElement,
}

/// The text is not well-formed XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotWellFormed;

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Outside of markup.
    Text,
    /// In a reference; the field is what has come since the ampersand.
    Reference(String),
    /// After `<`, as long as it is open what kind of markup this is.
    Markup,
    /// In a start or end tag; the field is the quote of the attribute value that is open.
    Tag(Option<char>),
    /// In a processing instruction or the XML declaration.
    Instruction,
    /// In `<!--`.
    Comment,
    /// In `<![CDATA[`.
    CData,
    /// In `<!DOCTYPE`: open brackets, and the quote that is open.
    DocumentType { brackets: usize, quote: Option<char> },
}

/// A scanner over one document.
#[derive(Debug)]
pub struct Scanner {
    state: State,
    /// The markup that is being read, without its `<`.
    markup: String,
    /// The end of the current run of text, to find `]]>`.
    tail: String,
    /// Open elements, each with the prefixes that it declares.
    open: Vec<(String, Vec<String>)>,
    started: bool,
    has_root: bool,
}

/// The longest document type declaration that still has a meaning in a request body, in bytes.
const MARKUP_MAX: usize = 1024 * 1024;

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// A scanner that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Text,
            markup: String::new(),
            tail: String::new(),
            open: Vec::new(),
            started: false,
            has_root: false,
        }
    }

    /// Takes the next character and returns what it completed.
    ///
    /// # Errors
    ///
    /// [`NotWellFormed`] where no document goes on with this character.
    pub fn push(&mut self, character: char) -> Result<Vec<Event>, NotWellFormed> {
        if !is_char(character) || self.markup.len() > MARKUP_MAX {
            return Err(NotWellFormed);
        }
        let mut events = Vec::new();
        if !self.started {
            self.started = true;
            events.push(Event::StartDocument);
        }
        match &mut self.state {
            State::Text => self.push_text(character)?,
            State::Reference(name) => {
                if character == ';' {
                    if !is_known_reference(name) {
                        return Err(NotWellFormed);
                    }
                    self.state = State::Text;
                } else if name.len() < 64 && (character == '#' || character.is_alphanumeric()) {
                    name.push(character);
                } else {
                    return Err(NotWellFormed);
                }
            }
            State::Markup => self.push_markup(character)?,
            State::Tag(quote) => {
                if character == '>' && quote.is_none() {
                    self.end_tag(&mut events)?;
                } else {
                    match quote {
                        Some(open) if *open == character => *quote = None,
                        None if matches!(character, '"' | '\'') => *quote = Some(character),
                        None if character == '<' => return Err(NotWellFormed),
                        _ => {}
                    }
                    self.markup.push(character);
                }
            }
            State::Instruction | State::Comment | State::CData => self.push_delimited(character)?,
            State::DocumentType { .. } => self.push_document_type(character),
        }
        Ok(events)
    }

    /// Says that the document has ended.
    ///
    /// # Errors
    ///
    /// [`NotWellFormed`] where the root element is missing or open, or markup is not closed.
    pub fn finish(&self) -> Result<(), NotWellFormed> {
        if self.has_root && self.open.is_empty() && self.state == State::Text { Ok(()) } else { Err(NotWellFormed) }
    }

    fn push_text(&mut self, character: char) -> Result<(), NotWellFormed> {
        match character {
            '<' => {
                self.tail.clear();
                self.markup.clear();
                self.state = State::Markup;
            }
            _ if self.open.is_empty() && !is_space(character) => return Err(NotWellFormed),
            '&' => {
                self.tail.clear();
                self.state = State::Reference(String::new());
            }
            '>' if self.tail.ends_with("]]") => return Err(NotWellFormed),
            ']' => self.tail.push(character),
            _ => self.tail.clear(),
        }
        Ok(())
    }

    fn push_markup(&mut self, character: char) -> Result<(), NotWellFormed> {
        self.markup.push(character);
        let inside = !self.open.is_empty();
        self.state = match self.markup.as_str() {
            "?" => State::Instruction,
            "!--" => State::Comment,
            "![CDATA[" if inside => State::CData,
            "!DOCTYPE" if !self.has_root => State::DocumentType { brackets: 0, quote: None },
            "/" if inside => State::Tag(None),
            tag if tag.starts_with(is_name_start) && (inside || !self.has_root) => State::Tag(None),
            begun if "!--".starts_with(begun) || "![CDATA[".starts_with(begun) || "!DOCTYPE".starts_with(begun) => {
                State::Markup
            }
            _ => return Err(NotWellFormed),
        };
        if self.state != State::Markup && !matches!(self.state, State::Tag(_)) {
            self.markup.clear();
        }
        Ok(())
    }

    /// A construct that ends at a fixed string.
    fn push_delimited(&mut self, character: char) -> Result<(), NotWellFormed> {
        self.markup.push(character);
        let ended = match self.state {
            State::Instruction => self.markup.strip_suffix("?>").map(|text| split_name(text).is_some()),
            State::Comment => self.markup.strip_suffix("-->").map(|text| !text.contains("--") && !text.ends_with('-')),
            _ => self.markup.strip_suffix("]]>").map(|_| true),
        };
        match ended {
            Some(true) => self.state = State::Text,
            Some(false) => return Err(NotWellFormed),
            None => {}
        }
        Ok(())
    }

    fn push_document_type(&mut self, character: char) {
        self.markup.push(character);
        let State::DocumentType { brackets, quote } = &mut self.state else { return };
        match (character, *quote) {
            (_, Some(open)) if open == character => *quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => *quote = Some(character),
            ('[', None) => *brackets += 1,
            (']', None) => *brackets = brackets.saturating_sub(1),
            ('>', None) if *brackets == 0 => self.state = State::Text,
            _ => {}
        }
    }

    fn end_tag(&mut self, events: &mut Vec<Event>) -> Result<(), NotWellFormed> {
        self.state = State::Text;
        let markup = std::mem::take(&mut self.markup);
        if let Some(closing) = markup.strip_prefix('/') {
            let (name, rest) = split_name(closing).ok_or(NotWellFormed)?;
            let (open, _) = self.open.pop().ok_or(NotWellFormed)?;
            if name != open || !rest.chars().all(is_space) {
                return Err(NotWellFormed);
            }
            events.push(Event::EndElement);
            return Ok(());
        }
        let tag = parse_start_tag(&markup).ok_or(NotWellFormed)?;
        let declared = tag.attributes.iter().filter_map(|(name, _)| name.strip_prefix("xmlns:")).map(str::to_owned);
        self.has_root = true;
        self.open.push((tag.name.to_owned(), declared.collect()));
        let names = tag.attributes.iter().map(|(name, _)| *name).filter(|name| !name.starts_with("xmlns:"));
        if !names.chain([tag.name]).all(|name| self.has_known_prefix(name)) {
            return Err(NotWellFormed);
        }
        debug_assert!(tag.attributes.iter().all(|(_, value)| has_known_references(value)));
        events.push(Event::StartElement);
        if tag.is_empty {
            self.open.pop();
            events.push(Event::EndElement);
        }
        Ok(())
    }

    fn has_known_prefix(&self, name: &str) -> bool {
        match name.split_once(':') {
            None => true,
            Some((prefix, local)) => {
                !local.contains(':')
                    && (prefix == "xml"
                        || self.open.iter().any(|(_, declared)| declared.iter().any(|known| known == prefix)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of characters up to the end of the root element, or the index of the character that was refused.
    fn scan(text: &str) -> Result<usize, usize> {
        let mut scanner = Scanner::new();
        let mut depth = 0_usize;
        for (index, character) in text.chars().enumerate() {
            for event in scanner.push(character).map_err(|NotWellFormed| index)? {
                match event {
                    Event::StartDocument => {}
                    Event::StartElement => depth += 1,
                    Event::EndElement => depth -= 1,
                }
                if event == Event::EndElement && depth == 0 {
                    return Ok(index + 1);
                }
            }
        }
        Err(text.chars().count())
    }

    #[test]
    fn finds_the_end_of_the_root_element() {
        let documents = [
            "<a/>",
            "<a></a>",
            "<a><b/><b></b></a >",
            "<?xml version=\"1.0\"?>\n<a b='1' c=\"\u{2708}\"/>",
            "<!-- x - y --><a><!-- > --></a>",
            "<!DOCTYPE a [<!ELEMENT a (#PCDATA)> <!ENTITY e \"]>\">]><a>x</a>",
            "<a><![CDATA[</a>]]]]></a>",
            "<a>]] > &amp; &#65; &#x41;</a>",
            "<s:a xmlns:s='urn:s'><s:b s:c='1' xml:lang='en'/></s:a>",
            "<a b='>'>1 > 0</a>",
        ];
        for document in documents {
            for rest in ["", "\nHTTP 200", "<a/>"] {
                let length = document.chars().count();
                assert_eq!(scan(&format!("{document}{rest}")), Ok(length), "{document}{rest}");
            }
        }
    }

    #[test]
    fn refuses_at_the_character_where_no_document_goes_on() {
        for (document, at) in [
            ("<<", 1),
            ("< a/>", 1),
            ("<a aa></a>", 5),
            ("<a b=1></a>", 6),
            ("<a b='1' b='2'>", 14),
            ("<a b='1'c='2'>", 13),
            ("<a><b></a>", 9),
            ("<a>&nbsp;</a>", 8),
            ("<a>& b</a>", 4),
            ("<a>]]></a>", 5),
            ("<a b='&x;'/>", 11),
            ("<s:a/>", 5),
            ("<a>\u{1}</a>", 3),
            ("<a><!-- -- --></a>", 13),
            ("<a></a></a>", 7),
            ("<a>&#0;</a>", 6),
            ("<a", 2),
        ] {
            let expected = if document == "<a></a></a>" { Ok(7) } else { Err(at) };
            assert_eq!(scan(document), expected, "{document}");
        }
    }

    #[test]
    fn a_document_ends_after_its_root() {
        for (document, expected) in [("<a/>", Ok(())), ("<a/> \n<!-- x -->", Ok(())), ("<a>", Err(NotWellFormed))] {
            let mut scanner = Scanner::new();
            for character in document.chars() {
                scanner.push(character).unwrap();
            }
            assert_eq!(scanner.finish(), expected, "{document}");
        }
        for text in ["<a/>x", "<a/><b/>", "x<a/>"] {
            let mut scanner = Scanner::new();
            assert!(text.chars().any(|character| scanner.push(character).is_err()), "{text}");
        }
    }
}
