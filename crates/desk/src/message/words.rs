//! Times in words.

use jiff::Timestamp;

/// How long something took, as people say it: `3 min`, `2 h 5 min`, `3 d 4 h`.
pub fn waited(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if seconds < 60 => format!("{seconds} s"),
        () if minutes < 60 => format!("{minutes} min"),
        () if hours < 24 && minutes % 60 == 0 => format!("{hours} h"),
        () if hours < 24 => format!("{hours} h {} min", minutes % 60),
        () if hours % 24 == 0 => format!("{days} d"),
        () => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_two_units_at_the_most() {
        let start = Timestamp::UNIX_EPOCH;
        for (seconds, expected) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (3661, "1 h 1 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(waited(start, Timestamp::from_second(seconds).unwrap()), expected);
        }
    }
}
