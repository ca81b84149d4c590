//! JSONPath and XPath, on text and on bodies.

use hurl_core::ast::{SourceInfo, Template};

use super::{Filtered, as_text};
use crate::fault::Fault;
use crate::jsonpath;
use crate::template::Scope;
use crate::value::{Value, json};
use crate::xpath::{self, Document};

pub(super) fn jsonpath(value: &Value, expr: &Template, scope: Scope<'_>, at: SourceInfo) -> Filtered {
    let text = as_text(value, at)?;
    let document = json::parse(text).ok_or_else(|| Fault::filter_input(at, "value is not a valid JSON"))?;
    select(&document, expr, scope)
}

/// Hurl reads the text of this filter as HTML, which is lenient.
pub(super) fn xpath(value: &Value, expr: &Template, scope: Scope<'_>, at: SourceInfo) -> Filtered {
    let text = as_text(value, at)?;
    let document = Document::parse_html(text).ok_or_else(|| Fault::filter_input(at, "value is not a valid XML"))?;
    evaluate(&document, expr, scope)
}

/// Evaluates a JSONPath. No result is nothing, one result is that value, several are a list; without coercion, the
/// results are always a list.
pub(crate) fn select(document: &Value, expr: &Template, scope: Scope<'_>) -> Filtered {
    let text = scope.text(expr)?;
    let invalid =
        || Fault::new(expr.source_info, "Invalid JSONPath", format!("JSONPath expression '{text}' is not valid"));
    let path = jsonpath::Path::parse(&text).map_err(|_| invalid())?;
    let results = path.select(document).map_err(|jsonpath::TooManySteps| {
        Fault::new(expr.source_info, "Invalid JSONPath", format!("JSONPath expression '{text}' takes too many steps"))
    })?;
    let mut values: Vec<Value> = results.into_iter().cloned().collect();
    Ok(match values.len() {
        0 if scope.jsonpath_coercion => None,
        1 if scope.jsonpath_coercion => values.pop(),
        _ => Some(Value::List(values)),
    })
}

/// Evaluates an XPath expression.
pub(crate) fn evaluate(document: &Document, expr: &Template, scope: Scope<'_>) -> Filtered {
    let text = scope.text(expr)?;
    xpath::evaluate(document, &text).map(Some).map_err(|error| {
        let message = match error {
            xpath::Error::Invalid(_) => "XPath expression is not valid".to_owned(),
            xpath::Error::TooManySteps => "XPath expression takes too many steps".to_owned(),
        };
        Fault::new(expr.source_info, "Invalid XPath expression", message)
    })
}
