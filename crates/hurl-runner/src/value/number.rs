//! Numbers as Hurl compares and shows them.

use std::cmp::Ordering;
use std::fmt;

/// A number of Hurl.
#[derive(Clone, Debug)]
pub enum Number {
    /// A number with a fraction.
    Float(f64),
    /// A whole number of 64 bits.
    Integer(i64),
    /// A number that fits neither, with its digits as they were written.
    BigInteger(String),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(value) if value.is_finite() && value.fract() == 0.0 => write!(f, "{value}.0"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::BigInteger(digits) => f.write_str(digits),
        }
    }
}

impl Number {
    /// The order by value; `1` and `1.0` are equal. What is not a number has no order, so that no assert passes by it.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(right),
            (Self::Integer(left), Self::Float(right)) => as_float(*left).partial_cmp(right),
            (Self::Float(left), Self::Integer(right)) => left.partial_cmp(&as_float(*right)),
            (Self::Float(number), _) | (_, Self::Float(number)) if !number.is_finite() => {
                self.as_f64().partial_cmp(&other.as_f64())
            }
            _ => Some(Digits::new(&self.to_string()).compare(&Digits::new(&other.to_string()))),
        }
    }

    /// The value as a float; a big integer loses digits.
    pub(crate) fn as_f64(&self) -> f64 {
        match self {
            Self::Float(value) => *value,
            Self::Integer(value) => as_float(*value),
            Self::BigInteger(digits) => digits.parse().unwrap_or(f64::NAN),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "Hurl compares whole numbers with floats as floats")]
fn as_float(value: i64) -> f64 {
    value as f64
}

/// A decimal number of any length.
struct Digits<'t> {
    is_negative: bool,
    whole: &'t str,
    fraction: &'t str,
}

impl<'t> Digits<'t> {
    fn new(text: &'t str) -> Self {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        Self { is_negative, whole: whole.trim_start_matches('0'), fraction: fraction.trim_end_matches('0') }
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_size = |left: &Self, right: &Self| {
            left.whole
                .len()
                .cmp(&right.whole.len())
                .then_with(|| left.whole.cmp(right.whole))
                .then_with(|| left.fraction.cmp(right.fraction))
        };
        match (self.is_negative && !self.is_zero(), other.is_negative && !other.is_zero()) {
            (false, false) => by_size(self, other),
            (true, true) => by_size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn big(digits: &str) -> Number {
        Number::BigInteger(digits.to_owned())
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let ordered = [
            vec![big("-9999999999999999999")],
            vec![Number::Integer(-2), Number::Float(-2.0)],
            vec![Number::Integer(0), Number::Float(0.0)],
            vec![Number::Float(0.5)],
            vec![Number::Integer(1), Number::Float(1.0)],
            vec![big("9999999999999999999"), big("09999999999999999999")],
            vec![big("10000000000000000000")],
        ];
        for (left_rank, lefts) in ordered.iter().enumerate() {
            for (right_rank, rights) in ordered.iter().enumerate() {
                for left in lefts {
                    for right in rights {
                        assert_eq!(left.compare(right), Some(left_rank.cmp(&right_rank)), "{left} {right}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_number_has_no_order() {
        for other in [Number::Integer(1), Number::Float(1.0), Number::Float(f64::NAN), big("99999999999999999999")] {
            assert_eq!(Number::Float(f64::NAN).compare(&other), None);
            assert_eq!(other.compare(&Number::Float(f64::NAN)), None);
        }
        assert_eq!(Number::Float(f64::INFINITY).compare(&big("99999999999999999999")), Some(Ordering::Greater));
    }

    #[test]
    fn numbers_are_shown_as_hurl_shows_them() {
        for (number, expected) in [
            (Number::Float(1.0), "1.0"),
            (Number::Float(-0.25), "-0.25"),
            (Number::Float(f64::NAN), "NaN"),
            (Number::Integer(-3), "-3"),
            (big("123456789012345678901"), "123456789012345678901"),
        ] {
            assert_eq!(number.to_string(), expected);
        }
    }
}
