//! Numbers as people read them.

/// A count with its thousands set apart: `1,204`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `part` of `whole` in percent, rounded down to two digits so that it never reaches a limit that it misses:
/// 9,999 of 10,001 are `99.98`, and only all of them are `100`.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0".to_owned();
    }
    let hundredths = u128::from(part) * 10_000 / u128::from(whole);
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    let text = format!("{whole}.{rest:02}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        for (count, text) in [(0, "0"), (999, "999"), (1204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn percentages_never_round_up() {
        for (part, whole, text) in [
            (0, 0, "0"),
            (1, 1, "100"),
            (9_999, 10_000, "99.99"),
            (99_999, 100_000, "99.99"),
            (1, 2, "50"),
            (1, 3, "33.33"),
        ] {
            assert_eq!(percent(part, whole), text, "{part} of {whole}");
        }
    }
}
