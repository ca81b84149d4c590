//! A length of time as people write it: `90s`, `10m`, `1h30m`, `7d`.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// The units and their seconds. A day has 24 hours.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// A length of time, longer than zero: whole seconds.
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
        let mut rest = self.0.as_secs();
        for (unit, length) in UNITS {
            let (number, left) = (rest / length, rest % length);
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
        f.write_str("a length of time such as 90s, 10m, 1h30m or 7d")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Length, E> {
        Err(E::custom(format!("{value} has no unit; write {value}s for seconds or {value}m for minutes")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Length, E> {
        let seconds = seconds(value).filter(|seconds| *seconds > 0);
        seconds.map(|seconds| Length(Duration::from_secs(seconds))).ok_or_else(|| {
            E::custom(format!("{value:?} is no length of time; write one such as 90s, 10m, 1h30m or 7d"))
        })
    }
}

/// Whole days, hours, minutes and seconds, in this order, each at most once and of at most six digits.
fn seconds(mut text: &str) -> Option<u64> {
    let mut seconds = 0;
    for (unit, length) in UNITS {
        let Some((number, rest)) = text.split_once(unit) else { continue };
        if !(1..=6).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        seconds += number.parse::<u64>().ok()? * length;
        text = rest;
    }
    text.is_empty().then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_units_in_order() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("1h30m", Some(5400)),
            ("7d", Some(604_800)),
            ("1d1h1m1s", Some(90_061)),
            ("999999d", Some(86_399_913_600)),
            ("0s", Some(0)),
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
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_length_is_shown_as_it_may_be_written() {
        let show = |seconds| Length(Duration::from_secs(seconds)).to_string();
        assert_eq!((show(5400), show(90), show(604_800)), ("1h30m".to_owned(), "1m30s".to_owned(), "7d".to_owned()));
    }
}
