//! What repeated runs must keep to.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

use crate::Length;

/// The most runs of one file or check in a sample.
pub(crate) const MAX_REPEAT: u32 = 1000;

/// How often something runs, and what its runs must keep to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// How many times it runs; at least 1.
    pub repeat: u32,
    /// The longest that 95 of 100 runs which passed may take.
    pub p95: Option<Length>,
    /// The share of runs that may fail; none may where it is absent.
    pub error_rate: Option<Share>,
    /// Limits beyond which a person is asked instead.
    pub degraded: Option<Degraded>,
}

impl Default for Thresholds {
    /// One run, which must pass.
    fn default() -> Self {
        Self { repeat: 1, p95: None, error_rate: None, degraded: None }
    }
}

impl Thresholds {
    pub(super) fn new(
        repeat: Option<u32>,
        p95: Option<Length>,
        error_rate: Option<Share>,
        degraded: Option<Degraded>,
    ) -> Result<Self, String> {
        let repeat = repeat.unwrap_or(1);
        if repeat == 1 && (error_rate.is_some() || degraded.is_some_and(|degraded| degraded.error_rate.is_some())) {
            return Err("a rate of errors needs several runs: add `repeat`, such as 20".to_owned());
        }
        if let Some(degraded) = degraded {
            if degraded.p95.is_none() && degraded.error_rate.is_none() {
                return Err("`degraded` sets no limit; add `p95` or `error_rate`".to_owned());
            }
            if let (Some(asks), Some(fails)) = (degraded.p95, p95)
                && asks >= fails
            {
                return Err(format!(
                    "`degraded` asks a person from {asks} on, and from {fails} on it has failed anyway"
                ));
            }
            if let Some(asks) = degraded.error_rate
                && asks.get() >= error_rate.map_or(0.0, Share::get)
            {
                return Err(format!(
                    "`degraded` asks a person above an error rate of {asks}, and above {} it has failed anyway; raise `error_rate`",
                    error_rate.map_or(0.0, Share::get)
                ));
            }
        }
        Ok(Self { repeat, p95, error_rate, degraded })
    }

    /// Whether there is more to say than whether one run passed.
    pub fn is_measured(&self) -> bool {
        *self != Self::default()
    }
}

/// Limits that are kept but for which somebody should look: beyond one of them, the verdict asks a person.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::degraded))]
#[serde(deny_unknown_fields)]
pub struct Degraded {
    /// The longest that 95 of 100 runs which passed may take.
    #[serde(default)]
    pub p95: Option<Length>,
    /// The share of runs that may fail, from 0 to 1.
    #[serde(default)]
    pub error_rate: Option<Share>,
}

/// A share from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        if (0.0..=1.0).contains(&share) {
            return Ok(Self(share));
        }
        let meant = if (1.0..=100.0).contains(&share) {
            format!(": write {} where you mean {share} percent", share / 100.0)
        } else {
            String::new()
        };
        Err(D::Error::custom(format!("a rate of errors is a share from 0 to 1, not {share}{meant}")))
    }
}

pub(super) fn repeat<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    within(deserializer, 1, MAX_REPEAT, "a file or check runs 1 to 1000 times")
}

/// A whole number between two bounds.
pub(crate) fn within<'de, D: Deserializer<'de>>(
    deserializer: D,
    least: u32,
    most: u32,
    what: &str,
) -> Result<Option<u32>, D::Error> {
    let number = Option::<u32>::deserialize(deserializer)?;
    match number {
        Some(number) if !(least..=most).contains(&number) => Err(D::Error::custom(format!("{what}, not {number}"))),
        number => Ok(number),
    }
}
