//! How often and how long something is tried.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);

/// How often and how long a call tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long S3 has to answer one request. After that the request counts as not answered.
    pub answer_within: Duration,
    /// How long a call may take with all its attempts and pauses.
    pub give_up_after: Duration,
    /// How often a request, or the reading, changing and writing of an update, is tried at most.
    pub attempts: u32,
}

impl Default for Patience {
    /// 5 seconds for an answer, 30 seconds and 60 attempts for everything.
    fn default() -> Self {
        Self { answer_within: Duration::from_secs(5), give_up_after: Duration::from_secs(30), attempts: 60 }
    }
}

/// The patience that one call has left.
#[derive(Debug)]
pub(crate) struct Attempts {
    patience: Patience,
    give_up_at: Instant,
    failed: u32,
}

impl Attempts {
    pub(crate) fn new(patience: Patience) -> Self {
        Self { patience, give_up_at: Instant::now() + patience.give_up_after, failed: 0 }
    }

    /// How many have failed.
    pub(crate) fn failed(&self) -> u32 {
        self.failed
    }

    /// When the request that begins now has to be answered.
    pub(crate) fn answer_until(&self) -> Instant {
        self.give_up_at.min(Instant::now() + self.patience.answer_within)
    }

    /// Notes a failed attempt and pauses before the next one. `false` if there is none.
    pub(crate) async fn go_on(&mut self) -> bool {
        self.failed += 1;
        let next = Instant::now() + pause(self.failed);
        if self.failed >= self.patience.attempts || next >= self.give_up_at {
            return false;
        }
        tokio::time::sleep_until(next).await;
        true
    }
}

/// Doubles with each failure, and is a random part of that ("full jitter"), so that writers who met do not meet again.
fn pause(failed: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failed.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
    let random = Uuid::new_v4().as_u128() & 0xffff;
    longest.mul_f64(f64::from(u16::try_from(random).unwrap_or(u16::MAX)) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tries_as_often_and_as_long_as_allowed() {
        // Six pauses last 1.575 s at the longest, so that a seventh attempt fits into two seconds whatever chance gives.
        let cases = [(5, 1000, 5), (1, 1000, 1), (1000, 2, 7)];
        for (attempts, seconds, expected) in cases {
            let give_up_after = Duration::from_secs(seconds);
            let mut left = Attempts::new(Patience { attempts, give_up_after, ..Patience::default() });
            let start = Instant::now();
            while left.go_on().await {}
            assert!(start.elapsed() < give_up_after);
            let is_bound_by_time = attempts == 1000;
            assert!(if is_bound_by_time { left.failed() >= expected } else { left.failed() == expected }, "{left:?}");
        }
    }

    #[test]
    fn pauses_stay_within_their_bounds() {
        for failed in 1..100 {
            assert!(pause(failed) <= LONGEST_PAUSE);
        }
        assert!(pause(1) <= FIRST_PAUSE);
    }
}
