//! Rules that a seed decides: the same seed gives the same faults to the same calls.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

/// Which of those that a rule is for meet its fault. They are counted from 1 for each rule and each name, so that calls
/// of different operations do not change each other's faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Each of them.
    Always,
    /// As many of the first.
    First(u64),
    /// The one of this number.
    Nth(u64),
    /// So many of a hundred, as the seed decides.
    Percent(u8),
}

/// Rules that say who meets which fault `F`. The first rule that applies decides.
#[derive(Debug)]
pub struct Rules<F> {
    seed: u64,
    rules: Vec<Rule<F>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Rule<F> {
    name: String,
    subject: String,
    when: When,
    fault: F,
}

#[derive(Debug, Default)]
struct State {
    /// By the rule's number and the name.
    seen: HashMap<(usize, String), u64>,
    met: Vec<String>,
}

impl<F: Clone + Debug> Rules<F> {
    /// Rules without any rule.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, rules: Vec::new(), state: Mutex::default() }
    }

    /// Adds a rule for what has this name, for example an operation, and this subject, for example the key of an
    /// object. A `*` in either stands for any text, also for none.
    #[must_use]
    pub fn rule(mut self, name: &str, subject: &str, when: When, fault: F) -> Self {
        self.rules.push(Rule { name: name.to_owned(), subject: subject.to_owned(), when, fault });
        self
    }

    /// Whether there is no rule, so that nothing can meet a fault.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The fault that this one meets; each question counts.
    pub fn decide(&self, name: &str, subject: &str) -> Option<F> {
        let shown = if subject.is_empty() { String::new() } else { format!(" {subject}") };
        self.decide_as(name, subject, &shown)
    }

    /// [`decide`](Self::decide) for a subject that nobody is to see in [`met`](Self::met).
    pub fn decide_quietly(&self, name: &str, subject: &str) -> Option<F> {
        self.decide_as(name, subject, "")
    }

    fn decide_as(&self, name: &str, subject: &str, shown: &str) -> Option<F> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut decided = None;
        for (at, rule) in self.rules.iter().enumerate() {
            if !matches(&rule.name, name) || !matches(&rule.subject, subject) {
                continue;
            }
            // Every rule counts, whether it decides or not, so that rules do not change each other's numbers.
            let seen = state.seen.entry((at, name.to_owned())).or_default();
            *seen += 1;
            let number = *seen;
            let applies = match rule.when {
                When::Always => true,
                When::First(count) => number <= count,
                When::Nth(nth) => number == nth,
                When::Percent(percent) => self.draw(at, name, number) < u64::from(percent),
            };
            if applies && decided.is_none() {
                decided = Some((number, rule.fault.clone()));
            }
        }
        let (number, fault) = decided?;
        state.met.push(format!("{name}{shown} {number}: {fault:?}"));
        Some(fault)
    }

    /// What has met a fault so far, in order: the name, the subject, its number, and the fault.
    pub fn met(&self) -> Vec<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).met.clone()
    }

    /// A number from 0 to 99 that depends on nothing but the seed and what is asked.
    fn draw(&self, rule: usize, name: &str, number: u64) -> u64 {
        let rule = u64::try_from(rule).unwrap_or(u64::MAX);
        let words = [rule, number].into_iter().chain(name.bytes().map(u64::from));
        words.fold(mixed(self.seed), |state, word| mixed(state ^ word)) % 100
    }
}

/// One step of SplitMix64.
fn mixed(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Whether a text is what a pattern says; `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "a", true),
            ("", "", true),
            ("", "a", false),
            ("GetObject", "GetObject", true),
            ("GetObject", "GetObjectAcl", false),
            ("Get*", "GetObject", true),
            ("Get*", "PutObject", false),
            ("*/jobs/*", "state/jobs/1.json", true),
            ("*/jobs/*", "state/verdicts/1.json", false),
            ("*.json", "a.json.json", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} {text:?}");
        }
    }

    fn drawn(seed: u64, percent: u8, names: &[&str]) -> Vec<bool> {
        let rules = Rules::seeded(seed).rule("*", "*", When::Percent(percent), ());
        names.iter().map(|name| rules.decide(name, "").is_some()).collect()
    }

    #[test]
    fn a_seed_decides_and_nothing_else() {
        let calls = ["GetPipeline"; 1000];
        let first = drawn(1, 30, &calls);
        assert_eq!(first, drawn(1, 30, &calls));
        assert_ne!(first, drawn(2, 30, &calls));
        let hits = first.iter().filter(|hit| **hit).count();
        assert!((250..350).contains(&hits), "{hits} of 1000 calls meet a fault of 30 percent");
        // Other operations in between change nothing.
        let mixed: Vec<_> = (0..1000).flat_map(|_| ["GetPipeline", "ListPipelines"]).collect();
        let among: Vec<_> = drawn(1, 30, &mixed).into_iter().step_by(2).collect();
        assert_eq!(among, first);
        assert!(drawn(1, 0, &calls).iter().all(|hit| !hit));
        assert!(drawn(1, 100, &calls).iter().all(|hit| *hit));
    }

    #[test]
    fn the_first_rule_that_applies_decides() {
        let rules = Rules::seeded(0)
            .rule("A", "*", When::First(1), "first")
            .rule("A", "*", When::Nth(3), "third")
            .rule("*", "jobs/*", When::Always, "jobs")
            .rule("*", "*", When::Nth(2), "second");
        let asked = [("A", ""), ("A", ""), ("A", ""), ("A", ""), ("B", ""), ("B", ""), ("B", "jobs/1")];
        let found: Vec<_> = asked.into_iter().map(|(name, subject)| rules.decide(name, subject)).collect();
        assert_eq!(found, [Some("first"), Some("second"), Some("third"), None, None, Some("second"), Some("jobs")]);
        let met = ["A 1: \"first\"", "A 2: \"second\"", "A 3: \"third\"", "B 2: \"second\"", "B jobs/1 1: \"jobs\""];
        assert_eq!(rules.met(), met);
    }
}
