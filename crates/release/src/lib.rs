//! Whether a release may go on: change windows, freezes and calendars, alarms and metrics of CloudWatch, the soak time
//! after an earlier stage, verdicts of other gates, answers of URLs; sampled until all of them have been green together.
//!
//! * [`Plan`] is a policy that is ready to be applied.
//! * [`look`] takes one look: it gathers what the plan asks for, judges it, and waits or gives a verdict. What it must
//!   remember is [`Progress`], which fits into a continuation token.
//! * Everything between the gathering and the verdict is pure: [`TimeConditions`], [`conditions`], [`Progress::sample`].

pub mod calendar;
pub mod conditions;
mod facts;
mod gather;
mod look;
mod measured;
mod overrides;
mod plan;
mod sampling;
mod time;

pub use facts::{AlarmFact, AlarmState, Circumstances, Facts, Known, ProbeFact, StageFact, Unmeasured, VerdictFact};
pub use gather::{Sources, parse_calendar, read_calendar, read_calendars};
pub use look::{Looked, Subject, look, verdict};
pub use measured::{Measured, State, together};
pub use overrides::{Override, OverrideGiven};
pub use plan::{Missing, Plan, PlanError};
pub use sampling::{End, Progress, Schedule, Step};
pub use time::{Calendars, Opening, TimeConditions, clock, holds, is_open, next_opening, on_the_wall};

/// The rules by which findings of this gate are named.
pub const RULES: [&str; 10] =
    ["windows", "freezes", "calendars", "alarms", "soak", "verdicts", "metrics", "probes", "sampling", "override"];
