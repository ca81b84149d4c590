//! Tests by 64 bits in place of their names.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use test_report::TestCase;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// What the tests of one suite and class have in common in their digests.
///
/// XXH3 is defined to the bit, so a digest stays the same from one release of Stagegate to the next, which the standard
/// library's hashers do not promise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnerDigest(u64);

impl OwnerDigest {
    pub(crate) fn new(suite: &str, class_name: &str) -> Self {
        Self(xxh3_64_with_seed(class_name.as_bytes(), xxh3_64(suite.as_bytes())))
    }

    /// The digest of a test of this suite and class.
    pub(crate) fn of(self, case: &TestCase<'_>) -> u64 {
        xxh3_64_with_seed(case.name.as_bytes(), self.0)
    }
}

/// Digests, each of them once, in ascending order. They are kept in hexadecimal, 16 digits each, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digests(Vec<u64>);

impl Digests {
    /// Digests that are in order, and each there once.
    pub(crate) fn ascending(digests: Vec<u64>) -> Self {
        debug_assert!(digests.is_sorted_by(|a, b| a < b));
        Self(digests)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }

    pub(crate) fn contains(&self, digest: u64) -> bool {
        self.0.binary_search(&digest).is_ok()
    }
}

impl FromIterator<u64> for Digests {
    fn from_iter<I: IntoIterator<Item = u64>>(digests: I) -> Self {
        let mut digests: Vec<_> = digests.into_iter().collect();
        digests.sort_unstable();
        digests.dedup();
        Self(digests)
    }
}

const DIGITS: usize = 16;

impl fmt::Display for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digest| write!(f, "{digest:016x}"))
    }
}

impl Serialize for Digests {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            u64::from_str_radix(digits, 16).ok()
        };
        let (whole, rest) = text.as_bytes().as_chunks::<DIGITS>();
        let digests = whole.iter().map(|digits| digest(digits)).collect::<Option<Vec<_>>>();
        let digests = digests.filter(|digests| rest.is_empty() && digests.is_sorted_by(|a, b| a < b));
        digests.map(Self).ok_or_else(|| D::Error::custom("digests have 16 hexadecimal digits each, and ascend"))
    }
}

#[cfg(test)]
mod tests {
    use test_report::Outcome;

    use super::*;

    #[test]
    fn digests_do_not_change_between_releases() {
        let digest = |suite, class, name| OwnerDigest::new(suite, class).of(&TestCase::new(name, Outcome::Passed));
        assert_eq!(format!("{:016x}", digest("s", "c", "n")), "f47e880920a8d78b");
        assert_ne!(digest("s", "", "cn"), digest("s", "c", "n"));
        assert_ne!(digest("sc", "", "n"), digest("s", "c", "n"));
    }

    #[test]
    fn digests_are_read_as_they_are_written_and_no_other_way() {
        let digests: Digests = [u64::MAX, 0, 1, 0].into_iter().collect();
        let text = serde_json::to_string(&digests).unwrap();
        assert_eq!(text, r#""00000000000000000000000000000001ffffffffffffffff""#);
        assert_eq!(serde_json::from_str::<Digests>(&text).unwrap(), digests);
        assert_eq!(serde_json::from_str::<Digests>(r#""""#).unwrap(), Digests::default());
        for wrong in
            [r#""0""#, r#""000000000000000g""#, r#""+000000000000001""#, r#""0000000000000000000000000000001""#]
        {
            assert!(serde_json::from_str::<Digests>(wrong).is_err(), "{wrong}");
        }
    }
}
