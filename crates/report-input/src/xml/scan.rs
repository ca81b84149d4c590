//! What has to hold between the pieces of a document.

use quick_xml::events::{BytesDecl, BytesStart};

use super::attributes::{self, Tag};
use super::{Fault, Handler, Located, references};
use crate::Bounds;
use crate::error::ErrorKind;

/// How far a document was read.
pub(super) struct Document {
    bounds: Bounds,
    /// The names of the open elements, one after the other, and where each begins.
    open: String,
    open_starts: Vec<usize>,
    spans: Vec<attributes::Span>,
    began: bool,
    had_root: bool,
    had_document_type: bool,
}

impl Document {
    pub(super) fn new(bounds: Bounds) -> Self {
        Document {
            bounds,
            open: String::new(),
            open_starts: Vec::new(),
            spans: Vec::new(),
            began: false,
            had_root: false,
            had_document_type: false,
        }
    }

    /// Something came: from now on there can be no XML declaration.
    pub(super) fn begin(&mut self) {
        self.began = true;
    }

    /// Whether an element is open.
    pub(super) fn is_inside(&self) -> bool {
        !self.open_starts.is_empty()
    }

    pub(super) fn start<H: Handler>(&mut self, start: &BytesStart<'_>, empty: bool, handler: &mut H) -> Located<()> {
        self.begin();
        let name = start.name().into_inner();
        // Errors are placed from the `<`, which is not a part of the content.
        attributes::check_name(name).map_err(|fault| (1, fault))?;
        if self.open_starts.is_empty() && self.had_root {
            return Err((0, Fault::malformed(format!("a second root element <{name}>"))));
        }
        if self.open_starts.len() >= self.bounds.depth {
            let detail = format!("elements are nested more than {} deep", self.bounds.depth);
            return Err((0, Fault::new(ErrorKind::Limit, detail)));
        }
        self.had_root = true;
        let raw = start.attributes_raw();
        attributes::scan(raw, self.bounds.attributes, &mut self.spans)
            .map_err(|(at, fault)| (1 + name.len() + at, fault))?;
        handler.start(&Tag::new(name, raw, &self.spans)).map_err(|fault| (0, fault))?;
        if empty {
            return handler.end().map_err(|fault| (0, fault));
        }
        self.open_starts.push(self.open.len());
        self.open.push_str(name);
        Ok(())
    }

    pub(super) fn end<H: Handler>(&mut self, name: &str, handler: &mut H) -> Located<()> {
        let Some(start) = self.open_starts.pop() else {
            return Err((0, Fault::malformed(format!("the end tag </{name}> has no start tag"))));
        };
        if &self.open[start..] != name {
            let open = &self.open[start..];
            return Err((0, Fault::malformed(format!("the end tag </{name}> does not match <{open}>"))));
        }
        self.open.truncate(start);
        handler.end().map_err(|fault| (0, fault))
    }

    pub(super) fn text<H: Handler>(&mut self, text: &str, handler: &mut H) -> Result<(), Fault> {
        self.begin();
        if self.open_starts.is_empty() {
            let outside = text.trim_matches([' ', '\t', '\r', '\n']);
            if outside.is_empty() {
                return Ok(());
            }
            let start: String = outside.chars().take(20).collect();
            let side = if self.had_root { "after" } else { "before" };
            return Err(Fault::malformed(format!("text {side} the root element: \"{}\"", start.escape_debug())));
        }
        if memchr::memchr(b']', text.as_bytes()).is_some() && text.contains("]]>") {
            return Err(Fault::malformed("`]]>` outside a CDATA section; it is written `]]&gt;`"));
        }
        handler.text(text);
        Ok(())
    }

    pub(super) fn cdata<H: Handler>(&mut self, text: &str, handler: &mut H) -> Result<(), Fault> {
        if self.open_starts.is_empty() {
            return Err(Fault::malformed("a CDATA section outside the root element"));
        }
        handler.text(text);
        Ok(())
    }

    pub(super) fn reference<H: Handler>(&mut self, name: &str, handler: &mut H) -> Result<(), Fault> {
        let character = references::resolve(name)?;
        if self.open_starts.is_empty() {
            return Err(Fault::malformed(format!("a reference `&{name};` outside the root element")));
        }
        handler.text(character.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    pub(super) fn declaration(&mut self, declaration: &BytesDecl<'_>) -> Located<()> {
        if std::mem::replace(&mut self.began, true) {
            return Err((0, Fault::malformed("an XML declaration that is not at the start of the file")));
        }
        let content: &str = declaration;
        let pseudo = content.strip_prefix("xml").unwrap_or(content);
        attributes::scan(pseudo, 3, &mut self.spans).map_err(|(at, fault)| (5 + at, fault))?;
        let tag = Tag::new("xml", pseudo, &self.spans);
        let names: Vec<&str> = tag.attributes().map(|attribute| attribute.name).collect();
        let known = ["version", "encoding", "standalone"];
        let in_order = names.is_sorted_by_key(|name| known.iter().position(|known| known == name));
        if names.first() != Some(&"version") || !in_order || names.iter().any(|name| !known.contains(name)) {
            return Err((
                0,
                Fault::malformed("the XML declaration is not of the form `<?xml version=... encoding=...?>`"),
            ));
        }
        if !tag.get("version").is_some_and(|version| version.starts_with("1.")) {
            return Err((0, Fault::malformed("the XML version is not 1.0")));
        }
        Ok(())
    }

    pub(super) fn instruction(&mut self, target: &str) -> Result<(), Fault> {
        self.begin();
        attributes::check_name(target)?;
        if target.eq_ignore_ascii_case("xml") {
            return Err(Fault::malformed("a processing instruction that is named `xml`"));
        }
        Ok(())
    }

    pub(super) fn document_type(&mut self, content: &str) -> Result<(), Fault> {
        self.begin();
        if self.had_root || std::mem::replace(&mut self.had_document_type, true) {
            return Err(Fault::malformed("a document type declaration that is not before the root element"));
        }
        for forbidden in ["<!ENTITY", "<!ATTLIST", "%"] {
            if content.contains('[') && content.contains(forbidden) {
                let detail = "the document type declares entities or attributes, which are never expanded; remove the \
                              declarations from the report";
                return Err(Fault::new(ErrorKind::Forbidden, detail));
            }
        }
        Ok(())
    }

    /// Says where the document stands, for a message about its early end.
    pub(super) fn inside(&self) -> String {
        self.open_starts.last().map(|start| format!(" inside <{}>", &self.open[*start..])).unwrap_or_default()
    }

    pub(super) fn finish(&self) -> Result<(), Fault> {
        if !self.open_starts.is_empty() {
            return Err(Fault::new(ErrorKind::Truncated, format!("the file ends{}", self.inside())));
        }
        if !self.had_root {
            return Err(Fault::new(ErrorKind::Truncated, "the file ends before the root element"));
        }
        Ok(())
    }
}
