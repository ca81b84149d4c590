//! Builds the tree of an XML document.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::tree::{Document, Kind, NodeId, ROOT};

pub(super) const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// The deepest nesting of elements that is read.
const DEPTH_MAX: usize = 256;

pub(super) fn parse(text: &str) -> Option<Document> {
    let mut builder = Builder { document: Document::new(false), open: Vec::new(), has_root: false };
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let element = builder.start(&tag)?;
                builder.open.push(element);
            }
            Event::Empty(tag) => {
                let element = builder.start(&tag)?;
                builder.open.push(element);
                builder.open.pop();
            }
            Event::End(_) => {
                builder.open.pop()?;
            }
            Event::Text(text) => builder.text(&text.xml10_content())?,
            Event::CData(text) => builder.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().ok()? {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_xml_entity(&reference)?.to_owned(),
                };
                builder.text(&character)?;
            }
            Event::Comment(text) => builder.leaf(Kind::Comment, "", &text.xml10_content()),
            Event::PI(instruction) => {
                builder.leaf(Kind::ProcessingInstruction, instruction.target(), instruction.content().trim_start());
            }
            Event::Decl(_) | Event::DocType(_) => {}
            Event::Eof => break,
        }
    }
    (builder.open.is_empty() && builder.has_root).then_some(builder.document)
}

struct OpenElement {
    id: NodeId,
    /// The namespaces that this element declares; the default namespace has no prefix, and may be undone by an empty one.
    declared: Vec<(String, String)>,
}

struct Builder {
    document: Document,
    open: Vec<OpenElement>,
    has_root: bool,
}

impl Builder {
    fn parent(&self) -> NodeId {
        self.open.last().map_or(ROOT, |element| element.id)
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Option<OpenElement> {
        if self.open.len() >= DEPTH_MAX || (self.open.is_empty() && self.has_root) {
            return None;
        }
        self.has_root = true;
        let mut attributes = Vec::new();
        let mut declared = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.ok()?;
            let name = attribute.key.into_inner().to_owned();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
            match name.strip_prefix("xmlns") {
                Some("") => declared.push((String::new(), value)),
                Some(rest) if rest.starts_with(':') => declared.push((rest[1..].to_owned(), value)),
                _ => attributes.push((name, value)),
            }
        }
        self.register(&declared);
        let parent = self.parent();
        let mut element = OpenElement { id: ROOT, declared };
        let name = tag.name().into_inner().to_owned();
        let namespace = self.namespace(&name, &element.declared, true)?;
        element.id = self.document.append(parent, Kind::Element, &name, namespace, "");
        for (name, value) in attributes {
            let namespace = self.namespace(&name, &element.declared, false)?;
            self.document.append_attribute(element.id, &name, namespace, &value);
        }
        Some(element)
    }

    /// The namespace of a name, or the `None` within where it has none; `None` where its prefix is not declared.
    fn namespace(&self, name: &str, own: &[(String, String)], is_element: bool) -> Option<Option<String>> {
        let prefix = match name.split_once(':') {
            Some(("xml", _)) => return Some(Some(XML_NAMESPACE.to_owned())),
            Some((prefix, _)) => prefix,
            None if is_element => "",
            None => return Some(None),
        };
        let outer = self.open.iter().rev().flat_map(|element| element.declared.iter());
        let found = own.iter().chain(outer).find(|(declared, _)| declared == prefix).map(|(_, uri)| uri.clone());
        match found {
            Some(uri) => Some(Some(uri).filter(|uri| !uri.is_empty())),
            None if prefix.is_empty() => Some(None),
            None => None,
        }
    }

    /// Makes declared prefixes known to expressions. A later declaration of a prefix replaces an earlier one.
    fn register(&mut self, declared: &[(String, String)]) {
        for (prefix, uri) in declared {
            let prefix = if prefix.is_empty() { "_" } else { prefix };
            let known = self.document.prefixes.iter_mut().find(|(known, _)| known == prefix);
            match known {
                Some(_) if prefix == "_" => {}
                Some((_, known)) => known.clone_from(uri),
                None => self.document.prefixes.push((prefix.to_owned(), uri.clone())),
            }
        }
    }

    /// Adds text; outside of the root element only white space is allowed.
    fn text(&mut self, text: &str) -> Option<()> {
        if self.open.is_empty() {
            return text.trim_matches([' ', '\t', '\n', '\r']).is_empty().then_some(());
        }
        let parent = self.parent();
        self.document.append_text(parent, text);
        Some(())
    }

    fn leaf(&mut self, kind: Kind, name: &str, value: &str) {
        let parent = self.parent();
        self.document.append(parent, kind, name, None, value);
    }
}
