//! Predicates: whether a value is what an assert expects.

use std::cmp::Ordering;
use std::net::IpAddr;

use hurl_core::ast::{Number as NumberLiteral, Placeholder, Predicate, PredicateFuncValue, PredicateValue, SourceInfo};

use crate::fault::Fault;
use crate::template::Scope;
use crate::value::{Number, TypeMismatch, Value};

/// A comparison that did not come out as wanted, in words.
struct Mismatch {
    actual: String,
    expected: String,
    is_of_types: bool,
}

/// Compares a result with the wanted one. The words are made where it differs only: values can be large.
fn compare(
    result: Result<bool, TypeMismatch>,
    wanted: bool,
    words: impl FnOnce() -> (String, String),
) -> Option<Mismatch> {
    if result == Ok(wanted) {
        return None;
    }
    let (actual, expected) = words();
    Some(Mismatch { actual, expected, is_of_types: result.is_err() })
}

/// Judges the value of an assert; `actual` is `None` where the query or a filter found nothing.
pub(crate) fn evaluate(predicate: &Predicate, scope: Scope<'_>, actual: Option<&Value>) -> Result<(), Fault> {
    let function = &predicate.predicate_func;
    let wanted = !predicate.not;
    let mismatch = match actual {
        Some(actual) => judge(&function.value, function.source_info, scope, actual, wanted)?,
        None => {
            let expected = expected_where_nothing_is(&function.value, scope)?;
            compare(Ok(false), wanted, || ("none".to_owned(), expected))
        }
    };
    let Some(mismatch) = mismatch else { return Ok(()) };
    let is_negated = predicate.not ^ matches!(function.value, PredicateFuncValue::NotEqual { .. });
    let expected = format!("{}{}", if is_negated { "not " } else { "" }, mismatch.expected);
    Err(Fault::assert(function.source_info, mismatch.actual, expected, mismatch.is_of_types))
}

fn expected_where_nothing_is(function: &PredicateFuncValue, scope: Scope<'_>) -> Result<String, Fault> {
    use PredicateFuncValue as P;
    let (words, value) = match function {
        P::Equal { value, .. } | P::NotEqual { value, .. } => ("", value),
        P::GreaterThan { value, .. } => ("greater than ", value),
        P::GreaterThanOrEqual { value, .. } => ("greater than or equals to ", value),
        P::LessThan { value, .. } => ("less than ", value),
        P::LessThanOrEqual { value, .. } => ("less than or equals to ", value),
        P::StartWith { value, .. } => ("starts with ", value),
        P::EndWith { value, .. } => ("ends with ", value),
        P::Contain { value, .. } => ("contains ", value),
        P::Include { value, .. } => ("include ", value),
        P::Match { value, .. } => return Ok(format!("matches regex <{}>", literal(value, scope)?)),
        P::Exist => return Ok("something".to_owned()),
        P::IsIsoDate => return Ok("date".to_owned()),
        other => return Ok(type_name(other).to_owned()),
    };
    Ok(format!("{words}{}", literal(value, scope)?.expected()))
}

/// The type that a predicate without a value asks for.
fn type_name(function: &PredicateFuncValue) -> &'static str {
    use PredicateFuncValue as P;
    match function {
        P::IsBoolean => "boolean",
        P::IsCollection => "collection",
        P::IsDate => "date",
        P::IsEmpty => "empty",
        P::IsFloat => "float",
        P::IsInteger => "integer",
        P::IsIpv4 => "ipv4",
        P::IsIpv6 => "ipv6",
        P::IsList => "list",
        P::IsNumber => "number",
        P::IsObject => "object",
        P::IsString => "string",
        P::IsUuid => "uuid",
        _ => "something",
    }
}

fn judge(
    function: &PredicateFuncValue,
    at: SourceInfo,
    scope: Scope<'_>,
    actual: &Value,
    wanted: bool,
) -> Result<Option<Mismatch>, Fault> {
    use PredicateFuncValue as P;
    type Relation = fn(&Value, &Value) -> Result<bool, TypeMismatch>;
    let (words, value, relation): (&str, &PredicateValue, Relation) = match function {
        P::Equal { value, .. } => ("", value, |actual, expected| Ok(actual == expected)),
        P::NotEqual { value, .. } => ("", value, |actual, expected| Ok(actual != expected)),
        P::GreaterThan { value, .. } => ("greater than ", value, |a, e| a.compare(e).map(Ordering::is_gt)),
        P::GreaterThanOrEqual { value, .. } => {
            ("greater or equal than ", value, |a, e| a.compare(e).map(Ordering::is_ge))
        }
        P::LessThan { value, .. } => ("less than ", value, |a, e| a.compare(e).map(Ordering::is_lt)),
        P::LessThanOrEqual { value, .. } => ("less or equal than ", value, |a, e| a.compare(e).map(Ordering::is_le)),
        P::StartWith { value, .. } => ("starts with ", value, Value::starts_with),
        P::EndWith { value, .. } => ("ends with ", value, Value::ends_with),
        P::Contain { value, .. } => ("contains ", value, Value::contains),
        P::Include { value, .. } => ("includes ", value, Value::includes),
        P::Match { value, .. } => return judge_match(&literal(value, scope)?, at, actual, wanted),
        other => return Ok(judge_type(other, actual, wanted)),
    };
    let expected = literal(value, scope)?;
    Ok(compare(relation(actual, &expected), wanted, || {
        (actual.described(), format!("{words}{}", expected.described()))
    }))
}

