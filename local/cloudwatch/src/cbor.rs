//! Smithy RPC v2 CBOR: what the AWS SDK for Rust sends to CloudWatch.

use std::io::Read as _;

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::decode::DeserializeError;
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_types::DateTime;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Map, Number, Value, json};
use stagegate_local_codepipeline::ApiError;
use uuid::Uuid;

use crate::CloudWatch;

/// What the paths of all operations begin with.
pub const PATH: &str = "/service/GraniteServiceVersion20100801/operation/";

/// The deepest nesting of a request.
const MAX_DEPTH: usize = 32;
/// The most bytes of a request, decompressed (the limit of PutMetricData is 1 MB).
const MAX_BYTES: u64 = 4 << 20;

/// Adds the operations to the routes.
pub(crate) fn routes(router: Router, cloudwatch: CloudWatch) -> Router {
    let serve = move |Path(operation): Path<String>, headers: HeaderMap, body: Bytes| async move {
        let answer = read(&headers, &body).and_then(|input| cloudwatch.call(&operation, &input));
        respond(answer)
    };
    router.route(&format!("{PATH}{{operation}}"), post(serve))
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Value, ApiError> {
    let malformed = |error: String| ApiError::new("SerializationException", format!("the body is no CBOR: {error}"));
    let is_zipped = headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip");
    let mut inflated = Vec::new();
    let body = if is_zipped {
        // The SDK compresses large requests of PutMetricData.
        let mut reader = flate2::read::GzDecoder::new(body).take(MAX_BYTES);
        reader.read_to_end(&mut inflated).map_err(|error| malformed(error.to_string()))?;
        inflated.as_slice()
    } else {
        body
    };
    if body.is_empty() {
        return Ok(json!({}));
    }
    decode(&mut Decoder::new(body), 0).map_err(|error| malformed(error.to_string()))
}

fn respond(answer: Result<Value, ApiError>) -> Response {
    let (status, body, error) = match answer {
        Ok(output) => (StatusCode::OK, output, None),
        Err(error) => {
            let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, json!({"__type": error.code, "message": error.message}), Some(format!("{};Sender", error.code)))
        }
    };
    let mut encoder = Encoder::new(Vec::new());
    encode(&mut encoder, &body, NumberKind::Double);
    let id = Uuid::new_v4().to_string();
    let headers = [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-requestid", &id)];
    let error = error.map(|error| [("x-amzn-query-error", error)]);
    (status, headers, error, encoder.into_writer()).into_response()
}

/// The answer, in CBOR, to a call that is refused before it gets here.
pub fn refusal(code: &'static str, message: &str) -> Response {
    respond(Err(ApiError::new(code, message)))
}

/// A value as JSON; a time is its number of seconds.
fn decode(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, DeserializeError> {
    let at = decoder.position();
    if depth > MAX_DEPTH {
        return Err(DeserializeError::custom("it nests too deeply", at));
    }
    Ok(match decoder.datatype()? {
        Type::Map | Type::MapIndef => {
            let mut length = decoder.map()?;
            let mut members = Map::new();
            while goes_on(decoder, &mut length)? {
                let key = decoder.str()?.into_owned();
                members.insert(key, decode(decoder, depth + 1)?);
            }
            Value::Object(members)
        }
        Type::Array | Type::ArrayIndef => {
            let mut length = decoder.list()?;
            let mut items = Vec::new();
            while goes_on(decoder, &mut length)? {
                items.push(decode(decoder, depth + 1)?);
            }
            Value::Array(items)
        }
        Type::String | Type::StringIndef => Value::String(decoder.str()?.into_owned()),
        Type::Bool => Value::Bool(decoder.boolean()?),
        Type::Null | Type::Undefined => {
            decoder.skip()?;
            Value::Null
        }
        Type::Tag => number(decoder.timestamp()?.as_secs_f64()),
        Type::F16 | Type::F32 => number(decoder.float()?.into()),
        Type::F64 => number(decoder.double()?),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            decoder.long()?.into()
        }
        _ => return Err(DeserializeError::custom("a value of a kind that no request has", at)),
    })
}

/// Whether a list or map has another member; of an unknown length, up to its end mark.
fn goes_on(decoder: &mut Decoder<'_>, length: &mut Option<u64>) -> Result<bool, DeserializeError> {
    match length {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if decoder.datatype()? == Type::Break => {
            decoder.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

fn number(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// What a number is, by the name of the member that holds it: CBOR tells whole numbers, others and times apart, and
/// clients insist on the right one.
#[derive(Clone, Copy)]
enum NumberKind {
    Whole,
    Double,
    Time,
}

impl NumberKind {
    fn of(member: &str) -> Self {
        match member {
            "Period" | "EvaluationPeriods" | "DatapointsToAlarm" => Self::Whole,
            "Timestamps" => Self::Time,
            name if name.ends_with("Timestamp") => Self::Time,
            _ => Self::Double,
        }
    }
}

fn encode(encoder: &mut Encoder, value: &Value, kind: NumberKind) {
    match value {
        Value::Null => {
            encoder.null();
        }
        Value::Bool(value) => {
            encoder.boolean(*value);
        }
        Value::String(text) => {
            encoder.str(text);
        }
        Value::Number(number) => {
            let double = number.as_f64().unwrap_or(f64::NAN);
            match kind {
                NumberKind::Whole => encoder.long(number.as_i64().unwrap_or_default()),
                NumberKind::Double => encoder.double(double),
                NumberKind::Time => encoder.timestamp(&DateTime::from_secs_f64(double)),
            };
        }
        Value::Array(items) => {
            encoder.begin_array();
            items.iter().for_each(|item| encode(encoder, item, kind));
            encoder.end();
        }
        Value::Object(members) => {
            encoder.begin_map();
            for (name, member) in members {
                encoder.str(name);
                encode(encoder, member, NumberKind::of(name));
            }
            encoder.end();
        }
    }
}
