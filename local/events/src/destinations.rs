//! From the local Lambda to the bus: records for destinations and dead letters.

use std::collections::BTreeMap;
use std::sync::Arc;

use stagegate_local_lambda::{DeadLetter, DestinationRecord, DestinationSink};
use tokio::sync::mpsc;

use crate::bus::Inner;
use crate::delivery::{Delivery, Retry};
use crate::origin::Origin;
use crate::sqs::MessageAttribute;

/// What a function's event led to, on its way to a queue, a topic or an event bus.
pub(crate) struct Result {
    function_arn: String,
    to: String,
    payload: String,
    attributes: BTreeMap<String, MessageAttribute>,
}

/// The sink for the host of the functions. It does not hold the host, as the bus does.
pub struct Destinations {
    results: mpsc::UnboundedSender<Result>,
}

/// The other end of [`Destinations`], for [`Bus::start`](crate::Bus::start).
pub struct DestinationResults {
    pub(crate) results: mpsc::UnboundedReceiver<Result>,
}

impl Destinations {
    /// The sink and its other end.
    pub fn new() -> (Arc<Self>, DestinationResults) {
        let (results, receiver) = mpsc::unbounded_channel();
        (Arc::new(Self { results }), DestinationResults { results: receiver })
    }

    fn hand_on(&self, result: Result) {
        if let Err(lost) = self.results.send(result) {
            tracing::warn!(to = lost.0.to, "the result of a function is lost: the bus has ended");
        }
    }
}

impl DestinationSink for Destinations {
    fn deliver(&self, destination_arn: &str, record: &DestinationRecord) {
        match serde_json::to_string(record) {
            Ok(payload) => self.hand_on(Result {
                function_arn: record.request_context.function_arn.clone(),
                to: destination_arn.to_owned(),
                payload,
                attributes: BTreeMap::new(),
            }),
            Err(error) => tracing::error!(destination_arn, %error, "the record of an invocation is lost"),
        }
    }

    fn dead_letter(&self, function_arn: &str, queue_arn: &str, letter: &DeadLetter) {
        let number = MessageAttribute { data_type: "Number".to_owned(), value: letter.error_code.to_string() };
        let attributes = BTreeMap::from([
            ("RequestID".to_owned(), MessageAttribute::text(&letter.request_id)),
            ("ErrorCode".to_owned(), number),
            ("ErrorMessage".to_owned(), MessageAttribute::text(&letter.error_message)),
        ]);
        let payload = String::from_utf8_lossy(&letter.payload).into_owned();
        self.hand_on(Result { function_arn: function_arn.to_owned(), to: queue_arn.to_owned(), payload, attributes });
    }
}

impl Inner {
    /// Delivers what functions hand on, until there is no sink any more.
    pub(crate) async fn deliver_results(self: Arc<Self>, mut results: mpsc::UnboundedReceiver<Result>) {
        while let Some(Result { function_arn, to, payload, attributes }) = results.recv().await {
            self.send(Delivery {
                from: Origin::Function(function_arn),
                to,
                payload,
                attributes,
                retry: Retry::default(),
            });
        }
    }
}
