//! Builds the tree of an HTML document as libxml2 does: tags come from the standard's tokenizer, and the tree from
//! rules about which tag closes which.

use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{RawKind, State};
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::tree::{Document, Kind, NodeId, ROOT};

/// The deepest nesting of elements; a start tag below it becomes a sibling, so that hostile pages stay cheap.
const DEPTH_MAX: usize = 256;

pub(super) fn parse(text: &str) -> Option<Document> {
    let builder = Builder {
        document: RefCell::new(Document::new(true)),
        open: RefCell::new(Vec::new()),
        head_seen: Cell::new(false),
        body_ended: Cell::new(false),
        body: Cell::new(None),
    };
    let tokenizer = Tokenizer::new(builder, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(text));
    // The sink never asks to stop for a script, so one call takes all.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let document = tokenizer.sink.document.into_inner();
    document.has_element().then_some(document)
}

/// `text` with its character references replaced.
pub(crate) fn unescape(text: &str) -> String {
    // The tokenizer makes line feeds of carriage returns, so it does not get to see them.
    let pieces = text.split('\r').map(|piece| {
        let options =
            TokenizerOpts { initial_state: Some(State::RawData(RawKind::Rcdata)), ..TokenizerOpts::default() };
        let tokenizer = Tokenizer::new(Characters::default(), options);
        let input = BufferQueue::default();
        input.push_back(StrTendril::from_slice(piece));
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink.text.into_inner()
    });
    pieces.collect::<Vec<_>>().join("\r")
}

/// Collects text.
#[derive(Default)]
struct Characters {
    text: RefCell<String>,
}

