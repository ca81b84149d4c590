//! Filters between bytes and text.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hurl_core::ast::SourceInfo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Filtered, as_bytes, as_text};
use crate::fault::Fault;
use crate::value::{Value, hex};

/// What `urlEncode` leaves as it is: the unreserved characters of RFC 3986, and the slash.
const URL_ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

pub(super) fn base64_decode(value: &Value, at: SourceInfo) -> Filtered {
    let Value::String(text) = value else { return Err(Fault::filter_type(at, value, "base64 string")) };
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| Fault::filter_input(at, "string is not base64"))?;
    Ok(Some(Value::Bytes(bytes)))
}

pub(super) fn base64_encode(value: &Value, at: SourceInfo) -> Filtered {
    Ok(Some(Value::String(BASE64_STANDARD.encode(as_bytes(value, at)?))))
}

pub(super) fn base64_url_safe_decode(value: &Value, at: SourceInfo) -> Filtered {
    let reason = |error| match error {
        base64::DecodeError::InvalidPadding => "base64 string contains padding",
        _ => "string is not base64",
    };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(as_text(value, at)?);
    Ok(Some(Value::Bytes(bytes.map_err(|error| Fault::filter_input(at, reason(error)))?)))
}

pub(super) fn base64_url_safe_encode(value: &Value, at: SourceInfo) -> Filtered {
    Ok(Some(Value::String(BASE64_URL_SAFE_NO_PAD.encode(as_bytes(value, at)?))))
}

pub(super) fn charset_decode(value: &Value, label: &str, at: SourceInfo) -> Filtered {
    let bytes = as_bytes(value, at)?;
    let Some(encoding) = encoding_rs::Encoding::for_label(label.as_bytes()) else {
        return Err(Fault::new(at, "Filter error", format!("<{label}> encoding is not supported")));
    };
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok(Some(Value::String(text.into_owned()))),
        None => Err(Fault::new(at, "Filter error", format!("value can not be decoded with <{label}> encoding"))),
    }
}

pub(super) fn to_hex(value: &Value, at: SourceInfo) -> Filtered {
    Ok(Some(Value::String(hex(as_bytes(value, at)?))))
}

pub(super) fn url_decode(value: &Value, at: SourceInfo) -> Filtered {
    let text = percent_decode_str(as_text(value, at)?).decode_utf8_lossy();
    Ok(Some(Value::String(text.into_owned())))
}

pub(super) fn url_encode(value: &Value, at: SourceInfo) -> Filtered {
    Ok(Some(Value::String(utf8_percent_encode(as_text(value, at)?, URL_ENCODED).to_string())))
}

pub(super) fn utf8_decode(value: &Value, at: SourceInfo) -> Filtered {
    Ok(Some(Value::String(String::from_utf8_lossy(as_bytes(value, at)?).into_owned())))
}

pub(super) fn utf8_encode(value: &Value, at: SourceInfo) -> Filtered {
    Ok(Some(Value::Bytes(as_text(value, at)?.as_bytes().to_vec())))
}
