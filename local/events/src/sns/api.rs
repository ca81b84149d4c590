//! The API of SNS, in the AWS Query protocol.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use uuid::Uuid;

use super::form::Form;
use super::publication::{MAX_MESSAGE_BYTES, PublishError};
use super::xml;
use crate::bus::Bus;

/// A message of the greatest size, every byte of it escaped, and ten of them in a batch.
const BODY_BYTES: usize = 8 * 1024 * 1024;

/// The most entries of a batch.
const MAX_BATCH: usize = 10;

/// Serves the API at `/`. Signatures are not checked.
pub(crate) fn router(bus: Bus) -> Router {
    Router::new().route("/", post(serve)).layer(DefaultBodyLimit::max(BODY_BYTES)).with_state(bus)
}

async fn serve(State(bus): State<Bus>, body: Bytes) -> Response {
    let form = Form::parse(&body);
    let action = form.get("Action").unwrap_or_default().to_owned();
    let result = match action.as_str() {
        "Publish" => publish(&bus, &form),
        "PublishBatch" => publish_batch(&bus, &form),
        "ListTopics" => Ok(list_topics(&bus)),
        "ListSubscriptionsByTopic" => list_subscriptions(&bus, &form),
        _ => Err(PublishError { code: "InvalidAction", message: format!("the local SNS has no operation {action}") }),
    };
    let request_id = Uuid::new_v4().to_string();
    let (status, body) = match result {
        Ok(result) => (StatusCode::OK, xml::answer(&action, &result, &request_id)),
        Err(error) => {
            let status = if error.code == "NotFound" { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
            (status, xml::error(error.code, &error.message, &request_id))
        }
    };
    (
        status,
        [
            (header::CONTENT_TYPE, "text/xml".to_owned()),
            (header::HeaderName::from_static("x-amzn-requestid"), request_id),
        ],
        body,
    )
        .into_response()
}

fn topic_arn(form: &Form) -> Result<&str, PublishError> {
    let arn = form.get("TopicArn").or_else(|| form.get("TargetArn"));
    arn.ok_or_else(|| PublishError::invalid("TopicArn or TargetArn Reason: no value for required parameter"))
}

fn publish(bus: &Bus, form: &Form) -> Result<String, PublishError> {
    let message_id = bus.inner.publish(topic_arn(form)?, form.publication("")?)?;
    Ok(xml::text("MessageId", &message_id))
}

/// Each entry of a batch succeeds or fails on its own.
fn publish_batch(bus: &Bus, form: &Form) -> Result<String, PublishError> {
    let arn = topic_arn(form)?;
    let entries = form.batch_entries();
    let wrong = |code, message: &str| Err(PublishError { code, message: message.to_owned() });
    if entries.is_empty() {
        return wrong("EmptyBatchRequest", "The batch request doesn't contain any entries.");
    }
    if entries.len() > MAX_BATCH {
        return wrong("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.");
    }
    let id = |prefix: &String| form.get(&format!("{prefix}Id")).unwrap_or_default();
    let ids: std::collections::BTreeSet<&str> = entries.iter().map(id).collect();
    if ids.len() < entries.len() {
        return wrong("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.");
    }
    let publications = entries.iter().map(|prefix| form.publication(prefix)).collect::<Result<Vec<_>, _>>()?;
    if publications.iter().map(|publication| publication.size()).sum::<usize>() > MAX_MESSAGE_BYTES {
        return wrong(
            "BatchRequestTooLong",
            "The length of all the batch messages put together is more than the limit.",
        );
    }
    let (mut done, mut failed) = (String::new(), String::new());
    for (prefix, publication) in entries.iter().zip(publications) {
        let entry = xml::text("Id", id(prefix));
        match bus.inner.publish(arn, publication) {
            Ok(message_id) => done.push_str(&xml::element("member", &(entry + &xml::text("MessageId", &message_id)))),
            Err(error) if error.code == "NotFound" => return Err(error),
            Err(error) => {
                let why = xml::text("Code", error.code) + &xml::text("Message", &error.message);
                failed.push_str(&xml::element("member", &(entry + &why + "<SenderFault>true</SenderFault>")));
            }
        }
    }
    Ok(xml::element("Successful", &done) + &xml::element("Failed", &failed))
}

fn list_topics(bus: &Bus) -> String {
    let topics = bus.inner.topics.iter();
    let members: String = topics.map(|topic| xml::element("member", &xml::text("TopicArn", &topic.arn))).collect();
    xml::element("Topics", &members)
}

fn list_subscriptions(bus: &Bus, form: &Form) -> Result<String, PublishError> {
    let arn = topic_arn(form)?;
    let topic = bus.inner.topics.iter().find(|topic| topic.arn == arn);
    let topic = topic.ok_or_else(|| PublishError { code: "NotFound", message: "Topic does not exist".to_owned() })?;
    let owner = arn.split(':').nth(4).unwrap_or_default();
    let members = topic.subscriptions.iter().map(|subscription| {
        let fields = [
            ("SubscriptionArn", subscription.arn.as_str()),
            ("Owner", owner),
            ("Protocol", &subscription.protocol),
            ("Endpoint", &subscription.endpoint),
            ("TopicArn", arn),
        ];
        xml::element("member", &fields.map(|(name, value)| xml::text(name, value)).concat())
    });
    Ok(xml::element("Subscriptions", &members.collect::<String>()))
}
