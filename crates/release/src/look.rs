//! One look of a gate: from what is known to a wait or a verdict.

use jiff::Timestamp;
use stagegate_config::release::Zone;
use stagegate_verdict::{Execution, Finding, Outcome, Verdict, VerdictBuilder};

use crate::conditions::{self, length};
use crate::facts::{Known, Unmeasured};
use crate::gather::Sources;
use crate::measured::{Measured, State, together};
use crate::overrides::Override;
use crate::plan::{Missing, Plan};
use crate::sampling::{End, Progress, Schedule, Step};
use crate::time::{self, Calendars, Opening, TimeConditions, next_opening};

/// What a look led to.
#[derive(Clone, Debug)]
pub enum Looked {
    /// The gate looks again.
    Waiting {
        /// What the next look must be given.
        progress: Progress,
        /// When it is due.
        next: Timestamp,
        /// One line for people.
        summary: String,
    },
    /// The gate has its verdict.
    Done(Box<Verdict>),
}

/// Which gate looks at which execution.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The gate's name.
    pub gate: String,
    /// The execution.
    pub execution: Execution,
    /// An override that whoever asks knows of, besides one in the state bucket. It is looked at for this asker only.
    pub overridden: Option<Override>,
}

/// Takes one look.
///
/// The action, the rule and the automatic answer to an approval all call this; they differ in where they keep `progress`
/// between two looks, and in what they do with the verdict.
///
/// # Errors
///
/// If the gate needs to know more about the execution than whoever asks does.
pub async fn look(
    plan: &Plan,
    subject: &Subject,
    progress: Option<Progress>,
    sources: &Sources,
    calendars: &Calendars,
    now: Timestamp,
) -> Result<Looked, Missing> {
    plan.check(&subject.execution)?;
    let schedule = plan.schedule();
    let progress = progress.unwrap_or_else(|| Progress::new(now));
    let due = progress.due(schedule);
    let given = Box::pin(given_override(sources, subject, now));
    let measuring = Box::pin(measure(plan, subject, sources, calendars, now));
    let (given, mut measured) = if due > now {
        let Ok(Some(given)) = given.await else {
            let summary = format!("the first look is due at {}", time::clock(due, &Zone::utc()));
            let reason = progress.reason().unwrap_or_default();
            let summary = if progress.samples() == 0 { summary } else { waiting(reason, schedule, &progress) };
            return Ok(Looked::Waiting { progress, next: due, summary });
        };
        (Ok(Some(given)), measuring.await)
    } else {
        tokio::join!(given, measuring)
    };
    let unknown = match given {
        Ok(Some(given)) => {
            tracing::info!(gate = subject.gate, state = ?together(&measured), "looked, and an override holds");
            return Ok(Looked::Done(Box::new(overridden(subject, &given, &measured, now))));
        }
        Ok(None) => None,
        Err(reason) => Some(reason),
    };
    let state = state_of(&mut measured, unknown);
    tracing::info!(gate = subject.gate, ?state, samples = progress.samples() + 1, "looked");
    let (progress, step) = progress.sample(schedule, state, now);
    Ok(match step {
        Step::Wait(next) => {
            let reason = not_met(&measured);
            let summary = waiting(&reason, schedule, &progress);
            Looked::Waiting { progress: progress.because(&reason), next, summary }
        }
        Step::Done(end) => Looked::Done(Box::new(verdict(subject, &measured, schedule, &progress, end, now))),
    })
}

/// The override that holds for this look, if one was given.
async fn given_override(sources: &Sources, subject: &Subject, now: Timestamp) -> Known<Option<Override>> {
    let Some(execution) = subject.execution.execution.as_deref() else { return Ok(None) };
    let holding = |given: Override| match given.fault(execution, &subject.gate, now) {
        None => Some(given),
        Some(reason) => {
            tracing::warn!(reason, "an override does not hold");
            None
        }
    };
    match subject.overridden.clone().and_then(holding) {
        Some(given) => Ok(Some(given)),
        None => Ok(sources.overridden(execution, &subject.gate).await?.and_then(holding)),
    }
}

/// How the conditions stand together. Where it is not known whether somebody has overridden the gate, a look that is not
/// green was not taken: it may be one that does not count.
fn state_of(measured: &mut Vec<Measured>, unknown: Option<Unmeasured>) -> State {
    let state = together(measured);
    match unknown.filter(|_| state != State::Met) {
        None => state,
        Some(reason) => {
            tracing::warn!(why = reason.to_string(), "failed to look for an override");
            measured.push(Measured::new("override", State::Error, reason.to_string()));
            State::Error
        }
    }
}

