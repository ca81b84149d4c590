//! The messages of the local AWS: EventBridge, SNS, SQS and schedules, wired from the SAM template.
//!
//! [`Bus`] reads rules, schedules, topics, subscriptions and queues from the template, delivers to the functions of a
//! [`LambdaHost`](stagegate_local_lambda::LambdaHost), and tells observers what passes. It serves `PutEvents`, `Publish`
//! and the messages of queues as the AWS SDKs call them.
//!
//! | what | as on AWS | other than on AWS |
//! |---|---|---|
//! | event patterns | all operators but `cidr` | an operator that is not supported is an error at the start |
//! | targets | input, retries, dead-letter queue | functions, queues and topics only |
//! | order | AWS promises none | without a [`DeliveryFault`] deliveries to one target are made in order |
//! | schedules | `rate`, `cron`, `at`, time zones | a tick waits until the functions of the last one have ended, and missed ones are left out |
//! | topics | filter policies, functions and queues | what an e-mail subscriber gets is kept in an inbox; nothing leaves the machine |
//! | queues | visibility, delay, retention, redrive | standard queues only |

mod bus;
mod delivery;
mod destinations;
mod eventbridge;
mod fault;
mod input;
mod origin;
mod pattern;
mod schedule;
mod sns;
mod sqs;
mod watch;
mod wiring;

pub use bus::Bus;
pub use destinations::{DestinationResults, Destinations};
pub use fault::{Arrival, DeliveryFault, Sent};
pub use origin::{Origin, Payload};
pub use pattern::{Dialect, EventPattern, PatternError};
pub use schedule::ScheduleExpression;
pub use sns::Message;
pub use sqs::{MessageAttribute, QueueMessage};
pub use watch::{Observation, Passed};
pub use wiring::WiringError;
