//! XPath 1.0 over XML and HTML.
//!
//! Hurl evaluates XPath with libxml2, so the trees are those that libxml2 builds: in particular, an HTML table gets no
//! `tbody` that is not written, which the HTML standard would add.

mod evaluate;
mod expression;
mod function;
mod html;
mod lexer;
mod parse;
mod tree;
mod xml;

use crate::value::Value;

pub(crate) use html::unescape as unescape_html;
pub(crate) use tree::Document;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// The expression is not XPath 1.0, or uses a function, variable or prefix that is not known. The text says what.
    Invalid(String),
    /// The evaluation visited more nodes than one may.
    TooManySteps,
}

impl Document {
    /// Reads XML; `None` where it is not well-formed.
    pub(crate) fn parse_xml(text: &str) -> Option<Self> {
        xml::parse(text)
    }

    /// Reads HTML of any quality; `None` where it has no element.
    pub(crate) fn parse_html(text: &str) -> Option<Self> {
        html::parse(text)
    }
}

/// Whether an expression can be evaluated at all; the text says why not.
pub(crate) fn check(expression: &str) -> Result<(), String> {
    parse::expression(expression).map(|_| ())
}

/// The value of an expression: a boolean, a float, a string or the number of nodes.
pub(crate) fn evaluate(document: &Document, expression: &str) -> Result<Value, Error> {
    let expression = parse::expression(expression).map_err(Error::Invalid)?;
    Ok(match evaluate::evaluate(document, &expression)? {
        evaluate::Outcome::Boolean(value) => Value::Bool(value),
        evaluate::Outcome::Number(value) => Value::from(value),
        evaluate::Outcome::String(value) => Value::String(value),
        evaluate::Outcome::Nodes(nodes) => Value::Nodeset(nodes.len()),
    })
}

#[cfg(test)]
mod tests;
