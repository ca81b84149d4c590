//! One clock for the local AWS. It can run faster than the wall's, so that a 20-minute answer timer, a 7-day approval
//! or a 24-hour job can be watched and tested in seconds.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A clock shared by everything in one local AWS. Cloning gives another handle to the same clock.
#[derive(Clone, Debug)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Seconds of clock time that pass in one second of real time.
    scale: f64,
    started: Instant,
    origin: Timestamp,
    /// Time added by [`Clock::advance`].
    added: Mutex<Duration>,
    changed: watch::Sender<()>,
}

impl Clock {
    /// A clock that shows the system's time.
    pub fn system() -> Self {
        Self::scaled(1.0)
    }

    /// A clock that starts at the system's time and runs `scale` times as fast.
    ///
    /// # Panics
    ///
    /// If `scale` is not a finite number above zero.
    pub fn scaled(scale: f64) -> Self {
        Self::starting_at(Timestamp::now(), scale)
    }

    /// A clock that starts at `origin` and runs `scale` times as fast as the system's.
    ///
    /// # Panics
    ///
    /// If `scale` is not a finite number above zero.
    pub fn starting_at(origin: Timestamp, scale: f64) -> Self {
        assert!(scale.is_finite() && scale > 0.0, "the scale of a clock is a number above zero, not {scale}");
        let (changed, _) = watch::channel(());
        let shared = Shared { scale, started: Instant::now(), origin, added: Mutex::default(), changed };
        Self { shared: Arc::new(shared) }
    }

    /// How many seconds of clock time pass in one second of real time.
    pub fn scale(&self) -> f64 {
        self.shared.scale
    }

    /// The time now, by this clock.
    pub fn now(&self) -> Timestamp {
        let added = *self.shared.added.lock().expect("no holder of this lock can panic");
        let passed = self.shared.started.elapsed().mul_f64(self.shared.scale) + added;
        self.shared
            .origin
            .saturating_add(SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forward at once and wakes whoever sleeps past the new time.
    pub fn advance(&self, by: Duration) {
        *self.shared.added.lock().expect("no holder of this lock can panic") += by;
        self.shared.changed.send_replace(());
    }

    /// Waits until this clock has moved on by `duration`.
    pub async fn sleep(&self, duration: Duration) {
        let wake = SignedDuration::try_from(duration).ok().and_then(|d| self.now().checked_add(d).ok());
        self.sleep_until(wake.unwrap_or(Timestamp::MAX)).await;
    }

    /// Waits until this clock shows `wake` or later.
    pub async fn sleep_until(&self, wake: Timestamp) {
        let mut changed = self.shared.changed.subscribe();
        loop {
            let left = wake.duration_since(self.now());
            if !left.is_positive() {
                return;
            }
            // A day of real time at the most at once keeps the division and the timer within their ranges.
            let real = left.unsigned_abs().as_secs_f64() / self.shared.scale;
            let pause = Duration::from_secs_f64(real.clamp(0.000_05, 86_400.0));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = changed.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_scaled_clock_sleeps_less() {
        let clock = Clock::scaled(100_000.0);
        let (before, real) = (clock.now(), Instant::now());
        clock.sleep(Duration::from_secs(3600)).await;
        assert!(clock.now().duration_since(before) >= SignedDuration::from_hours(1));
        assert!(real.elapsed() < Duration::from_secs(3600), "an hour of clock time must not take an hour");
    }

    #[tokio::test]
    async fn advancing_wakes_a_sleeper() {
        let clock = Clock::system();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(7 * 86_400)).await }
        });
        // The order of the two does not matter: a sleeper that starts late finds its time come... only if it looks at
        // a wake-up time fixed before, so let it start first.
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(8 * 86_400));
        sleeper.await.unwrap();
    }
}
