//! The record that AWS Lambda makes of an asynchronous invocation it gave up (AWS Lambda guide, "Capturing records of
//! Lambda asynchronous invocations").
//!
//! Only one `condition` is documented, and no text of a function's end, so everything may be missing or be another type.
//! What a record says about the event, credentials included, is left where it is.

use serde_json::Value;

use crate::cause::Cause;

/// What is needed of a record.
#[derive(Clone, Debug)]
pub struct Record {
    /// The request id of the invocation.
    pub request_id: Option<String>,
    /// The name of the function.
    pub function: Option<String>,
    /// How it ended.
    pub cause: Cause,
}

impl Record {
    /// Reads a record, as far as it can be read.
    pub fn read(record: &Value) -> Self {
        let context = record.get("requestContext");
        let within = |name: &str| context.and_then(|context| context.get(name)).and_then(Value::as_str);
        Self {
            request_id: within("requestId").filter(|id| is_plain(id)).map(str::to_owned),
            function: within("functionArn").and_then(function_name).map(str::to_owned),
            cause: Cause::of(within("condition").unwrap_or_default(), record.get("responsePayload")),
        }
    }
}

/// The name in `arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER`.
fn function_name(arn: &str) -> Option<&str> {
    let (_, rest) = arn.split_once(":function:")?;
    let name = rest.split(':').next()?;
    is_plain(name).then_some(name)
}

/// Whether a text is a name or an id, and no more.
pub(crate) fn is_plain(text: &str) -> bool {
    (1..=140).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.$".contains(c))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_is_missing_or_odd_a_record_is_read() {
        let context = json!({
            "requestId": "r-1", "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:gate:$LATEST",
            "condition": "RetriesExhausted", "approximateInvokeCount": 1,
        });
        for (record, function, request) in [
            (json!({"requestContext": context}), Some("gate"), Some("r-1")),
            (json!({"requestContext": {"functionArn": "arn:aws:lambda:x:1:function:gate"}}), Some("gate"), None),
            (json!({"requestContext": {"functionArn": "gate", "requestId": 7}}), None, None),
            (json!({"requestContext": {"functionArn": "a:function:b c\n", "requestId": "<x>"}}), None, None),
            (json!({"requestContext": null, "responsePayload": [1]}), None, None),
            (json!({}), None, None),
            (json!("text"), None, None),
        ] {
            let read = Record::read(&record);
            assert_eq!((read.function.as_deref(), read.request_id.as_deref()), (function, request), "{record}");
        }
    }
}
