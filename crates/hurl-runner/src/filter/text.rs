//! Filters on text and numbers.

use hurl_core::ast::SourceInfo;

use super::{Filtered, as_text};
use crate::fault::Fault;
use crate::value::{Number, Value};

pub(super) fn first_group(value: &Value, regex: &regex::Regex, at: SourceInfo) -> Filtered {
    let text = as_text(value, at)?;
    let group = regex.captures(text).and_then(|captures| captures.get(1));
    Ok(group.map(|group| Value::from(group.as_str())))
}

pub(super) fn replace(value: &Value, old: &str, new: &str, at: SourceInfo) -> Filtered {
    Ok(Some(Value::String(as_text(value, at)?.replace(old, new))))
}

pub(super) fn replace_regex(value: &Value, regex: &regex::Regex, new: &str, at: SourceInfo) -> Filtered {
    Ok(Some(Value::String(regex.replace_all(as_text(value, at)?, new).into_owned())))
}

pub(super) fn split(value: &Value, separator: &str, at: SourceInfo) -> Filtered {
    Ok(Some(Value::List(as_text(value, at)?.split(separator).map(Value::from).collect())))
}

pub(super) fn to_float(value: &Value, at: SourceInfo) -> Filtered {
    let number = match value {
        Value::Number(number @ (Number::Float(_) | Number::Integer(_))) => number.as_f64(),
        Value::String(text) => text.parse().map_err(|_| Fault::filter_input(at, value.described()))?,
        Value::Number(Number::BigInteger(_)) => {
            let reason = format!("{} is too big to be cast as a float", value.described());
            return Err(Fault::filter_input(at, reason));
        }
        other => return Err(Fault::filter_type(at, other, "float, integer or string")),
    };
    Ok(Some(Value::from(number)))
}

#[expect(clippy::cast_possible_truncation, reason = "Hurl drops the fraction and saturates at 64 bits")]
pub(super) fn to_int(value: &Value, at: SourceInfo) -> Filtered {
    let number = match value {
        Value::Number(Number::Integer(number)) => *number,
        Value::Number(Number::Float(number)) => *number as i64,
        Value::String(text) => text.parse().map_err(|_| Fault::filter_input(at, value.described()))?,
        other => return Err(Fault::filter_type(at, other, "float, integer or string")),
    };
    Ok(Some(Value::from(number)))
}

pub(super) fn to_string(value: &Value, at: SourceInfo) -> Filtered {
    match value.rendered() {
        Some(text) => Ok(Some(Value::String(text))),
        None => Err(Fault::filter_input(at, format_args!("{} can not be converted to a string", value.described()))),
    }
}

pub(super) fn url_query_param(value: &Value, name: &str, at: SourceInfo) -> Filtered {
    let text = as_text(value, at)?;
    let url = crate::http::url::parse(text).map_err(|reason| Fault::invalid_url(at, text, &reason))?;
    let found = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| Value::String(value.into_owned()));
    Ok(found)
}

pub(super) fn html_escape(value: &Value, at: SourceInfo) -> Filtered {
    let mut escaped = String::new();
    for character in as_text(value, at)?.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            other => escaped.push(other),
        }
    }
    Ok(Some(Value::String(escaped)))
}

/// Replaces the character references of HTML, by the rules of the HTML standard.
pub(super) fn html_unescape(value: &Value, at: SourceInfo) -> Filtered {
    Ok(Some(Value::String(crate::xpath::unescape_html(as_text(value, at)?))))
}
