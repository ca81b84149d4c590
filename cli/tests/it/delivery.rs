//! The metrics of delivery: the code, its page and the dashboard of the template name the same ones.

use std::collections::BTreeSet;

use serde_json::Value;
use stagegate_delivery::{Metric, emf};

use crate::root;

fn file(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

fn dimensions(metric: Metric, between: &str) -> String {
    let names: Vec<_> = metric.dimensions().iter().map(|dimension| dimension.name()).collect();
    names.join(between)
}

#[test]
fn the_metrics_on_the_page_are_those_that_are_logged() {
    let page = file("docs/delivery.md");
    let section = page.split("\n## Metrics").nth(1).and_then(|rest| rest.split("\n### ").next()).expect("metrics");
    assert!(section.contains(&format!("namespace `{}`", emf::NAMESPACE)));
    let rows: Vec<_> = section
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let name = cells.next()?.trim_end_matches('`').to_owned();
            Some((name, cells.next()?.to_owned(), cells.next()?.to_owned()))
        })
        .collect();
    let known = Metric::ALL
        .iter()
        .map(|metric| (metric.name().to_owned(), metric.unit().to_owned(), dimensions(*metric, ", ")));
    assert_eq!(rows, known.collect::<Vec<_>>());
}

/// The body of the dashboard, without what CloudFormation would put in.
fn dashboard() -> Value {
    let template = file("infra/template.yaml");
    let body = template.split("DashboardBody: !Sub |\n").nth(1).expect("a dashboard");
    let body: String = body.lines().take_while(|line| line.is_empty() || line.starts_with("        ")).collect();
    serde_json::from_str(&body).expect("the body is JSON")
}

#[test]
fn the_dashboard_shows_every_metric_by_its_dimensions() {
    let dashboard = dashboard();
    let mut shown = BTreeSet::new();
    for widget in dashboard["widgets"].as_array().unwrap() {
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            let expression = metric[0]["expression"].as_str().unwrap();
            let Some((schema, rest)) = expression.strip_prefix("SEARCH('{").and_then(|rest| rest.split_once("} "))
            else {
                continue;
            };
            for name in rest.split('"').skip(1).step_by(2) {
                let known = Metric::ALL.iter().find(|metric| metric.name() == name);
                let known = known.unwrap_or_else(|| panic!("the dashboard names {name}, which nobody logs"));
                assert_eq!(schema, format!("{},{}", emf::NAMESPACE, dimensions(*known, ",")), "{name}");
                shown.insert(known.name());
            }
        }
    }
    assert_eq!(shown, Metric::ALL.iter().map(|metric| metric.name()).collect());
}

/// Widgets neither meet nor leave the grid, and metric math refers to what is there.
#[test]
fn the_dashboard_is_laid_out() {
    let dashboard = dashboard();
    let widgets: Vec<_> = dashboard["widgets"].as_array().unwrap().iter().collect();
    let place = |widget: &Value| ["x", "y", "width", "height"].map(|key| widget[key].as_u64().unwrap());
    for (number, widget) in widgets.iter().enumerate() {
        let [x, y, width, height] = place(widget);
        assert!(x + width <= 24 && height > 0, "{widget}");
        for other in &widgets[number + 1..] {
            let [left, top, wide, high] = place(other);
            assert!(x >= left + wide || left >= x + width || y >= top + high || top >= y + height, "{widget} {other}");
        }
        let metrics = widget["properties"]["metrics"].as_array().unwrap();
        let ids: BTreeSet<_> = metrics.iter().map(|metric| metric[0]["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), metrics.len(), "{widget}");
        for metric in metrics.iter().filter(|metric| !metric[0]["expression"].as_str().unwrap().starts_with("SEARCH")) {
            let words = metric[0]["expression"].as_str().unwrap().split(|c: char| !c.is_ascii_alphanumeric());
            for word in words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())) {
                assert!(ids.contains(word), "{word} is no id of {widget}");
            }
        }
    }
}
