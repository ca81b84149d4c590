//! Output variables, fitted to what CodePipeline accepts.

use std::collections::BTreeMap;

use crate::text::floor;

/// The most bytes that all output variables of one action may have (AWS CodePipeline guide, limits).
pub const MAX_OUTPUT_VARIABLES_BYTES: usize = 122_880;

/// What was changed so that the variables fit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Keys that the API would refuse, or for which there was no room.
    pub(crate) dropped: Vec<String>,
    /// Keys whose value was cut.
    pub(crate) cut: Vec<String>,
}

/// Fits variables into the limits: the answer must not be lost because of one of them.
///
/// Keys outside `[A-Za-z0-9@\-_]+` (AWS model) are dropped. When the rest is too large, the longest values are cut to
/// one common length, so that short values, which are the ones that other actions compare, stay whole. Only when the
/// keys alone are too large, the last keys in their order are dropped.
pub(crate) fn fit(variables: BTreeMap<String, String>, limit: usize) -> (BTreeMap<String, String>, Changes) {
    let mut changes = Changes::default();
    let mut kept = BTreeMap::new();
    let mut key_bytes = 0;
    for (key, value) in variables {
        if is_valid_key(&key) && key_bytes + key.len() <= limit {
            key_bytes += key.len();
            kept.insert(key, value);
        } else {
            changes.dropped.push(key);
        }
    }
    let longest = common_length(kept.values().map(String::len).collect(), limit - key_bytes);
    for (key, value) in &mut kept {
        if value.len() > longest {
            value.truncate(floor(value, longest).len());
            changes.cut.push(key.clone());
        }
    }
    (kept, changes)
}

fn is_valid_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'-' | b'_'))
}

/// The greatest length to which all values can be cut so that together they fit into `room`.
fn common_length(mut lengths: Vec<usize>, room: usize) -> usize {
    lengths.sort_unstable();
    let mut room = room;
    let mut others = lengths.len();
    for length in lengths {
        let share = room / others;
        if length > share {
            return share;
        }
        room -= length;
        others -= 1;
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn fits() {
        let long = "x".repeat(50);
        for (given, limit, expected, dropped, cut) in [
            (map(&[("a", "1"), ("b-_@9", "")]), 20, map(&[("a", "1"), ("b-_@9", "")]), vec![], vec![]),
            (
                map(&[("a b", "1"), ("", "2"), ("ä", "3"), ("ok", "4")]),
                20,
                map(&[("ok", "4")]),
                vec!["", "a b", "ä"],
                vec![],
            ),
            (map(&[("a", "short"), ("b", &long)]), 20, map(&[("a", "short"), ("b", &long[..13])]), vec![], vec!["b"]),
            (map(&[("a", "äää"), ("b", "äää")]), 8, map(&[("a", "ä"), ("b", "ä")]), vec![], vec!["a", "b"]),
            (
                map(&[("aaaa", "1"), ("bbbb", "2"), ("c", "3")]),
                5,
                map(&[("aaaa", ""), ("c", "")]),
                vec!["bbbb"],
                vec!["aaaa", "c"],
            ),
        ] {
            let (kept, changes) = fit(given.clone(), limit);
            assert_eq!(kept, expected, "{given:?}");
            assert_eq!(changes.dropped, dropped, "{given:?}");
            assert_eq!(changes.cut, cut, "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn fitted_variables_are_valid_and_within_the_limit(
            variables in prop::collection::btree_map("[a-c@ ä]{0,6}", "[aä🎉]{0,30}", 0..12),
            limit in 0_usize..200,
        ) {
            let (kept, changes) = fit(variables.clone(), limit);
            let total: usize = kept.iter().map(|(key, value)| key.len() + value.len()).sum();
            prop_assert!(total <= limit);
            prop_assert_eq!(kept.len() + changes.dropped.len(), variables.len());
            for (key, value) in &kept {
                prop_assert!(is_valid_key(key));
                prop_assert!(variables[key].starts_with(value.as_str()));
                prop_assert_eq!(changes.cut.contains(key), *value != variables[key]);
            }
            prop_assert_eq!(fit(variables, limit), (kept, changes));
        }
    }
}
