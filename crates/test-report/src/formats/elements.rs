//! XML formats as elements of a few kinds: which kind an element is depends on the one around it, and the text of some
//! kinds matters.

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{ErrorKind, Input, ReportError};

use crate::limits::Limits;

use super::support::push_text;

/// Receives the elements of a format.
pub(crate) trait Elements {
    /// What an element is.
    type Node: Copy;

    /// An element begins; says what it is. `parent` is `None` for the root.
    ///
    /// # Errors
    ///
    /// Fails when the element has no place in the format.
    fn start(&mut self, parent: Option<Self::Node>, tag: &Tag<'_>) -> Result<Self::Node, Fault>;

    /// An element ends. `text` is its own text without the white space around it, cut to the longest of the limits on
    /// texts; empty where the text is not kept.
    ///
    /// # Errors
    ///
    /// Fails when something is missing in the element, or over a limit.
    fn end(&mut self, node: Self::Node, text: &str) -> Result<(), Fault>;

    /// Whether the text of such an element matters. Elements inside it must not matter in the same way.
    fn keeps_text(node: Self::Node) -> bool;
}

/// Reads a report into `elements` and returns how many bytes it has.
///
/// # Errors
///
/// Fails as [`xml::read`] does, and when `elements` refuses an element.
pub(crate) fn read<E: Elements>(input: Input<'_>, limits: &Limits, elements: &mut E) -> Result<u64, ReportError> {
    let Limits { name, message, .. } = *limits;
    let mut reading = Reading { elements, nodes: Vec::new(), text: String::new(), limit: name.max(message) };
    xml::read(input, &mut reading)
}

struct Reading<'e, E: Elements> {
    elements: &'e mut E,
    nodes: Vec<E::Node>,
    text: String,
    limit: usize,
}

impl<E: Elements> Handler for Reading<'_, E> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let node = self.elements.start(self.nodes.last().copied(), tag)?;
        if E::keeps_text(node) {
            self.text.clear();
        }
        self.nodes.push(node);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(node) = self.nodes.pop() else { return Ok(()) };
        let text = if E::keeps_text(node) { self.text.trim_end() } else { "" };
        self.elements.end(node, text)
    }

    fn text(&mut self, text: &str) {
        if self.wants_text() {
            push_text(&mut self.text, text, self.limit);
        }
    }

    fn wants_text(&self) -> bool {
        self.nodes.last().is_some_and(|node| E::keeps_text(*node))
    }
}

/// The fault of a root element that is not the format's.
pub(crate) fn wrong_root(tag: &Tag<'_>, format: &str, expected: &str) -> Fault {
    let detail = format!("the root element <{}> is not the one of {format}, {expected}", tag.name);
    Fault::new(ErrorKind::Unrecognised, detail)
}

/// A counter in an attribute; `None` where there is none, or no number.
pub(crate) fn counter(tag: &Tag<'_>, name: &str) -> Option<u64> {
    tag.get(name).and_then(|count| count.trim().parse().ok())
}
