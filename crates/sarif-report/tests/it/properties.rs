//! What holds for every log.

use std::fmt::Write;

use proptest::prelude::*;
use sarif_report::{Counts, Which};

use crate::read;

/// What decides about a result.
#[derive(Debug, Clone)]
struct Given {
    rule: u8,
    level: Option<&'static str>,
    kind: Option<&'static str>,
    state: Option<&'static str>,
    suppressed: bool,
}

fn given() -> impl Strategy<Value = Given> {
    let pick = |names: &'static [&'static str]| prop::option::of(prop::sample::select(names));
    let parts = (
        0u8..4,
        pick(&["none", "note", "warning", "error"]),
        pick(&["fail", "fail", "fail", "pass"]),
        pick(&["new", "unchanged", "absent"]),
        any::<bool>(),
    );
    parts.prop_map(|(rule, level, kind, state, suppressed)| Given { rule, level, kind, state, suppressed })
}

/// Only rules 0 to 2 are described: as error, as note, and without a level.
const RULES: &str = r#""tool":{"driver":{"name":"x","rules":[
    {"id":"R0","defaultConfiguration":{"level":"error"}},
    {"id":"R1","defaultConfiguration":{"level":"note"},"properties":{"security-severity":"7.7"}},
    {"id":"R2"}]}}"#;

fn log(results: &[Given], rules_first: bool) -> String {
    let mut text = String::new();
    for result in results {
        let comma = if text.is_empty() { "" } else { "," };
        write!(text, r#"{comma}{{"ruleId":"R{}","message":{{"text":"m"}}"#, result.rule).unwrap();
        for (name, value) in [("level", result.level), ("kind", result.kind), ("baselineState", result.state)] {
            if let Some(value) = value {
                write!(text, r#","{name}":"{value}""#).unwrap();
            }
        }
        if result.suppressed {
            text.push_str(r#","suppressions":[{"kind":"external"}]"#);
        }
        text.push('}');
    }
    let results = format!(r#""results":[{text}]"#);
    let members = if rules_first { format!("{RULES},{results}") } else { format!("{results},{RULES}") };
    format!(r#"{{"version":"2.1.0","runs":[{{{members}}}]}}"#)
}

fn counts(log: &str, which: Which) -> Counts {
    read(log.as_bytes(), which).unwrap().1.counts()
}

proptest! {
    #[test]
    fn the_order_of_members_and_results_does_not_matter(mut results in prop::collection::vec(given(), 0..20)) {
        for which in [Which::All, Which::OnlyNew] {
            let expected = counts(&log(&results, true), which);
            prop_assert_eq!(expected, counts(&log(&results, false), which));
            results.reverse();
            prop_assert_eq!(expected, counts(&log(&results, true), which));
        }
    }

    #[test]
    fn every_result_is_counted_once_and_new_ones_are_a_part(results in prop::collection::vec(given(), 0..20)) {
        let log = log(&results, true);
        let (_, all) = read(log.as_bytes(), Which::All).unwrap();
        let (_, new) = read(log.as_bytes(), Which::OnlyNew).unwrap();
        for summary in [&all, &new] {
            let uncounted = summary.uncounted();
            let others = uncounted.suppressed + uncounted.absent + uncounted.known + uncounted.not_failed;
            prop_assert_eq!(summary.counts().total() + others, results.len() as u64);
        }
        prop_assert!(new.counts().error <= all.counts().error && new.counts().total() <= all.counts().total());
    }

    /// Taking away what excuses a result, or making it worse, never lowers the count of errors.
    #[test]
    fn worse_is_never_greener(results in prop::collection::vec(given(), 1..20), at in any::<prop::sample::Index>()) {
        let before = counts(&log(&results, true), Which::All);
        let mut worse = results.clone();
        let at = at.index(worse.len());
        worse[at] = Given { level: Some("error"), kind: None, state: None, suppressed: false, ..worse[at].clone() };
        let after = counts(&log(&worse, true), Which::All);
        prop_assert!(after.error >= before.error && after.error > 0);
        worse.push(worse[at].clone());
        prop_assert_eq!(counts(&log(&worse, true), Which::All).error, after.error + 1);
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, Which::All);
        let _ = read(&[b"{\"version\":\"2.1.0\",\"runs\":[{", &bytes[..]].concat(), Which::All);
    }

    #[test]
    fn damage_never_panics(
        results in prop::collection::vec(given(), 0..5),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = log(&results, true).into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(&bytes, Which::OnlyNew);
    }
}
