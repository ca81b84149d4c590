//! Upright columns: weeks, and how many values are how great.

use maud::{Markup, html};

use crate::words::{count, length};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 190.0;
/// Where the columns end, with room for their numbers above and their labels below.
const TOP: f64 = 24.0;
const BOTTOM: f64 = 160.0;
/// Left and right of the columns, for the labels of the outer ones.
const MARGIN: f64 = 8.0;
/// Half of what a label takes, so that the outer ones stay within the plot.
const TICK: f64 = 34.0;
/// The widest column, so that three weeks do not look like three towers.
const WIDEST: f64 = 56.0;
/// The most labels that do not meet.
const LABELS: usize = 7;

/// A column.
pub(crate) struct Column {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// The value in words, above it.
    pub(crate) shown: String,
    pub(crate) title: String,
    pub(crate) is_bad: bool,
}

pub(crate) fn draw(columns: &[Column]) -> Markup {
    let most = columns.iter().map(|column| column.value).fold(1.0, f64::max);
    let slot = (WIDTH - 2.0 * MARGIN) / super::value(columns.len().max(1));
    let width = (slot * 0.72).min(WIDEST);
    // Few columns stand together at the left.
    let slot = slot.min(WIDEST * 1.7);
    let every = columns.len().div_ceil(LABELS).max(1);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" class="delivery-plot" {
            line class="delivery-axis" x1="0" x2=(WIDTH) y1=(BOTTOM) y2=(BOTTOM) {}
            @for (number, column) in columns.iter().enumerate() {
                @let middle = MARGIN + slot * (super::value(number) + 0.5);
                @let height = (BOTTOM - TOP) * column.value / most;
                g {
                    title { (column.title) }
                    @if column.value > 0.0 {
                        rect class={ "delivery-bar" @if column.is_bad { " is-bad" } } x=(tenth(middle - width / 2.0)) y=(tenth(BOTTOM - height))
                            width=(tenth(width)) height=(tenth(height)) rx="3" {}
                        text class="delivery-number" x=(tenth(middle)) y=(tenth(BOTTOM - height - 6.0)) text-anchor="middle" { (column.shown) }
                    }
                    @if number % every == 0 {
                        text class="delivery-tick" x=(tenth(middle.clamp(TICK, WIDTH - TICK))) y=(BOTTOM + 18.0) text-anchor="middle" { (column.label) }
                    }
                }
            }
        }
    }
}

/// Lengths of time that people think in, in seconds.
const STEPS: [f64; 20] = [
    1.0,
    5.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1200.0,
    1800.0,
    3600.0,
    7200.0,
    14_400.0,
    28_800.0,
    86_400.0,
    172_800.0,
    345_600.0,
    604_800.0,
    1_209_600.0,
    2_592_000.0,
];

/// How many values lie up to each step; steps without a value between others are shown as well.
pub(crate) fn histogram(values: &[f64]) -> Vec<Column> {
    let bucket = |value: f64| STEPS.iter().position(|step| value <= *step).unwrap_or(STEPS.len());
    let buckets: Vec<_> = values.iter().map(|value| bucket(*value)).collect();
    let (Some(first), Some(last)) = (buckets.iter().min(), buckets.iter().max()) else { return Vec::new() };
    let columns = (*first..=*last).map(|at| {
        let inside = buckets.iter().filter(|bucket| **bucket == at).count();
        let (label, words) = match STEPS.get(at) {
            Some(step) => (format!("≤ {}", length(*step).replace(".0", "")), format!("up to {}", length(*step))),
            None => ("longer".to_owned(), "longer".to_owned()),
        };
        Column {
            title: format!("{words}: {}", count(inside, "deployment")),
            label,
            value: super::value(inside),
            shown: inside.to_string(),
            is_bad: false,
        }
    });
    columns.collect()
}

/// A coordinate; more digits would only be more bytes.
pub(crate) fn tenth(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every value is in one column, and none is lost at the edges.
    #[test]
    fn a_histogram_holds_every_value() {
        let values = [0.0, 1.0, 1.5, 60.0, 61.0, 3600.0, 1e9, 2_592_000.0];
        let columns = histogram(&values);
        let sum: f64 = columns.iter().map(|column| column.value).sum();
        assert_eq!(
            (sum, columns[0].value, columns.last().map(|column| column.label.as_str())),
            (8.0, 2.0, Some("longer"))
        );
        assert_eq!(columns.len(), STEPS.len() + 1);
        let labels: Vec<_> = histogram(&[50.0, 400.0]).into_iter().map(|column| column.label).collect();
        assert_eq!(labels, ["≤ 1 min", "≤ 2 min", "≤ 5 min", "≤ 10 min"]);
        assert!(histogram(&[]).is_empty());
    }
}
