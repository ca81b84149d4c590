//! Filters: what an assert or a capture does to a value before it is judged or kept.

mod encoding;
mod list;
pub(crate) mod structure;
mod text;
mod time;

use hurl_core::ast::{Filter, FilterValue as F, RegexValue, SourceInfo, Whitespace};

use crate::fault::Fault;
use crate::template::Scope;
use crate::value::Value;

/// The result of a filter; `None` where it found nothing.
type Filtered = Result<Option<Value>, Fault>;

/// Applies filters in order. A filter that found nothing leaves the next one without an input, which is a fault.
pub(crate) fn apply(filters: &[(Whitespace, Filter)], value: Option<Value>, scope: Scope<'_>) -> Filtered {
    filters.iter().try_fold(value, |value, (_, filter)| match value {
        Some(value) => apply_one(filter, &value, scope),
        None => Err(Fault::filter_missing_input(filter.source_info)),
    })
}

fn apply_one(filter: &Filter, value: &Value, scope: Scope<'_>) -> Filtered {
    let at = filter.source_info;
    match &filter.value {
        F::Base64Decode => encoding::base64_decode(value, at),
        F::Base64Encode => encoding::base64_encode(value, at),
        F::Base64UrlSafeDecode => encoding::base64_url_safe_decode(value, at),
        F::Base64UrlSafeEncode => encoding::base64_url_safe_encode(value, at),
        F::CharsetDecode { encoding, .. } | F::Decode { encoding, .. } => {
            encoding::charset_decode(value, &scope.text(encoding)?, at)
        }
        F::Count => list::count(value, at),
        F::DaysAfterNow => time::days_after_now(value, at),
        F::DaysBeforeNow => time::days_before_now(value, at),
        F::First => list::first(value, at),
        F::Format { fmt, .. } | F::DateFormat { fmt, .. } => time::format(value, scope.text(fmt)?, at),
        F::HtmlEscape => text::html_escape(value, at),
        F::HtmlUnescape => text::html_unescape(value, at),
        F::JsonPath { expr, .. } => structure::jsonpath(value, expr, scope, at),
        F::Last => list::last(value, at),
        F::Location => list::location(value, at),
        F::Nth { n, .. } => list::nth(value, n, scope, at),
        F::Regex { value: pattern, .. } => text::first_group(value, &regex(pattern, scope)?, at),
        F::Replace { old_value, new_value, .. } => {
            text::replace(value, &scope.text(old_value)?, &scope.text(new_value)?, at)
        }
        F::ReplaceRegex { pattern, new_value, .. } => {
            text::replace_regex(value, &regex(pattern, scope)?, &scope.text(new_value)?, at)
        }
        F::Split { sep, .. } => text::split(value, &scope.text(sep)?, at),
        F::ToDate { fmt, .. } => time::to_date(value, &scope.text(fmt)?, at),
        F::ToFloat => text::to_float(value, at),
        F::ToHex => encoding::to_hex(value, at),
        F::ToInt => text::to_int(value, at),
        F::ToString => text::to_string(value, at),
        F::UrlDecode => encoding::url_decode(value, at),
        F::UrlEncode => encoding::url_encode(value, at),
        F::UrlQueryParam { param, .. } => text::url_query_param(value, &scope.text(param)?, at),
        F::Utf8Decode => encoding::utf8_decode(value, at),
        F::Utf8Encode => encoding::utf8_encode(value, at),
        F::XPath { expr, .. } => structure::xpath(value, expr, scope, at),
    }
}

/// The regular expression of a query or filter.
pub(crate) fn regex(pattern: &RegexValue, scope: Scope<'_>) -> Result<regex::Regex, Fault> {
    match pattern {
        RegexValue::Regex(regex) => Ok(regex.inner.clone()),
        RegexValue::Template(template) => {
            regex::Regex::new(&scope.text(template)?).map_err(|_| Fault::invalid_regex(template.source_info))
        }
    }
}

fn as_text(value: &Value, at: SourceInfo) -> Result<&str, Fault> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(Fault::filter_type(at, other, "string")),
    }
}

fn as_bytes(value: &Value, at: SourceInfo) -> Result<&[u8], Fault> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        other => Err(Fault::filter_type(at, other, "bytes")),
    }
}