impl TokenSink for Characters {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(text) => self.text.borrow_mut().push_str(&text),
            Token::NullCharacterToken => self.text.borrow_mut().push('\0'),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

struct Builder {
    document: RefCell<Document>,
    open: RefCell<Vec<(NodeId, String)>>,
    head_seen: Cell<bool>,
    body_ended: Cell<bool>,
    body: Cell<Option<NodeId>>,
}

impl TokenSink for Builder {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return self.start(&tag),
            Token::TagToken(tag) => self.end(&tag.name),
            Token::CharacterTokens(text) => self.text(&text),
            Token::CommentToken(text) => {
                let parent = self.parent();
                self.document.borrow_mut().append(parent, Kind::Comment, "", None, &text);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Builder {
    fn parent(&self) -> NodeId {
        self.open.borrow().last().map_or(ROOT, |(id, _)| *id)
    }

    fn current(&self) -> Option<String> {
        self.open.borrow().last().map(|(_, name)| name.clone())
    }

    fn is_open(&self, name: &str) -> bool {
        self.open.borrow().iter().any(|(_, open)| open == name)
    }

    fn push(&self, name: &str) -> NodeId {
        let parent = self.parent();
        let id = self.document.borrow_mut().append(parent, Kind::Element, name, None, "");
        if self.open.borrow().len() < DEPTH_MAX {
            self.open.borrow_mut().push((id, name.to_owned()));
        }
        match name {
            "head" => self.head_seen.set(true),
            "body" if self.body.get().is_none() => self.body.set(Some(id)),
            _ => {}
        }
        id
    }

    fn start(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let again = match name {
            "html" => self.open.borrow().first().map(|(id, _)| *id),
            "body" => self.body.get(),
            "head" if self.head_seen.get() => return TokenSinkResult::Continue,
            _ => None,
        };
        if let Some(element) = again {
            self.add_attributes(element, tag);
            return TokenSinkResult::Continue;
        }
        while self.current().is_some_and(|open| closes(name, &open)) {
            self.open.borrow_mut().pop();
        }
        self.imply(name);
        let element = self.push(name);
        self.add_attributes(element, tag);
        if is_void(name) || tag.self_closing {
            let mut open = self.open.borrow_mut();
            if open.last().is_some_and(|(id, _)| *id == element) {
                open.pop();
            }
            return TokenSinkResult::Continue;
        }
        match name {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" => TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
        }
    }

    /// Adds the attributes that the element does not have yet.
    fn add_attributes(&self, element: NodeId, tag: &Tag) {
        let mut document = self.document.borrow_mut();
        for attribute in &tag.attrs {
            let name: &str = &attribute.name.local;
            let is_known = document.node(element).attributes.iter().any(|&id| document.node(id).name == name);
            if !is_known {
                document.append_attribute(element, name, None, &attribute.value);
            }
        }
    }

    /// Opens the `html`, `head` and `body` that are not written.
    fn imply(&self, name: &str) {
        if name == "html" {
            return;
        }
        if self.open.borrow().is_empty() {
            self.push("html");
        }
        if matches!(name, "head" | "body" | "frameset" | "frame" | "noframes") {
            return;
        }
        let belongs_to_head = matches!(name, "script" | "style" | "meta" | "link" | "title" | "base");
        if self.open.borrow().len() == 1 && belongs_to_head && self.body.get().is_none() {
            if !self.head_seen.get() {
                self.push("head");
            }
        } else if !belongs_to_head && self.body.get().is_none() && !self.is_open("head") {
            self.push("body");
        }
    }

    fn text(&self, text: &str) {
        let is_blank = text.trim_matches([' ', '\t', '\n', '\r', '\u{c}']).is_empty();
        if matches!(self.current().as_deref(), None | Some("html" | "head")) {
            if is_blank {
                return;
            }
            if self.current().as_deref() == Some("head") {
                self.open.borrow_mut().pop();
            }
            self.imply("p");
            if self.current().as_deref() == Some("body") {
                self.push("p");
            }
        }
        if self.body_ended.get() && is_blank && self.current().as_deref() == Some("body") {
            return;
        }
        let parent = self.parent();
        self.document.borrow_mut().append_text(parent, text);
    }

    /// Closes the nearest open element of that name, unless an element that binds tighter is in between.
    fn end(&self, name: &str) {
        if name == "body" {
            self.body_ended.set(true);
        }
        let position = {
            let open = self.open.borrow();
            let mut position = None;
            for (index, (_, candidate)) in open.iter().enumerate().rev() {
                if candidate == name {
                    position = Some(index);
                    break;
                }
                if priority(candidate) > priority(name) {
                    break;
                }
            }
            position
        };
        match position {
            // What comes after `</body>` and `</html>` still belongs to the body.
            Some(index) if matches!(name, "body" | "html") => {
                let keep = if name == "html" && self.body.get().is_some() { index + 2 } else { index + 1 };
                self.open.borrow_mut().truncate(keep);
            }
            Some(index) => self.open.borrow_mut().truncate(index),
            None if name == "p" => {
                self.imply("p");
                let parent = self.parent();
                self.document.borrow_mut().append(parent, Kind::Element, "p", None, "");
            }
            None => {}
        }
    }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "isindex"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

fn priority(name: &str) -> u32 {
    match name {
        "p" => 10,
        "div" => 150,
        "td" | "th" => 160,
        "tr" => 170,
        "thead" | "tbody" | "tfoot" => 180,
        "table" => 190,
        "head" | "body" => 200,
        "html" => 220,
        _ => 100,
    }
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Whether a start tag ends the element that is open.
fn closes(new: &str, open: &str) -> bool {
    match open {
        "head" => {
            !matches!(new, "base" | "link" | "meta" | "noscript" | "script" | "style" | "template" | "title" | "object")
        }
        "p" => is_block(new),
        "a" => matches!(new, "a" | "table" | "td" | "th" | "fieldset"),
        "li" => new == "li",
        "dt" | "dd" => matches!(new, "dt" | "dd"),
        "option" => matches!(new, "option" | "optgroup"),
        "optgroup" => new == "optgroup",
        "td" | "th" => matches!(new, "td" | "th" | "tr" | "tbody" | "thead" | "tfoot"),
        "tr" => matches!(new, "tr" | "tbody" | "thead" | "tfoot"),
        "tbody" | "thead" | "tfoot" => matches!(new, "tbody" | "thead" | "tfoot"),
        "caption" | "colgroup" => matches!(new, "colgroup" | "thead" | "tbody" | "tfoot" | "tr"),
        open if is_heading(open) => is_heading(new) || matches!(new, "li" | "table"),
        _ => false,
    }
}

fn is_block(name: &str) -> bool {
    is_heading(name)
        || matches!(
            name,
            "address"
                | "article"
                | "aside"
                | "blockquote"
                | "body"
                | "caption"
                | "center"
                | "col"
                | "colgroup"
                | "dd"
                | "dir"
                | "div"
                | "dl"
                | "dt"
                | "fieldset"
                | "figure"
                | "footer"
                | "form"
                | "frameset"
                | "header"
                | "hr"
                | "li"
                | "listing"
                | "main"
                | "menu"
                | "nav"
                | "ol"
                | "p"
                | "pre"
                | "section"
                | "table"
                | "tbody"
                | "td"
                | "tfoot"
                | "th"
                | "thead"
                | "tr"
                | "ul"
                | "xmp"
        )
}