/// Measures the conditions. While the time does not allow a release, a gate that will look again looks at nothing else:
/// what is broken at night does not count against a release that could not go on anyway.
async fn measure(
    plan: &Plan,
    subject: &Subject,
    sources: &Sources,
    calendars: &Calendars,
    now: Timestamp,
) -> Vec<Measured> {
    let circumstances = sources.circumstances(plan, subject.execution.clone()).await;
    let conditions = TimeConditions::new(plan.policy(), calendars, Some(&circumstances));
    let mut measured = conditions.measure(now);
    if let Some(waits) = measured.iter_mut().find(|one| one.state == State::NotYet) {
        waits.message.push_str(&match next_opening(&conditions, now) {
            Opening::At(next) => format!("; it is open again at {}", time::clock(next, &zone_of(plan))),
            Opening::Never => "; it does not open again within 400 days".to_owned(),
            Opening::Unknown(why) => format!("; when it opens again is not known, because {why}"),
        });
    }
    if together(&measured) == State::Met || plan.schedule().is_single() {
        let facts = sources.facts(plan, &subject.execution, now).await;
        measured.extend(conditions::measure(plan.policy(), &facts, now));
    }
    measured
}

/// The zone in which people are told times.
fn zone_of(plan: &Plan) -> Zone {
    let policy = plan.policy();
    let windows = policy.windows.iter().map(|window| &window.zone);
    let freezes = policy.freezes.iter().map(|freeze| &freeze.zone);
    let calendars = policy.calendars.iter().map(|calendar| &calendar.zone);
    windows.chain(freezes).chain(calendars).next().cloned().unwrap_or_else(Zone::utc)
}

/// One line about a gate that goes on looking.
fn waiting(reason: &str, schedule: &Schedule, progress: &Progress) -> String {
    let counts = counts(schedule, progress);
    match reason.is_empty() {
        true => format!("waiting: {counts}"),
        false => format!("waiting: {reason}; {counts}"),
    }
}

/// What is not green, in one line.
fn not_met(measured: &[Measured]) -> String {
    let not_met = measured.iter().filter(|one| one.state != State::Met);
    not_met.map(|one| one.message.as_str()).collect::<Vec<_>>().join("; ")
}

fn counts(schedule: &Schedule, progress: &Progress) -> String {
    let shown = |time: std::time::Duration| length(time.try_into().unwrap_or(jiff::SignedDuration::MAX));
    let mut text = format!("green for {} of {}", shown(progress.green()), shown(schedule.green_for));
    let plural = |count: u32, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    text.push_str(&format!(" after {}", plural(progress.samples(), "sample")));
    if progress.failed() > 0 {
        text.push_str(&format!(", {} with a failed measurement", progress.failed()));
    }
    if progress.errors() > 0 {
        text.push_str(&format!(", the last {} in error", progress.errors()));
    }
    text
}

/// The verdict at the end. Its findings are never better than what was measured, and the worst of them is the outcome.
pub fn verdict(
    subject: &Subject,
    measured: &[Measured],
    schedule: &Schedule,
    progress: &Progress,
    end: End,
    now: Timestamp,
) -> Verdict {
    let outcome = end.outcome(schedule.otherwise);
    let mut builder = VerdictBuilder::new(&subject.gate, subject.execution.clone());
    for one in measured {
        builder.finding(finding(one, weight(one.state, end, outcome)));
    }
    if !schedule.is_single() {
        let shown = |time: std::time::Duration| length(time.try_into().unwrap_or(jiff::SignedDuration::MAX));
        let why = match end {
            End::Green => "everything was green for long enough".to_owned(),
            End::TooManyFailures => {
                format!("more than {} samples held a failed measurement", schedule.failure_limit.unwrap_or_default())
            }
            End::TooManyErrors => format!("more than {} samples in a row could not be measured", schedule.error_limit),
            End::GaveUp => format!("the gate gave up after {}", shown(schedule.give_up_after)),
        };
        let counts = counts(schedule, progress);
        let finding = Finding::new("sampling", outcome, format!("{why}: {counts}"));
        builder.finding(finding.measured(shown(progress.green()), shown(schedule.green_for)));
    }
    builder.build(now)
}

/// What a condition contributes, given how the gate ends: a gate that asks shows what is red and still asks.
fn weight(state: State, end: End, outcome: Outcome) -> Outcome {
    match (state, end) {
        (State::Met, _) => Outcome::Passed,
        (State::Error, _) => Outcome::Inconclusive,
        (State::NotYet, End::TooManyFailures) => Outcome::Inconclusive,
        (State::NotYet | State::Failed, _) => outcome.max(Outcome::Inconclusive),
    }
}

fn finding(measured: &Measured, outcome: Outcome) -> Finding {
    let mut finding = Finding::new(measured.rule, outcome, &measured.message).about(&measured.subjects);
    finding.observed.clone_from(&measured.observed);
    finding.limit.clone_from(&measured.limit);
    finding
}

/// The verdict of an override: passed on somebody's word, with what was measured beside it.
fn overridden(subject: &Subject, given: &Override, measured: &[Measured], now: Timestamp) -> Verdict {
    let mut builder = VerdictBuilder::new(&subject.gate, subject.execution.clone());
    let Override { who, why, until, .. } = given;
    let message = format!("{who} has overridden the gate until {until}: {why}");
    builder.finding(Finding::new("override", Outcome::Passed, message));
    for one in measured {
        let outcome = match one.state {
            State::Met => Outcome::Passed,
            State::Failed => Outcome::Failed,
            State::NotYet | State::Error => Outcome::Inconclusive,
        };
        builder.finding(finding(one, outcome).shadowed(true));
    }
    builder.build(now)
}
