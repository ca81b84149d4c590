//! A share of a hundred.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

/// A percentage from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Percentage(f64);

impl Percentage {
    /// The number of percent.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Whether `part` is at least this share of `whole`; of nothing, no share is reached.
    ///
    /// Compared as a product: a quotient could round up to the limit.
    pub fn is_reached(self, part: u64, whole: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "counts of tests and lines are far below 2^53")]
        let (part, whole) = (part as f64, whole as f64);
        whole > 0.0 && part * 100.0 >= self.0 * whole
    }

    /// Whether `part` is more than this share of `whole`.
    pub fn is_exceeded(self, part: u64, whole: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "counts of tests and lines are far below 2^53")]
        let (part, whole) = (part as f64, whole as f64);
        whole > 0.0 && part * 100.0 > self.0 * whole
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for Percentage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(D::Error::custom(format!("a rate is a percentage from 0 to 100, not {percent}")));
        }
        if percent > 0.0 && percent < 1.0 {
            let meant = percent * 100.0;
            return Err(D::Error::custom(format!("a rate is a percentage: write {meant} where you mean {percent}")));
        }
        Ok(Self(percent))
    }
}
