//! The Hurl files that gates name, where they are at hand.

use std::path::Path;

use smoke_test::{Suite, from_folder};
use stagegate_config::smoke::Source;
use stagegate_config::{Config, Places, SmokeGate};

use super::problem::{Problem, Problems};
use super::{Files, read};

/// Reads the files of each gate that runs smoke tests: those of the configuration layer, and the others where a source
/// folder is given.
pub(crate) fn check(config: &Config, files: &Files<'_>) -> Vec<Problem> {
    let mut all = Vec::new();
    let layer = files.config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let gates = config.gates().filter_map(|(name, gate)| Some((name, gate.smoke().ok()?)));
    for (name, gate) in gates {
        let root = match &gate.source {
            Some(Source::Layer) => Some(layer),
            _ => files.source,
        };
        if let Some(root) = root {
            check_gate(name, gate, root, files.config, &mut all);
        }
    }
    all.sort();
    all.dedup();
    all
}

fn check_gate(name: &str, gate: &SmokeGate, root: &Path, config: &Path, all: &mut Vec<Problem>) {
    let mut problems = Problems::of(config.display());
    let places = read(config, &mut problems).map(|text| Places::read(&text));
    let place = |key: &str| places.as_ref().and_then(|places| places.of(&["gates", name, key]));
    let source = match from_folder(gate, root) {
        Ok(source) => source,
        Err(error) => {
            problems.error(place("hurl"), format!("failed to {error}"));
            all.extend(problems.sorted());
            return;
        }
    };
    let suite = Suite::new(gate, source);
    for (rule, pattern) in &suite.unmatched {
        problems.error(place(rule), format!("no file in {} matches {pattern:?}", root.display()));
    }
    all.extend(problems.sorted());
    for refused in &suite.refused {
        let mut problems = Problems::of(root.join(&refused.file).display());
        for problem in &refused.problems {
            let at = (problem.line > 0).then_some((problem.line as u64, problem.column.max(1) as u64));
            problems.error(at, format!("{}: {}", problem.title, problem.message));
        }
        all.extend(problems.sorted());
    }
}
