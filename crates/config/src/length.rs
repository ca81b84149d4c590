//! A length of time as people write it: `90s`, `10m`, `1h30m`.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A length of time, longer than zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(Duration);

impl Length {
    /// The same as a [`Duration`].
    pub fn as_duration(self) -> Duration {
        self.0
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LengthVisitor)
    }
}

struct LengthVisitor;

impl Visitor<'_> for LengthVisitor {
    type Value = Length;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as 90s, 10m or 1h30m")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Length, E> {
        Err(E::custom(format!("{value} has no unit; write {value}s for seconds or {value}m for minutes")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Length, E> {
        let length = value.parse::<SignedDuration>().ok().filter(SignedDuration::is_positive);
        length
            .and_then(|length| Duration::try_from(length).ok())
            .map(Length)
            .ok_or_else(|| E::custom(format!("{value:?} is no length of time; write one such as 90s, 10m or 1h30m")))
    }
}
