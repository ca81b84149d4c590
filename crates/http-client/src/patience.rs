//! When something is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// How long a server has to answer one request.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A server's wish for a pause where it names none.
pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The pauses of one call, within its deadline.
pub struct Patience {
    deadline: Instant,
    failed: u32,
}

impl Patience {
    /// Until a deadline.
    pub fn until(deadline: Instant) -> Self {
        Self { deadline, failed: 0 }
    }

    /// How long the next attempt may take.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).min(ANSWER_WITHIN)
    }

    /// Waits as long as it was asked for, and up to a quarter of that and of a second more, so that those who were sent
    /// away together do not come back together. `false` if there is not so much time.
    pub async fn wait(&mut self, retry_after: Duration) -> bool {
        let more = retry_after.saturating_add(Duration::from_secs(1)).min(Duration::from_secs(4)) / 4;
        self.sleep(retry_after, more).await
    }

    /// Waits before the next attempt: doubles with each failure, and is a random part of that. `false` if there is not so
    /// much time.
    pub async fn pause(&mut self) -> bool {
        let longest = FIRST_PAUSE.saturating_mul(1 << self.failed.min(10)).min(LONGEST_PAUSE);
        self.failed += 1;
        self.sleep(Duration::ZERO, longest).await
    }

    async fn sleep(&self, at_least: Duration, more: Duration) -> bool {
        let pause = at_least.saturating_add(more.mul_f64(fastrand::f64()));
        // A time that no clock can show lies behind the deadline.
        let Some(wake) = Instant::now().checked_add(pause).filter(|wake| *wake < self.deadline) else { return false };
        tokio::time::sleep_until(wake).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_made_only_where_there_is_time_for_it() {
        for (pause, expected) in [
            (Duration::ZERO, true),
            (Duration::from_secs(7), true),
            (Duration::from_secs(10), false),
            (Duration::from_secs(u64::MAX), false),
            (Duration::MAX, false),
        ] {
            let mut patience = Patience::until(Instant::now() + Duration::from_secs(10));
            assert_eq!(patience.wait(pause).await, expected, "{pause:?}");
        }
    }
}
