//! Many patterns at once.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::NamePattern;

/// Patterns that every test of a report is held against.
///
/// What a name costs does not grow with the patterns without a wildcard: all of them are one look into a table. Of those
/// with a wildcard, the ones that end like the name are tried, and those that end with a wildcard; most of them differ
/// in the first byte that is compared.
#[derive(Clone, Debug, Default)]
pub struct NamePatterns {
    literal: HashMap<String, Vec<usize>, RandomState>,
    /// A bit for each length that a literal pattern has; the last one stands for all greater lengths.
    lengths: u128,
    /// A bit for each byte that a pattern ends with; all of them, if one ends with a wildcard.
    last_bytes: [u128; 2],
    /// Patterns with wildcards by the byte that they end with.
    wild: HashMap<Option<u8>, Vec<(usize, NamePattern)>, RandomState>,
}

impl NamePatterns {
    /// The given patterns, which are known by their number from here on.
    pub fn new<'a>(patterns: impl IntoIterator<Item = (usize, &'a NamePattern)>) -> Self {
        let mut these = Self::default();
        for (number, pattern) in patterns {
            match pattern.last_byte() {
                Some(last) => these.last_bytes[usize::from(last >> 7)] |= 1 << (last & 127),
                None => these.last_bytes = [u128::MAX; 2],
            }
            match pattern.literal() {
                Some(literal) => {
                    these.lengths |= length_bit(literal);
                    these.literal.entry(literal.to_owned()).or_default().push(number);
                }
                None => these.wild.entry(pattern.last_byte()).or_default().push((number, pattern.clone())),
            }
        }
        these
    }

    /// Whether there is no pattern.
    pub fn is_empty(&self) -> bool {
        self.lengths == 0 && self.wild.is_empty()
    }

    /// Whether a name that ends with `ending` may match at all: for names that it costs something to form. Where this says
    /// no, none does.
    pub fn may_match_ending(&self, ending: &str) -> bool {
        let set = |last: &u8| self.last_bytes[usize::from(last >> 7)] & 1 << (last & 127) != 0;
        ending.as_bytes().last().is_none_or(set)
    }

    /// The numbers of the patterns that `name` matches, in no order.
    pub fn matching(&self, name: &str) -> impl Iterator<Item = usize> {
        let may_be_literal = self.lengths & length_bit(name) != 0;
        let literal = may_be_literal.then(|| self.literal.get(name)).flatten();
        let bytes = name.as_bytes();
        let wild = [None, bytes.last().copied()].into_iter().take(1 + usize::from(!bytes.is_empty()));
        let wild = wild.filter_map(|last| self.wild.get(&last)).flatten();
        let wild = wild.filter(move |(_, pattern)| pattern.may_match(bytes) && pattern.matches(name));
        literal.into_iter().flatten().copied().chain(wild.map(|(number, _)| *number))
    }
}

fn length_bit(name: &str) -> u128 {
    1 << name.len().min(127)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn together_they_match_what_each_matches_alone(
            patterns in proptest::collection::vec("[ab*?]{0,3}|[ab]{0,3}|a{126,129}", 0..12),
            name in "[ab]{0,4}|a{126,129}",
        ) {
            let patterns: Vec<_> = patterns.iter().map(|pattern| NamePattern::new(pattern)).collect();
            let together = NamePatterns::new(patterns.iter().enumerate());
            let mut found: Vec<_> = together.matching(&name).collect();
            found.sort_unstable();
            let alone = patterns.iter().enumerate().filter(|(_, pattern)| pattern.matches(&name));
            proptest::prop_assert!(found.is_empty() || (0..=name.len()).all(|at| together.may_match_ending(&name[at..])));
            proptest::prop_assert_eq!(found, alone.map(|(number, _)| number).collect::<Vec<_>>());
            proptest::prop_assert_eq!(together.is_empty(), patterns.is_empty());
        }
    }
}
