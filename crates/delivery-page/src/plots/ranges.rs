//! Lying bars: how long things take.

use maud::{Markup, html};

use super::columns::tenth;
use crate::words::length;

const WIDTH: f64 = 560.0;
/// Where the bars begin, behind their labels, and where the longest may end, before what it says.
const LEFT: f64 = 140.0;
const RIGHT: f64 = 330.0;
const ROW: f64 = 28.0;
const BAR: f64 = 14.0;
/// The most characters of a label.
const LABEL: usize = 15;

/// A bar.
pub(crate) struct Range {
    pub(crate) label: String,
    pub(crate) median: f64,
    /// Where the thin part ends.
    pub(crate) p90: Option<f64>,
    /// What it says behind it.
    pub(crate) shown: String,
    pub(crate) title: String,
    pub(crate) is_bad: bool,
}

impl Range {
    fn end(&self) -> f64 {
        self.p90.unwrap_or(self.median).max(self.median)
    }
}

pub(crate) fn draw(ranges: &[Range]) -> Markup {
    let most = ranges.iter().map(Range::end).fold(f64::MIN_POSITIVE, f64::max);
    let along = |seconds: f64| LEFT + (RIGHT - LEFT) * seconds / most;
    let height = ROW * super::value(ranges.len()) + 6.0;
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" class="delivery-plot" {
            line class="delivery-axis" x1=(LEFT) x2=(LEFT) y1="0" y2=(height) {}
            @for (number, range) in ranges.iter().enumerate() {
                @let middle = ROW * (super::value(number) + 0.5) + 3.0;
                @let end = along(range.median).max(LEFT + 2.0);
                g {
                    title { (range.title) }
                    text class="delivery-tick" x=(LEFT - 8.0) y=(tenth(middle + 4.0)) text-anchor="end" { (label(&range.label)) }
                    @if let Some(p90) = range.p90 {
                        rect class="delivery-rest" x=(LEFT) y=(tenth(middle - BAR / 2.0)) width=(tenth(along(p90) - LEFT)) height=(BAR) rx="3" {}
                    }
                    rect class={ "delivery-bar" @if range.is_bad { " is-bad" } } x=(LEFT) y=(tenth(middle - BAR / 2.0))
                        width=(tenth(end - LEFT)) height=(BAR) rx="3" {}
                    text class="delivery-number" x=(tenth(along(range.end()).max(end) + 8.0)) y=(tenth(middle + 4.0)) {
                        (range.shown)
                        @if let Some(p90) = range.p90 { tspan class="delivery-tick" { " / " (length(p90)) } }
                    }
                }
            }
        }
    }
}

fn label(text: &str) -> String {
    if text.chars().count() <= LABEL {
        return text.to_owned();
    }
    text.chars().take(LABEL - 1).chain(['…']).collect()
}
