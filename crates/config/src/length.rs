//! A length of time as people write it: `400ms`, `90s`, `10m`, `1h30m`, `7d`.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// The units and their milliseconds. A day has 24 hours.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// A length of time, longer than zero: whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(Duration);

impl Length {
    /// So many seconds.
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The same as a [`Duration`].
    pub fn as_duration(self) -> Duration {
        self.0
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_millis();
        for (unit, length) in UNITS {
            let (number, left) = (rest / u128::from(length), rest % u128::from(length));
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
            rest = left;
        }
        Ok(())
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
        f.write_str("a length of time such as 400ms, 90s, 10m or 1h30m")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Length, E> {
        Err(E::custom(format!("{value} has no unit; write {value}s for seconds or {value}m for minutes")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Length, E> {
        let milliseconds = milliseconds(value).filter(|milliseconds| *milliseconds > 0);
        milliseconds.map(|milliseconds| Length(Duration::from_millis(milliseconds))).ok_or_else(|| {
            E::custom(format!("{value:?} is no length of time; write one such as 400ms, 90s, 10m or 1h30m"))
        })
    }
}

/// Whole days, hours, minutes, seconds and milliseconds, in this order, each at most once and of at most six digits.
fn milliseconds(mut text: &str) -> Option<u64> {
    let mut sum = 0;
    let mut units = UNITS.iter();
    while !text.is_empty() {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, rest) = text.split_at(digits);
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(end);
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        if !(1..=6).contains(&number.len()) {
            return None;
        }
        sum += number.parse::<u64>().ok()? * length;
        text = rest;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_units_in_order() {
        for (text, expected) in [
            ("90s", Some(90_000)),
            ("10m", Some(600_000)),
            ("1h30m", Some(5_400_000)),
            ("7d", Some(604_800_000)),
            ("1d1h1m1s", Some(90_061_000)),
            ("999999d", Some(86_399_913_600_000)),
            ("0s", Some(0)),
            ("400ms", Some(400)),
            ("1m2ms", Some(60_002)),
            ("1ms1s", None),
            ("", Some(0)),
            ("1000000d", None),
            ("30m1h", None),
            ("1m1m", None),
            ("m", None),
            ("1", None),
            ("1h30", None),
            ("1.5h", None),
            ("+1h", None),
            ("1 h", None),
            ("1h ", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_length_is_shown_as_it_may_be_written() {
        let show = |seconds| Length::seconds(seconds).to_string();
        assert_eq!(Length(Duration::from_millis(61_250)).to_string(), "1m1s250ms");
        assert_eq!((show(5400), show(90), show(604_800)), ("1h30m".to_owned(), "1m30s".to_owned(), "7d".to_owned()));
    }
}
