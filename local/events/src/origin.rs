//! Where a delivery comes from, and what is delivered, as observers and faults see it.

use std::fmt;

/// What delivers a payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An EventBridge rule, by its ARN.
    Rule(String),
    /// A schedule of EventBridge Scheduler, or a rule with a schedule, by its ARN.
    Schedule(String),
    /// An SNS topic, by its ARN.
    Topic(String),
    /// A Lambda function, by its ARN, that hands on how an event ended.
    Function(String),
}

impl Origin {
    /// The ARN of what delivers.
    pub fn arn(&self) -> &str {
        match self {
            Self::Rule(arn) | Self::Schedule(arn) | Self::Topic(arn) | Self::Function(arn) => arn,
        }
    }
}

/// A text that may hold credentials or tokens: `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(pub String);

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}
