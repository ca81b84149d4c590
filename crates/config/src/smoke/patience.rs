//! How patient a gate is.

use serde::Deserialize;
use serde::de::Deserializer;

use super::thresholds::within;
use crate::Length;
use crate::gate::Fault;

/// What fails is tried again within a sample, until it passes, its attempts are used up or the budget is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How often each file or check is tried at the most, from 2 to 1000.
    #[serde(default, deserialize_with = "attempts")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::attempts"))]
    pub attempts: Option<u32>,
    /// The pause before the second attempt. Each further pause is twice as long; between half and all of it is waited, by
    /// chance, so that many gates do not ask at once.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "1s")))]
    pub backoff: Option<Length>,
    /// The longest pause.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "30s")))]
    pub max_backoff: Option<Length>,
    /// The time from the beginning of the sample after which nothing is tried again.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "2m")))]
    pub budget: Option<Length>,
}

impl Retry {
    /// How often each file or check is tried at the most.
    pub fn attempts(&self) -> u32 {
        self.attempts.unwrap_or(5)
    }

    /// The pause before the second attempt.
    pub fn backoff(&self) -> Length {
        self.backoff.unwrap_or(Length::seconds(1))
    }

    /// The longest pause.
    pub fn max_backoff(&self) -> Length {
        self.max_backoff.unwrap_or(Length::seconds(30)).max(self.backoff())
    }

    /// The time after which nothing is tried again.
    pub fn budget(&self) -> Length {
        self.budget.unwrap_or(Length::seconds(120))
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        let max = self.max_backoff?;
        if max < self.backoff() {
            let what = format!("has a `retry` whose `backoff` of {} is longer than its `max_backoff`", self.backoff());
            return Some(Fault::new(&["retry", "max_backoff"], what));
        }
        None
    }
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    within(deserializer, 2, 1000, "a retry makes 2 to 1000 attempts")
}

/// Everything must pass in samples over a time. A red sample restarts the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Steady {
    /// The time between the beginnings of two samples; CodePipeline may take longer to call again.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "30s")))]
    pub every: Option<Length>,
    /// How long all samples in a row must have been green.
    pub green_for: Length,
    /// The time from the first sample after which the gate fails unless it has passed; below 24h, which is the most that
    /// CodePipeline allows.
    pub give_up_after: Length,
}

/// CodePipeline fails an action of a Lambda function after this.
const LONGEST: Length = Length::seconds(24 * 60 * 60);

impl Steady {
    /// The time between two samples.
    pub fn every(&self) -> Length {
        self.every.unwrap_or(Length::seconds(30))
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        let Self { green_for, give_up_after, .. } = self;
        if give_up_after <= green_for {
            let what = format!(
                "has a `steady` that gives up after {give_up_after}, before it can have been green for {green_for}; make `give_up_after` longer"
            );
            return Some(Fault::new(&["steady", "give_up_after"], what));
        }
        if *give_up_after >= LONGEST {
            let what = format!(
                "has a `steady` that gives up after {give_up_after}, and CodePipeline fails the action after 24h; make `give_up_after` shorter"
            );
            return Some(Fault::new(&["steady", "give_up_after"], what));
        }
        if self.every() > *green_for {
            let what = format!(
                "has a `steady` that takes a sample each {}, so that {green_for} show a single one; make `every` shorter",
                self.every()
            );
            return Some(Fault::new(&["steady", "every"], what));
        }
        None
    }
}
