//! What gates have said: one bar a gate, in parts.

use maud::{Markup, html};
use stagegate_delivery::GateOutcomes;

use super::columns::tenth;
use crate::words::count;

const WIDTH: f64 = 560.0;
const LEFT: f64 = 140.0;
const RIGHT: f64 = 420.0;
const ROW: f64 = 32.0;
const BAR: f64 = 18.0;
/// Between two parts.
const GAP: f64 = 2.0;
/// The narrowest part in which its number can be read.
const READABLE: f64 = 16.0;

pub(crate) fn draw(gates: &[GateOutcomes]) -> Markup {
    let height = ROW * super::value(gates.len()) + 6.0;
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" class="delivery-plot" {
            line class="delivery-axis" x1=(LEFT) x2=(LEFT) y1="0" y2=(height) {}
            @for (number, gate) in gates.iter().enumerate() {
                (row(gate, ROW * (super::value(number) + 0.5) + 3.0))
            }
        }
    }
}

fn row(gate: &GateOutcomes, middle: f64) -> Markup {
    let all = gate.passed + gate.inconclusive + gate.failed;
    let parts = [("passed", gate.passed), ("inconclusive", gate.inconclusive), ("failed", gate.failed)];
    let shown: Vec<_> = parts.into_iter().filter(|(_, number)| *number > 0).collect();
    let room = RIGHT - LEFT - GAP * super::value(shown.len().saturating_sub(1));
    let mut from = LEFT;
    let mut drawn = Vec::new();
    for (name, number) in &shown {
        let width = room * super::value(*number) / super::value(all.max(1));
        drawn.push((*name, *number, from, width));
        from += width + GAP;
    }
    let words: Vec<_> = shown.iter().map(|(name, number)| format!("{number} {name}")).collect();
    let numbers = parts.map(|(_, number)| number.to_string());
    html! {
        g {
            title { (gate.gate) ": " (count(all, "verdict")) ", " (words.join(", ")) }
            text class="delivery-tick" x=(LEFT - 8.0) y=(tenth(middle + 4.0)) text-anchor="end" { (gate.gate.chars().take(15).collect::<String>()) }
            @for (name, number, from, width) in drawn {
                rect class={ "delivery-part is-" (name) } x=(tenth(from)) y=(tenth(middle - BAR / 2.0)) width=(tenth(width)) height=(BAR) rx="3" {}
                @if width >= READABLE {
                    text class="delivery-inside" x=(tenth(from + width / 2.0)) y=(tenth(middle + 4.0)) text-anchor="middle" { (number) }
                }
            }
            text class="delivery-number" x=(RIGHT + 8.0) y=(tenth(middle + 4.0)) { (numbers.join(" / ")) }
        }
    }
}
