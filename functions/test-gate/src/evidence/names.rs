//! Which tests there were, small enough to be kept until the next execution.

use serde::{Deserialize, Serialize};
use test_report::TestCase;

use super::digest::Digests;

/// The most tests whose digests are kept: 8 bytes each, and twice as many in memory while they are collected.
const MAX_DIGESTS: usize = 250_000;
/// The most bytes of names that are kept, so that a missing test can be named and not only counted.
const MAX_NAME_BYTES: usize = 256 * 1024;

/// The tests of an execution: the digests of their names, and the names themselves where they are not too many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Digests of suite, class and name.
    digests: Digests,
    /// The names in the order of `digests`, or none at all.
    names: Vec<String>,
    /// Whether there were more tests than are kept: nothing is kept then, and nothing can be said about missing ones.
    overflow: bool,
}

/// Collects [`Names`] while tests are counted. Tests of the same names are told apart from others when there are many, and
/// at the end: a list that is sorted now and then is quicker than a set.
#[derive(Debug, Default)]
pub(crate) struct NameCollector {
    digests: Vec<u64>,
    /// The names in the order of `digests`, while they are not too many.
    names: Vec<String>,
    name_bytes: usize,
    has_no_names: bool,
    overflow: bool,
}

impl NameCollector {
    /// Notes a test and the digest of its names.
    pub(crate) fn add(&mut self, digest: u64, case: &TestCase<'_>) {
        if self.overflow {
            return;
        }
        self.digests.push(digest);
        if !self.has_no_names {
            let name = case.id();
            self.name_bytes += name.len();
            self.names.push(name);
        }
        if self.digests.len() >= 2 * MAX_DIGESTS || self.name_bytes > 2 * MAX_NAME_BYTES {
            self.compact();
        }
    }

    /// Sorts, keeps one of each, and drops what is too much.
    fn compact(&mut self) {
        if self.has_no_names {
            self.digests.sort_unstable();
            self.digests.dedup();
        } else {
            let mut tests: Vec<_> = self.digests.drain(..).zip(self.names.drain(..)).collect();
            tests.sort_by_key(|(digest, _)| *digest);
            tests.dedup_by_key(|(digest, _)| *digest);
            (self.digests, self.names) = tests.into_iter().unzip();
            self.name_bytes = self.names.iter().map(String::len).sum();
        }
        self.overflow |= self.digests.len() > MAX_DIGESTS;
        self.has_no_names |= self.overflow || self.name_bytes > MAX_NAME_BYTES;
        if self.has_no_names {
            (self.names, self.name_bytes) = (Vec::new(), 0);
        }
        if self.overflow {
            self.digests = Vec::new();
        }
    }

    /// What was collected.
    pub(crate) fn finish(mut self) -> Names {
        self.compact();
        Names { digests: Digests::ascending(self.digests), names: self.names, overflow: self.overflow }
    }
}

impl Names {
    /// The tests that were there `before` and are not now.
    pub(crate) fn vanished(&self, before: &Names) -> Vanished {
        if before.overflow || self.overflow {
            return Vanished::TooMany;
        }
        let mut now = self.digests.iter().peekable();
        let missing = before.digests.iter().enumerate().filter(|(_, digest)| {
            while now.next_if(|now| now < digest).is_some() {}
            now.peek() != Some(digest)
        });
        let missing: Vec<usize> = missing.map(|(number, _)| number).collect();
        let mut names: Vec<_> = missing.iter().filter_map(|number| before.names.get(*number).cloned()).collect();
        names.sort_unstable();
        Vanished::Counted(missing.len() as u64, names)
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

#[cfg(test)]
mod tests {
    use test_report::Outcome;

    use super::super::digest::OwnerDigest;
    use super::*;

    fn names(tests: impl IntoIterator<Item = String>) -> Names {
        let mut collector = NameCollector::default();
        for name in tests {
            let case = TestCase::new(&name, Outcome::Passed);
            collector.add(OwnerDigest::new("", "").of(&case), &case);
        }
        collector.finish()
    }

    #[test]
    fn missing_tests_are_counted_and_named_while_they_are_few() {
        let few = |range: std::ops::Range<u32>| names(range.map(|n| format!("test {n}")));
        let missing = Vanished::Counted(2, vec!["test 0".to_owned(), "test 1".to_owned()]);
        assert_eq!(few(2..12).vanished(&few(0..10)), missing);
        assert_eq!(few(0..12).vanished(&few(0..10)), Vanished::Counted(0, Vec::new()));
        assert_eq!(few(0..0).vanished(&few(0..1)), Vanished::Counted(1, vec!["test 0".to_owned()]));
        let many = |range: std::ops::Range<u32>| names(range.map(|n| format!("a long name of a test {n:0100}")));
        assert_eq!(many(3..5_000).vanished(&many(0..5_000)), Vanished::Counted(3, Vec::new()));
    }

    #[test]
    fn tests_of_the_same_name_are_one() {
        let repeated =
            |times: u32, of: u32| names((0..times * of).map(move |n| format!("a rather long name {}", n % of)));
        assert_eq!(repeated(50_000, 3), repeated(1, 3));
        assert_eq!(repeated(50_000, 3).names.len(), 3);
        assert_eq!(repeated(10, 100_000), repeated(1, 100_000));
    }

    #[test]
    fn of_too_many_tests_nothing_is_said_and_nothing_kept() {
        let numbered = |range: std::ops::Range<u32>| names(range.map(|n| n.to_string()));
        let (most, one) = (numbered(0..250_000), numbered(0..1));
        assert_eq!(one.vanished(&most), Vanished::Counted(249_999, Vec::new()));
        for more in [numbered(0..250_001), numbered(0..1_000_000)] {
            assert_eq!(one.vanished(&more), Vanished::TooMany);
            assert_eq!(more.vanished(&one), Vanished::TooMany);
            assert_eq!(more, Names { overflow: true, ..Names::default() });
        }
    }
}
