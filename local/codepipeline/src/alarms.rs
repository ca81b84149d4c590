//! How the engine's shell reaches the alarms of CloudWatch, for the rule CloudWatchAlarm.

use std::fmt;

use async_trait::async_trait;

/// The alarms of the local CloudWatch.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// The state that an alarm is in now.
    ///
    /// # Errors
    ///
    /// If there is no such alarm or its state cannot be found out; the rule then fails.
    async fn state(&self, alarm_name: &str) -> Result<AlarmState, AlarmError>;
}

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    /// The metric is within the threshold.
    Ok,
    /// The metric is outside of the threshold.
    Alarm,
    /// There is not enough data to tell.
    InsufficientData,
}

impl AlarmState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Alarm, Self::InsufficientData];

    /// The name in the AWS model (`StateValue`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

impl fmt::Display for AlarmState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the state of an alarm is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlarmError {
    /// There is no alarm of that name. The rule fails with `ConfigurationError`.
    #[error("there is no alarm {name}{}", known_alarms(.known))]
    NotFound {
        /// The name that was asked for.
        name: String,
        /// The names of the alarms that there are.
        known: Vec<String>,
    },
    /// There is no local CloudWatch. The rule fails with `ConfigurationError`.
    #[error("the local CodePipeline has no CloudWatch to ask; start it with one, or leave the rule out")]
    NoCloudWatch,
    /// CloudWatch does not answer. The rule fails with `SystemUnavailable`.
    #[error("{0}")]
    Unavailable(String),
}

fn known_alarms(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!(" (there are: {})", known.join(", ")) }
}