fn judge_match(expected: &Value, at: SourceInfo, actual: &Value, wanted: bool) -> Result<Option<Mismatch>, Fault> {
    let result = match (actual, expected) {
        (_, Value::String(pattern)) => {
            let regex = regex::Regex::new(pattern).map_err(|_| Fault::invalid_regex(at))?;
            as_text(actual).map(|text| regex.is_match(text))
        }
        (_, Value::Regex(regex)) => as_text(actual).map(|text| regex.is_match(text)),
        _ => Err(TypeMismatch),
    };
    Ok(compare(result, wanted, || (actual.described(), format!("matches regex <{expected}>"))))
}

fn as_text(value: &Value) -> Result<&str, TypeMismatch> {
    if let Value::String(text) = value { Ok(text) } else { Err(TypeMismatch) }
}

fn judge_type(function: &PredicateFuncValue, actual: &Value, wanted: bool) -> Option<Mismatch> {
    use PredicateFuncValue as P;
    let holds = match function {
        P::Exist => !matches!(actual, Value::Nodeset(0)),
        P::IsBoolean => matches!(actual, Value::Bool(_)),
        P::IsCollection => matches!(actual, Value::Bytes(_) | Value::List(_) | Value::Nodeset(_) | Value::Object(_)),
        P::IsDate => matches!(actual, Value::Date(_)),
        P::IsFloat => matches!(actual, Value::Number(Number::Float(_))),
        P::IsInteger => matches!(actual, Value::Number(Number::Integer(_) | Number::BigInteger(_))),
        P::IsList => matches!(actual, Value::Bytes(_) | Value::List(_)),
        P::IsNumber => matches!(actual, Value::Number(_)),
        P::IsObject => matches!(actual, Value::Nodeset(_) | Value::Object(_)),
        P::IsString => matches!(actual, Value::String(_)),
        _ => return judge_content(function, actual, wanted),
    };
    compare(Ok(holds), wanted, || (actual.described(), type_name(function).to_owned()))
}

/// The predicates that look into a value. A value of another type never fits, not even negated.
fn judge_content(function: &PredicateFuncValue, actual: &Value, wanted: bool) -> Option<Mismatch> {
    use PredicateFuncValue as P;
    let (form, holds): (_, fn(&str) -> bool) = match function {
        P::IsEmpty => {
            let length = actual.length();
            return compare(length.map(|length| length == 0), wanted, || {
                let counted = length.map(|length| format!("count equals to {length}"));
                (counted.unwrap_or_else(|TypeMismatch| actual.described()), "count equals to 0".to_owned())
            });
        }
        P::IsIpv4 => ("in IPv4 format", |text| text.parse().is_ok_and(|ip: IpAddr| ip.is_ipv4())),
        P::IsIpv6 => ("in IPv6 format", |text| text.parse().is_ok_and(|ip: IpAddr| ip.is_ipv6())),
        P::IsUuid => ("in UUID format", |text| uuid::Uuid::try_parse(text).is_ok()),
        _ => ("with format YYYY-MM-DDTHH:mm:ss.sssZ", |text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
    };
    let text = as_text(actual);
    compare(text.map(holds), wanted, || match text {
        Ok(text) => (text.to_owned(), format!("string {form}")),
        Err(TypeMismatch) => (actual.described(), "string".to_owned()),
    })
}

fn literal(value: &PredicateValue, scope: Scope<'_>) -> Result<Value, Fault> {
    Ok(match value {
        PredicateValue::String(template) => Value::String(scope.text(template)?),
        PredicateValue::MultilineString(text) => Value::String(scope.multiline(text)?),
        PredicateValue::Bool(value) => Value::Bool(*value),
        PredicateValue::Null => Value::Null,
        PredicateValue::Number(number) => Value::Number(number_literal(number)),
        PredicateValue::File(file) => Value::Bytes(scope.file(&file.filename)?),
        PredicateValue::Hex(literal) => Value::Bytes(literal.value.clone()),
        PredicateValue::Base64(literal) => Value::Bytes(literal.value.clone()),
        PredicateValue::Placeholder(Placeholder { expr, .. }) => scope.value(expr)?,
        PredicateValue::Regex(regex) => Value::Regex(regex.inner.clone()),
    })
}

pub(crate) fn number_literal(number: &NumberLiteral) -> Number {
    match number {
        NumberLiteral::Float(value) => Number::Float(value.as_f64()),
        NumberLiteral::Integer(value) => Number::Integer(value.as_i64()),
        NumberLiteral::BigInteger(digits) => Number::BigInteger(digits.clone()),
    }
}
