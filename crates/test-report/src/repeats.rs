//! Which executions are one test run again.
//!
//! Runners that repeat a failed test (Gradle's test-retry, gotestsum's `--rerun-fails`, ...) list every attempt as a
//! test of its own, under the same name in the same suite. Others list different tests under one name, because the
//! names of parameters were left out. The two must not be confused: the first is one test that is flaky, the second may
//! be a failure that a later success would hide.
//!
//! The rule: **failures followed by a success, with no success before them, under the same class and name in the same
//! suite element, are one flaky test.** A runner that repeats a failed test leaves exactly this, because nothing is
//! repeated after it passed. Any other repetition (a success first, two successes, a skip, a failure last) is counted
//! as separate tests, each with its own outcome; when it shows only after a recovery was counted, the recovery is taken
//! back. Tests without a name are always separate.
//!
//! Names are kept as 64-bit hashes: exactly for failed tests, and in a filter of fixed size for the others. Whenever the
//! filter is wrong, or there are more failed tests than are kept, a recovered failure is counted as a failure.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::model::{Outcome, TestCase};

/// What an execution is to those counted before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// A test of its own.
    Separate,
    /// The success of a test whose `failures` earlier executions were counted as bad: they are one flaky test now.
    Recovery {
        /// Executions of the test that failed.
        failed: u32,
        /// Executions of the test that errored.
        errored: u32,
    },
    /// A test of its own that shows that an earlier [`Recovery`](Standing::Recovery) was none: those executions are
    /// separate tests again.
    Relapse {
        /// Executions that failed before the recovery that is taken back.
        failed: u32,
        /// Executions that errored before the recovery that is taken back.
        errored: u32,
    },
}

/// Failed names that are remembered exactly.
const REMEMBERED: usize = 1 << 17;
/// Words of 64 bits in the filter: 512 KiB, which stays in a processor's cache. Up to 200,000 names in one report it is
/// wrong about less than one name in a thousand; at a million, about one in seven.
const FILTER_WORDS: usize = 1 << 16;

#[derive(Debug, Clone, Copy)]
enum History {
    Failing { failed: u32, errored: u32 },
    Recovered { failed: u32, errored: u32 },
    Separate,
}

/// The names seen in the reports so far.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    reports: u64,
    bad: HashMap<u64, History, BuildHasherDefault<KeyIsHash>>,
    good: Vec<u64>,
    good_count: usize,
}

impl Repeats {
    /// Forgets the names: the next report's suites are others.
    pub(crate) fn next_report(&mut self) {
        self.reports += 1;
        self.bad.clear();
        // The number of the report is a part of every hash, so an old filter does no harm until it is full.
        if self.good_count > FILTER_WORDS {
            self.good.fill(0);
            self.good_count = 0;
        }
    }

    /// The key of a test: equal exactly for executions that may be one test. `None` for tests without a name.
    pub(crate) fn key(&self, case: &TestCase<'_>) -> Option<u64> {
        if case.name.is_empty() {
            return None;
        }
        let seed = fold(self.reports ^ SEED, case.suite_number.wrapping_add(SEED));
        Some(hash(hash(seed, case.class_name.as_bytes()), case.name.as_bytes()))
    }

    /// Notes an execution and says what it is to those before it.
    pub(crate) fn note(&mut self, key: u64, outcome: Outcome) -> Standing {
        if outcome.is_bad() { self.note_bad(key, outcome) } else { self.note_good(key, outcome) }
    }

    fn note_bad(&mut self, key: u64, outcome: Outcome) -> Standing {
        let (failed, errored) = if outcome == Outcome::Failed { (1, 0) } else { (0, 1) };
        let passed_before = self.is_in_filter(key);
        match self.bad.get_mut(&key) {
            Some(History::Failing { failed: f, errored: e }) => {
                *f = f.saturating_add(failed);
                *e = e.saturating_add(errored);
                Standing::Separate
            }
            Some(history @ History::Recovered { .. }) => take_back(history),
            Some(History::Separate) => Standing::Separate,
            None => {
                if !passed_before && self.bad.len() < REMEMBERED {
                    self.bad.insert(key, History::Failing { failed, errored });
                }
                Standing::Separate
            }
        }
    }

    fn note_good(&mut self, key: u64, outcome: Outcome) -> Standing {
        if !self.bad.is_empty()
            && let Some(history) = self.bad.get_mut(&key)
        {
            return match *history {
                History::Failing { failed, errored } if outcome == Outcome::Passed => {
                    *history = History::Recovered { failed, errored };
                    Standing::Recovery { failed, errored }
                }
                History::Recovered { .. } => take_back(history),
                History::Failing { .. } | History::Separate => {
                    *history = History::Separate;
                    Standing::Separate
                }
            };
        }
        self.put_into_filter(key);
        Standing::Separate
    }

    fn is_in_filter(&self, key: u64) -> bool {
        let (word, bits) = filter_place(key);
        self.good.get(word).is_some_and(|have| have & bits == bits)
    }

    fn put_into_filter(&mut self, key: u64) {
        if self.good.is_empty() {
            self.good = vec![0; FILTER_WORDS];
        }
        let (word, bits) = filter_place(key);
        self.good[word] |= bits;
        self.good_count += 1;
    }
}

fn take_back(history: &mut History) -> Standing {
    let History::Recovered { failed, errored } = *history else { return Standing::Separate };
    *history = History::Separate;
    Standing::Relapse { failed, errored }
}

/// A word of the filter, and four of its bits.
fn filter_place(key: u64) -> (usize, u64) {
    let word = usize::try_from(key >> 40).unwrap_or(usize::MAX) % FILTER_WORDS;
    (word, 1 << (key & 63) | 1 << (key >> 6 & 63) | 1 << (key >> 12 & 63) | 1 << (key >> 18 & 63))
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const STEP: u64 = 0xd6e8_feb8_6659_fd93;

/// A hash that is fast on short names. It need not resist an attacker: who writes the names writes the outcomes too.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = fold(seed ^ STEP, bytes.len() as u64 ^ SEED);
    let (chunks, rest) = bytes.as_chunks::<16>();
    for chunk in chunks {
        state = fold_chunk(state, chunk);
    }
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    fold_chunk(state, &last)
}

fn fold_chunk(state: u64, chunk: &[u8; 16]) -> u64 {
    let (words, _) = chunk.as_chunks::<8>();
    fold(state ^ u64::from_le_bytes(words[0]), STEP ^ u64::from_le_bytes(words[1]))
}

/// Multiplies to 128 bits and folds the halves together, so that every bit of both factors has its say.
fn fold(a: u64, b: u64) -> u64 {
    let (low, high) = a.carrying_mul(b, 0);
    low ^ high
}

/// The keys of the map are hashes already.
#[derive(Debug, Default, Clone, Copy)]
struct KeyIsHash(u64);

impl std::hash::Hasher for KeyIsHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
