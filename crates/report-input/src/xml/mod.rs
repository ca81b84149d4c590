//! Strict, bounded reading of XML for all formats made of it.
//!
//! quick-xml splits the text into events, over a window of the report that slides forward: nothing is copied, and no
//! text, comment or CDATA section is ever held whole. What quick-xml leaves to its caller is checked here, in one place,
//! so that a document is read only if any strict parser would read it: one root, matching tags, proper names, no
//! attribute twice, no `<` in attributes, no control characters, no references but the predefined ones. A document
//! type declaration may stand there as long as it declares no entities and no attributes.

mod attributes;
mod encoding;
mod references;
mod scan;
mod window;

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::Event;

use crate::Bounds;
use crate::error::{ErrorKind, ReportError};
use crate::input::Input;

pub use attributes::{Attribute, Tag};
use scan::Document;
use window::Window;

/// Receives the elements of a document in order.
pub trait Handler {
    /// An element begins.
    ///
    /// # Errors
    ///
    /// A fault ends the reading and is placed at the element.
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault>;

    /// The innermost open element ends.
    ///
    /// # Errors
    ///
    /// A fault ends the reading and is placed at the end tag.
    fn end(&mut self) -> Result<(), Fault>;

    /// A part of the text of the innermost open element; a text may come in many parts.
    fn text(&mut self, text: &str);

    /// Whether the text of the innermost open element matters; if not, its white space need not be handed out.
    fn wants_text(&self) -> bool {
        true
    }
}

/// What is wrong, before the place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What sort of error it is.
    pub kind: ErrorKind,
    /// What is wrong.
    pub detail: String,
}

impl Fault {
    /// A fault.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Fault { kind, detail: detail.into() }
    }

    /// A breach of the rules of XML or of the format.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Fault::new(ErrorKind::Malformed, detail)
    }
}

/// A fault and where it is, in bytes from the start of the window.
type Located<T> = Result<T, (usize, Fault)>;

/// Reads a document to its end and returns how many bytes it has.
///
/// # Errors
///
/// Fails when the document is not well formed, is cut short, is over a limit, or when the handler refuses it.
pub fn read<H: Handler>(input: Input<'_>, handler: &mut H) -> Result<u64, ReportError> {
    let bounds = input.bounds();
    let mut window = Window::new(input)?;
    let mut document = Document::new(bounds);
    loop {
        window.fill()?;
        let (text, last) = window.text();
        let stop = match pump(text, last, &mut document, handler) {
            Ok(stop) => stop,
            Err((at, fault)) => return Err(window.error_at(at, fault)),
        };
        match stop {
            Stop::End => break,
            Stop::At(0) if window.is_full() && !last => over_long(&mut window, bounds, &mut document, handler)?,
            Stop::At(consumed) => window.consume(consumed),
        }
    }
    if let Err(fault) = document.finish() {
        let end = window.text().0.len();
        return Err(window.error_at(end, fault));
    }
    Ok(window.bytes_read())
}

enum Stop {
    /// Everything was read.
    End,
    /// Reading stopped before a piece of markup that the window does not hold to its end.
    At(usize),
}

