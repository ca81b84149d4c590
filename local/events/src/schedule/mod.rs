//! Schedule expressions: `rate(...)`, `cron(...)` and `at(...)` (Amazon EventBridge guide, "Schedule types"; EventBridge
//! Scheduler guide, "Schedule types").

mod cron;
mod ticks;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use cron::Cron;
pub(crate) use ticks::Schedule;

/// A parsed schedule expression.
#[derive(Clone, Debug)]
pub struct ScheduleExpression {
    kind: Kind,
    zone: TimeZone,
}

#[derive(Clone, Debug)]
enum Kind {
    Rate(SignedDuration),
    Cron(Box<Cron>),
    At(DateTime),
}

impl ScheduleExpression {
    /// Parses an expression; `time_zone` is an IANA name.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(expression: &str, time_zone: &str) -> Result<Self, String> {
        let inside = |name: &str| expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        let kind = if let Some(rate) = inside("rate") {
            Kind::Rate(parse_rate(rate).map_err(|what| format!("`{expression}` {what}"))?)
        } else if let Some(fields) = inside("cron") {
            Kind::Cron(Box::new(Cron::parse(fields).map_err(|what| format!("`{expression}` {what}"))?))
        } else if let Some(time) = inside("at") {
            let time = time.parse().map_err(|_| format!("`{expression}` is no at(yyyy-mm-ddThh:mm:ss)"))?;
            Kind::At(time)
        } else {
            return Err(format!("`{expression}` is no rate(...), cron(...) or at(...)"));
        };
        let zone = if time_zone == "UTC" {
            TimeZone::UTC
        } else {
            TimeZone::get(time_zone).map_err(|_| format!("there is no time zone `{time_zone}` on this machine"))?
        };
        Ok(Self { kind, zone })
    }

    /// The first time of the schedule after `after`; `None` if there is none any more. `since` is when the schedule was
    /// made, from which a rate counts.
    pub fn next(&self, since: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match &self.kind {
            Kind::Rate(period) => {
                let passed = after.duration_since(since).max(SignedDuration::ZERO);
                let ticks = passed.as_millis().div_euclid(period.as_millis()) + 1;
                let ticks = i32::try_from(ticks).ok()?;
                since.checked_add(period.checked_mul(ticks)?).ok()
            }
            Kind::Cron(cron) => cron.next(&self.zone, after),
            Kind::At(time) => {
                let time = self.zone.to_ambiguous_timestamp(*time).compatible().ok()?;
                (time > after).then_some(time)
            }
        }
    }
}

fn parse_rate(rate: &str) -> Result<SignedDuration, String> {
    let wrong = || "is no rate(value unit), for example rate(1 minute) or rate(12 hours)".to_owned();
    let (value, unit) = rate.trim().split_once(' ').ok_or_else(wrong)?;
    let value: u32 = value.parse().ok().filter(|value| *value > 0).ok_or_else(wrong)?;
    let unit = unit.trim();
    let seconds = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        _ => return Err(wrong()),
    };
    // AWS refuses the one for the other.
    if unit.ends_with('s') == (value == 1) {
        let right = unit.strip_suffix('s').map_or_else(|| format!("{unit}s"), str::to_owned);
        return Err(format!("must say {value} {right}"));
    }
    Ok(SignedDuration::from_secs(i64::from(value) * seconds))
}
