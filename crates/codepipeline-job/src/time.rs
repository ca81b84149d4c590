//! When the function must have answered.

use std::time::{Duration, Instant, SystemTime};

/// What the answer needs at the end when nobody says otherwise: a tenth of the time, at most three seconds.
const MOST: Duration = Duration::from_secs(3);
/// Enough for a runtime, a TLS connection and two attempts.
const LEAST: Duration = Duration::from_millis(700);
/// What is left between the last attempt and the end, to report the end of the invocation.
const LAST_MOMENTS: Duration = Duration::from_millis(100);
/// Too little for any attempt.
const USELESS: Duration = Duration::from_millis(100);
/// How long an answer may take where no deadline says so, and at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is less, in milliseconds since 1970, is no time at which a function can run but a length from now on: so `cargo
/// lambda watch`, which hands over 600,000 at each invocation, leaves a function its time.
const LEAST_TIME_MS: u64 = 1_000_000_000_000;

/// How long one invocation may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// When AWS Lambda stops the function.
    pub(crate) deadline: Option<Instant>,
    /// When the deadline guard answers in the place of the handler.
    pub(crate) answer_by: Option<Instant>,
    started: Instant,
}

impl Schedule {
    /// Reads the deadline of an invocation, in milliseconds since 1970. Zero means that there is none.
    ///
    /// `margin` is the time before the deadline that is kept for the answer; never more than half of what there is.
    pub(crate) fn new(deadline_ms: u64, margin: Option<Duration>) -> Self {
        let started = Instant::now();
        if deadline_ms == 0 {
            return Self { deadline: None, answer_by: None, started };
        }
        let given = Duration::from_millis(deadline_ms);
        let end = SystemTime::UNIX_EPOCH.checked_add(given);
        let left = match deadline_ms < LEAST_TIME_MS {
            true => given,
            false => end.and_then(|end| end.duration_since(SystemTime::now()).ok()).unwrap_or_default(),
        };
        let margin = margin.unwrap_or_else(|| (left / 10).clamp(LEAST, MOST)).min(left / 2);
        Self { deadline: started.checked_add(left), answer_by: started.checked_add(left - margin), started }
    }

    /// When the guard, which begins now, must be done: in time to end the invocation before its deadline.
    ///
    /// When there is no such time, the deadline does not count. A clock may be wrong, and nothing is lost by trying.
    pub(crate) fn last_moment(&self) -> Instant {
        let now = Instant::now();
        let Some(deadline) = self.deadline else { return now + PATIENCE };
        match deadline.checked_sub(LAST_MOMENTS) {
            Some(end) if end > now + USELESS => end.min(now + PATIENCE),
            _ => now + LEAST,
        }
    }

    /// When an answer that begins now must be over.
    pub(crate) fn patience(&self) -> Instant {
        let patience = Instant::now() + PATIENCE;
        self.answer_by.map_or(patience, |answer_by| patience.min(answer_by))
    }

    /// How long the invocation has lasted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long the invocation has lasted, for the log.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        milliseconds(self.elapsed())
    }

    /// How long the invocation may last in all.
    pub(crate) fn total(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline - self.started)
    }
}

/// Whole milliseconds; as many as fit.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(left: Duration, margin: Option<Duration>) -> Duration {
        let end = SystemTime::now() + left;
        let since = end.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let schedule = Schedule::new(u64::try_from(since.as_millis()).unwrap(), margin);
        let (deadline, answer_by) = (schedule.deadline.unwrap(), schedule.answer_by.unwrap());
        assert!(left.is_zero() || schedule.last_moment() < deadline);
        assert!(schedule.last_moment() > Instant::now());
        deadline - answer_by
    }

    #[test]
    fn the_margin_follows_the_time_there_is() {
        for (left_ms, margin_ms, expected_ms) in [
            (900_000, None, 3000),
            (20_000, None, 2000),
            (3000, None, 700),
            (1000, None, 500),
            (60_000, Some(5000), 5000),
            (60_000, Some(50_000), 30_000),
        ] {
            let margin = schedule(Duration::from_millis(left_ms), margin_ms.map(Duration::from_millis));
            let expected = Duration::from_millis(expected_ms);
            assert!(margin <= expected && margin + Duration::from_millis(100) > expected, "{left_ms}: {margin:?}");
        }
        assert_eq!(schedule(Duration::ZERO, None), Duration::ZERO);
        assert_eq!(Schedule::new(0, None).answer_by, None);
        assert!(Schedule::new(u64::MAX, None).last_moment() > Instant::now());
        // A length, as `cargo lambda watch` has it, and a time that is over.
        assert_eq!(Schedule::new(600_000, None).total(), Some(Duration::from_secs(600)));
        assert_eq!(Schedule::new(LEAST_TIME_MS, None).total(), Some(Duration::ZERO));
    }
}
