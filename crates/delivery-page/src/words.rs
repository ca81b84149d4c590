//! Figures in words.

use jiff::Timestamp;

/// A length of time in its greatest two units.
pub fn length(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "?".to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    #[expect(clippy::cast_possible_truncation, reason = "no execution takes so long")]
    let whole = seconds.round() as i64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    match (days, hours, minutes, rest) {
        (0, 0, 0, rest) => format!("{rest} s"),
        (0, 0, minutes, 0) => format!("{minutes} min"),
        (0, 0, minutes, rest) if minutes < 10 => format!("{minutes} min {rest} s"),
        (0, 0, minutes, _) => format!("{minutes} min"),
        (0, hours, 0, _) => format!("{hours} h"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, 0, ..) => format!("{days} d"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

/// A part of a whole in percent.
pub fn rate(part: f64) -> String {
    let percent = part * 100.0;
    if percent > 0.0 && percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

/// A number with one digit behind the point, where there is something behind it.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// A number and what it counts.
pub(crate) fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// A moment, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The start of an identifier, by which a person knows it again.
pub(crate) fn short(id: &str) -> &str {
    let end = id.char_indices().nth(8).map_or(id.len(), |(end, _)| end);
    &id[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_in_two_units() {
        for (seconds, text) in [
            (0.0, "0.0 s"),
            (4.25, "4.2 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min"),
            (61.0, "1 min 1 s"),
            (754.0, "12 min"),
            (3600.0, "1 h"),
            (11_520.0, "3 h 12 min"),
            (86_400.0, "1 d"),
            (190_000.0, "2 d 4 h"),
            (f64::NAN, "?"),
            (-1.0, "?"),
        ] {
            assert_eq!(length(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn rates_and_numbers_have_no_useless_digits() {
        assert_eq!([0.0, 0.005, 0.25, 1.0].map(rate), ["0 %", "0.5 %", "25 %", "100 %"]);
        assert_eq!([1.0, 1.5, 12.04].map(number), ["1", "1.5", "12"]);
        assert_eq!([count(1, "change"), count(2, "change")], ["1 change", "2 changes"]);
    }
}