/// Reads all complete pieces of the window.
fn pump<H: Handler>(text: &str, last: bool, document: &mut Document, handler: &mut H) -> Located<Stop> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    // Both are checked by `Document`, whose memory is longer than one window's.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.check_comments = true;
    loop {
        let at = text.len() - reader.get_ref().len();
        let skips_blanks = document.is_inside() && !handler.wants_text();
        reader.config_mut().trim_text_start = skips_blanks;
        let place = |offset: usize| {
            let rest = &text[at..];
            let skipped =
                if skips_blanks { rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len() } else { 0 };
            at + skipped + offset
        };
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(_) if !last => return Ok(Stop::At(place(0))),
            Err(error) => return Err((place(0), explain(&error, document))),
        };
        let handled = match event {
            Event::Start(start) => document.start(&start, false, handler),
            Event::Empty(start) => document.start(&start, true, handler),
            Event::End(end) => document.end(end.name().as_ref(), handler),
            Event::Text(part) => {
                let ends_window = !last && reader.get_ref().is_empty();
                if ends_window && part.len() < 4 {
                    return Ok(Stop::At(at));
                }
                // The last bytes of an unfinished text may be the beginning of a `]]>`.
                let whole: &str = &part;
                let part = if ends_window { &whole[..whole.floor_char_boundary(whole.len() - 2)] } else { whole };
                document.text(part, handler).map_err(|fault| (place(0), fault))?;
                if ends_window {
                    return Ok(Stop::At(text.len() - (whole.len() - part.len())));
                }
                Ok(())
            }
            Event::CData(part) => document.cdata(&part, handler).map_err(|fault| (0, fault)),
            Event::GeneralRef(name) => document.reference(&name, handler).map_err(|fault| (0, fault)),
            Event::Decl(declaration) => document.declaration(&declaration),
            Event::PI(instruction) => document.instruction(instruction.target()).map_err(|fault| (0, fault)),
            Event::DocType(content) => document.document_type(&content).map_err(|fault| (0, fault)),
            Event::Comment(_) => {
                document.begin();
                Ok(())
            }
            Event::Eof => return Ok(if last { Stop::End } else { Stop::At(text.len()) }),
        };
        if let Err((offset, fault)) = handled {
            return Err((place(offset), fault));
        }
    }
}

/// Deals with a piece of markup that is longer than the window.
fn over_long<H: Handler>(
    window: &mut Window<'_>,
    bounds: Bounds,
    document: &mut Document,
    handler: &mut H,
) -> Result<(), ReportError> {
    let (text, _) = window.text();
    let fault = if text.starts_with("<![CDATA[") {
        window.consume("<![CDATA[".len());
        return window.until("]]>", |part| document.cdata(part, handler));
    } else if text.starts_with("<!--") {
        window.consume("<!--".len());
        document.begin();
        return window.until("-->", |part| {
            if part.contains("--") { Err(Fault::malformed("`--` inside a comment")) } else { Ok(()) }
        });
    } else if text.starts_with('&') {
        Fault::malformed("an `&` that begins no reference; it is written `&amp;`")
    } else if window.grow(bounds.token) {
        return Ok(());
    } else {
        Fault::new(ErrorKind::Limit, format!("a tag or declaration of more than {} bytes", bounds.token))
    };
    Err(window.error_at(0, fault))
}

/// What is wrong with a piece of markup that quick-xml does not accept although the whole rest of the report is there.
fn explain(error: &Error, document: &Document) -> Fault {
    let truncated = |what: &str| Fault::new(ErrorKind::Truncated, format!("{what}{}", document.inside()));
    match error {
        Error::Syntax(syntax) => {
            use quick_xml::errors::SyntaxError as S;
            match syntax {
                S::InvalidBangMarkup => Fault::malformed("`<!` begins no comment, CDATA section or DOCTYPE"),
                S::UnclosedPI => truncated("the file ends within a processing instruction"),
                S::UnclosedXmlDecl => truncated("the file ends within the XML declaration"),
                S::UnclosedComment => truncated("the file ends within a comment"),
                S::UnclosedDoctype => truncated("the file ends within the document type declaration"),
                S::UnclosedCData => truncated("the file ends within a CDATA section"),
                S::UnclosedSingleQuotedAttributeValue | S::UnclosedDoubleQuotedAttributeValue => {
                    truncated("the file ends within an attribute's value")
                }
                _ => truncated("the file ends within a tag"),
            }
        }
        Error::IllFormed(quick_xml::errors::IllFormedError::UnclosedReference) => {
            Fault::malformed("an `&` that begins no reference; it is written `&amp;`")
        }
        Error::IllFormed(quick_xml::errors::IllFormedError::DoubleHyphenInComment) => {
            Fault::malformed("`--` inside a comment")
        }
        other => Fault::malformed(other.to_string()),
    }
}
