//! Times for people.

use jiff::{SpanRound, Timestamp, Unit};
use maud::{Markup, html};

/// A time of day in UTC; the day where it matters stands in its title.
pub(super) fn clock(time: Timestamp) -> Markup {
    html! {
        time datetime=(time.to_string()) title=(time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()) {
            (time.strftime("%H:%M:%S").to_string())
        }
    }
}

/// How long something took, or, while it goes on, since when it does.
pub(super) fn took(started: Timestamp, ended: Option<Timestamp>) -> Markup {
    match ended {
        Some(ended) => html! { span class="console-took" { (length(started, ended)) } },
        None => html! { span class="console-took" { "since " (clock(started)) } },
    }
}

fn length(started: Timestamp, ended: Timestamp) -> String {
    let span = ended.since(started).unwrap_or_default();
    let milliseconds = ended.as_millisecond().saturating_sub(started.as_millisecond()).max(0);
    if milliseconds < 10_000 {
        return format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100);
    }
    let rounded = span.round(SpanRound::new().smallest(Unit::Second).largest(Unit::Hour));
    rounded.map(|span| format!("{span:#}")).unwrap_or_default()
}
