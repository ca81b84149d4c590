//! Which tests there were, small enough to be kept until the next execution.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use test_report::TestCase;

/// The most tests whose digests are kept: 8 bytes each in memory.
const MAX_DIGESTS: usize = 250_000;
/// The most bytes of names that are kept, so that a missing test can be named and not only counted.
const MAX_NAME_BYTES: usize = 256 * 1024;

/// The tests of an execution: the digests of their names, and the names themselves where they are not too many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// FNV-1a digests of suite, class and name, in hexadecimal, 16 digits each.
    digests: Vec<String>,
    /// The names in the order of `digests`, or none at all.
    names: Vec<String>,
    /// Whether there were more tests than are kept: nothing can be said about missing ones then.
    overflow: bool,
}

/// Collects [`Names`] while tests are counted.
#[derive(Debug, Default)]
pub(crate) struct NameCollector {
    seen: HashSet<u64>,
    tests: Vec<(u64, Option<String>)>,
    name_bytes: usize,
    overflow: bool,
}

impl NameCollector {
    pub(crate) fn add(&mut self, case: &TestCase<'_>) {
        let digest = digest(case);
        if !self.seen.insert(digest) {
            return;
        }
        if self.seen.len() > MAX_DIGESTS {
            self.overflow = true;
            return;
        }
        let name = (self.name_bytes <= MAX_NAME_BYTES).then(|| case.id());
        self.name_bytes += name.as_ref().map_or(0, String::len);
        self.tests.push((digest, name));
    }

    pub(crate) fn finish(&self) -> Names {
        let names = match self.name_bytes <= MAX_NAME_BYTES {
            true => self.tests.iter().filter_map(|(_, name)| name.clone()).collect(),
            false => Vec::new(),
        };
        let digests = self.tests.iter().map(|(digest, _)| format!("{digest:016x}")).collect();
        Names { digests, names, overflow: self.overflow }
    }
}

/// The tests that an earlier execution had and this one has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Vanished {
    /// How many, and the names of them that are known.
    Counted(u64, Vec<String>),
    /// One of the two had more tests than are kept.
    TooMany,
}

impl Names {
    pub(crate) fn vanished(&self, now: &Names) -> Vanished {
        if self.overflow || now.overflow {
            return Vanished::TooMany;
        }
        let now: HashSet<&str> = now.digests.iter().map(String::as_str).collect();
        let missing = self.digests.iter().enumerate().filter(|(_, digest)| !now.contains(digest.as_str()));
        let missing: Vec<usize> = missing.map(|(number, _)| number).collect();
        let names = missing.iter().filter_map(|number| self.names.get(*number).cloned()).collect();
        Vanished::Counted(missing.len() as u64, names)
    }
}

/// FNV-1a over suite, class and name. It must stay the same from one release of Stagegate to the next, which the
/// standard library's hashers do not promise.
pub(crate) fn digest(case: &TestCase<'_>) -> u64 {
    let parts = [case.suite, "\0", case.class_name, "\0", case.name];
    parts
        .iter()
        .flat_map(|part| part.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use test_report::Outcome;

    use super::*;

    fn names(tests: impl IntoIterator<Item = String>) -> Names {
        let mut collector = NameCollector::default();
        for name in tests {
            collector.add(&TestCase::new(&name, Outcome::Passed));
        }
        collector.finish()
    }

    #[test]
    fn missing_tests_are_counted_and_named_while_they_are_few() {
        let few = |range: std::ops::Range<u32>| names(range.map(|n| format!("test {n}")));
        let missing = Vanished::Counted(2, vec!["test 0".to_owned(), "test 1".to_owned()]);
        assert_eq!(few(0..10).vanished(&few(2..12)), missing);
        let many = |range: std::ops::Range<u32>| names(range.map(|n| format!("a long name of a test {n:0100}")));
        assert_eq!(many(0..5_000).vanished(&many(3..5_000)), Vanished::Counted(3, Vec::new()));
        assert_eq!(few(0..250_001).vanished(&few(0..1)), Vanished::TooMany);
    }

    #[test]
    fn digests_do_not_change_between_releases() {
        let case = TestCase { suite: "s", class_name: "c", ..TestCase::new("n", Outcome::Passed) };
        assert_eq!(format!("{:016x}", digest(&case)), "345c85fa7f76be19");
    }
}
