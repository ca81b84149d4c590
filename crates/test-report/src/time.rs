//! Durations as reports write them.

use std::time::Duration;

/// Reads seconds: `1.5`, `1e-3`, `1,234.5` (thousands separator), `0,5` (decimal comma).
///
/// A single comma without a point is a decimal comma. `None` for what is no number, negative, or over a century.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    plain(text.as_bytes()).or_else(|| unusual(text))
}

/// Reads `[[days.]hours:]minutes:seconds[.fraction]`, the form of .NET's `TimeSpan`.
pub(crate) fn clock(text: &str) -> Option<Duration> {
    let (rest, last) = text.trim().rsplit_once(':')?;
    let mut total = seconds(last)?;
    let (hours, minutes) = rest.rsplit_once(':').unwrap_or(("0", rest));
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    for (part, unit) in [(minutes, 60), (hours, 3_600), (days, 86_400)] {
        total = total.checked_add(Duration::from_secs(part.parse::<u64>().ok()?.checked_mul(unit)?))?;
    }
    Some(total)
}

/// The form that nearly all reports use, without a detour over floating point.
fn plain(text: &[u8]) -> Option<Duration> {
    let (mut whole, mut nanos, mut unit) = (0u64, 0u32, 1_000_000_000u32);
    let mut after_point = false;
    if text.is_empty() || text == b"." || text.len() > 20 {
        return None;
    }
    for &byte in text {
        match byte {
            b'0'..=b'9' if after_point => {
                unit /= 10;
                nanos += u32::from(byte - b'0') * unit;
            }
            b'0'..=b'9' => whole = whole.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?,
            b'.' if !after_point => after_point = true,
            _ => return None,
        }
    }
    (whole < CENTURY).then(|| Duration::new(whole, nanos))
}

const CENTURY: u64 = 100 * 366 * 86_400;

fn unusual(text: &str) -> Option<Duration> {
    let text = text.trim().trim_end_matches(['s', ' ']);
    let commas = text.matches(',').count();
    let number = match (commas, text.rfind(','), text.rfind('.')) {
        (0, ..) => text.parse::<f64>(),
        (_, Some(comma), Some(point)) if comma > point => text.replace('.', "").replace(',', ".").parse(),
        (1, _, None) => text.replace(',', ".").parse(),
        _ => text.replace(',', "").parse(),
    }
    .ok()?;
    Duration::try_from_secs_f64(number).ok().filter(|duration| duration.as_secs() < CENTURY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_in_every_dialect() {
        for (text, expected) in [
            ("0", Some(0.0)),
            ("1.5", Some(1.5)),
            (".25", Some(0.25)),
            ("3.", Some(3.0)),
            ("1e-3", Some(0.001)),
            ("1.2E-4", Some(0.00012)),
            ("1,234.5", Some(1234.5)),
            ("1,234,567", Some(1_234_567.0)),
            ("1.234,5", Some(1234.5)),
            ("0,5", Some(0.5)),
            (" 2.5 s", Some(2.5)),
            ("0.1234567890123", Some(0.123456789)),
            ("-1", None),
            ("NaN", None),
            ("inf", None),
            ("", None),
            (".", None),
            ("a", None),
            ("99999999999", None),
            ("18446744073709551616", None),
        ] {
            assert_eq!(seconds(text), expected.map(Duration::from_secs_f64), "{text}");
        }
    }

    #[test]
    fn clock_times() {
        for (text, expected) in [
            ("00:00:01.5000000", Some(1.5)),
            ("1:02", Some(62.0)),
            ("1.01:00:00", Some(90_000.0)),
            ("5", None),
            ("a:b", None),
        ] {
            assert_eq!(clock(text), expected.map(Duration::from_secs_f64), "{text}");
        }
    }
}
