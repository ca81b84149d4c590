//! Filters on lists and on the responses of a chain of redirects.

use hurl_core::ast::{IntegerValue, SourceInfo};

use super::Filtered;
use crate::fault::Fault;
use crate::template::Scope;
use crate::value::{self, Number, Value};

pub(super) fn count(value: &Value, at: SourceInfo) -> Filtered {
    match value {
        Value::List(values) => Ok(Some(value::count(values.len()))),
        Value::Bytes(bytes) => Ok(Some(value::count(bytes.len()))),
        Value::Nodeset(size) => Ok(Some(value::count(*size))),
        other => Err(Fault::filter_type(at, other, "list, bytes or nodeset")),
    }
}

fn as_list(value: &Value, at: SourceInfo) -> Result<&[Value], Fault> {
    match value {
        Value::List(values) => Ok(values),
        other => Err(Fault::filter_type(at, other, "list")),
    }
}

pub(super) fn first(value: &Value, at: SourceInfo) -> Filtered {
    let first = as_list(value, at)?.first().cloned();
    first.map(Some).ok_or_else(|| Fault::filter_input(at, "list is empty"))
}

pub(super) fn last(value: &Value, at: SourceInfo) -> Filtered {
    let last = as_list(value, at)?.last().cloned();
    last.map(Some).ok_or_else(|| Fault::filter_input(at, "list is empty"))
}

/// The element at an index; a negative index counts from the end.
pub(super) fn nth(value: &Value, n: &IntegerValue, scope: Scope<'_>, at: SourceInfo) -> Filtered {
    let index = match n {
        IntegerValue::Literal(literal) => literal.as_i64(),
        IntegerValue::Placeholder(placeholder) => match scope.value(&placeholder.expr)? {
            Value::Number(Number::Integer(index)) => index,
            other => return Err(Fault::expecting(placeholder.expr.source_info, "integer", &other)),
        },
    };
    let values = as_list(value, at)?;
    let length = i64::try_from(values.len()).unwrap_or(i64::MAX);
    let position = if index < 0 { index.checked_add(length) } else { Some(index) };
    let element = position.and_then(|position| usize::try_from(position).ok()).and_then(|index| values.get(index));
    match element {
        Some(element) => Ok(Some(element.clone())),
        None => Err(Fault::filter_input(at, format_args!("out of bound - size is {length}"))),
    }
}

pub(super) fn location(value: &Value, at: SourceInfo) -> Filtered {
    match value {
        Value::HttpResponse { location, .. } => Ok(Some(Value::String(location.clone()))),
        other => Err(Fault::filter_type(at, other, "http response")),
    }
}
