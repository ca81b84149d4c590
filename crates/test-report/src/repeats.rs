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
//! back. Tests without a name are always separate, and so are those of formats that do not list attempts.
//!
//! Names are kept as 64-bit hashes and only for the suite that is being read: exactly for failed tests, and in a filter
//! of bounded size for the others. Whenever memory of a suite is incomplete (the filter is wrong, there are more failed
//! tests than are kept, or the report returns to a suite after another one) a recovered failure is counted as a failure.

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

/// Failed names of one suite that are remembered exactly.
const REMEMBERED: usize = 1 << 16;

#[derive(Debug, Clone, Copy)]
enum History {
    Failing { failed: u32, errored: u32 },
    Recovered { failed: u32, errored: u32 },
    Separate,
}

/// The names seen in the suite that is being read.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    reports: u64,
    suite: Option<u64>,
    highest: Option<u64>,
    /// The suite was left and entered again: names from before were forgotten.
    is_resumed: bool,
    /// The class of the test before; most tests have the same one.
    class_name: String,
    class_hash: u64,
    bad: HashMap<u64, History, BuildHasherDefault<KeyIsHash>>,
    good: Filter,
}

impl Repeats {
    /// Forgets the names: the next report's suites are others.
    pub(crate) fn next_report(&mut self) {
        self.reports += 1;
        (self.suite, self.highest) = (None, None);
    }

    /// The key of a test: equal exactly for executions that may be one test. `None` for tests that are
    /// separate in any case.
    pub(crate) fn key(&mut self, case: &TestCase<'_>) -> Option<u64> {
        if case.name.is_empty() || !case.may_be_attempt {
            return None;
        }
        let seed = fold(self.reports ^ SEED, case.suite_number.wrapping_add(SEED));
        if self.class_name != case.class_name {
            case.class_name.clone_into(&mut self.class_name);
            // Zero is what the empty name begins with, before there is a class.
            self.class_hash = if case.class_name.is_empty() { 0 } else { hash(STEP, case.class_name.as_bytes()) };
        }
        Some(hash(seed ^ self.class_hash, case.name.as_bytes()))
    }

    /// Notes an execution in a suite and says what it is to those before it.
    pub(crate) fn note(&mut self, suite: u64, key: u64, outcome: Outcome) -> Standing {
        if self.suite != Some(suite) {
            self.enter(suite);
        }
        if self.is_resumed {
            Standing::Separate
        } else if outcome.is_bad() {
            self.note_bad(key, outcome)
        } else {
            self.note_good(key, outcome)
        }
    }

    fn enter(&mut self, suite: u64) {
        self.is_resumed = self.highest.is_some_and(|highest| suite <= highest);
        self.highest = self.highest.max(Some(suite));
        self.suite = Some(suite);
        self.bad.clear();
        self.good.clear();
    }

    fn note_bad(&mut self, key: u64, outcome: Outcome) -> Standing {
        let (failed, errored) = if outcome == Outcome::Failed { (1, 0) } else { (0, 1) };
        match self.bad.get_mut(&key) {
            Some(History::Failing { failed: f, errored: e }) => {
                *f = f.saturating_add(failed);
                *e = e.saturating_add(errored);
                Standing::Separate
            }
            Some(history @ History::Recovered { .. }) => take_back(history),
            Some(History::Separate) => Standing::Separate,
            None => {
                if self.bad.len() < REMEMBERED && !self.good.may_hold(key) {
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
        self.good.put(key);
        Standing::Separate
    }
}

fn take_back(history: &mut History) -> Standing {
    let History::Recovered { failed, errored } = *history else { return Standing::Separate };
    *history = History::Separate;
    Standing::Relapse { failed, errored }
}

/// A Bloom filter that grows by layers, each four times as large as the one before.
///
/// A layer takes 4 keys for each of its words of 64 bits, and with 4 bits for each key is wrong about fewer than 1 in 200.
/// The last layer, of 512 KiB, takes what comes: with a million keys it is wrong about one in four.
#[derive(Debug, Default)]
struct Filter {
    layers: Vec<Vec<u64>>,
    used: usize,
    room: usize,
}

const FIRST_LAYER_WORDS: usize = 1 << 6;
const MOST_LAYERS: usize = 6;

impl Filter {
    fn clear(&mut self) {
        for layer in &mut self.layers[..self.used] {
            layer.fill(0);
        }
        (self.used, self.room) = (0, 0);
    }

    fn put(&mut self, key: u64) {
        if self.room == 0 && self.used < MOST_LAYERS {
            let words = FIRST_LAYER_WORDS << (2 * self.used);
            if self.used == self.layers.len() {
                self.layers.push(vec![0; words]);
            }
            self.used += 1;
            self.room = words * 4;
        }
        self.room = self.room.saturating_sub(1);
        let layer = &mut self.layers[self.used - 1];
        let (word, bits) = filter_place(key, layer.len());
        layer[word] |= bits;
    }

    fn may_hold(&self, key: u64) -> bool {
        self.layers[..self.used].iter().any(|layer| {
            let (word, bits) = filter_place(key, layer.len());
            layer[word] & bits == bits
        })
    }
}

/// A word of a layer, and four of its bits.
fn filter_place(key: u64, words: usize) -> (usize, u64) {
    let word = usize::try_from(key >> 32).unwrap_or_default() & (words - 1);
    (word, 1 << (key & 63) | 1 << (key >> 6 & 63) | 1 << (key >> 12 & 63) | 1 << (key >> 18 & 63))
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const STEP: u64 = 0xd6e8_feb8_6659_fd93;

/// A hash that is fast on short names. It need not resist an attacker: who writes the names writes the outcomes too.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let state = fold(seed ^ STEP, bytes.len() as u64 ^ SEED);
    if let Some(last) = bytes.last_chunk() {
        // The last chunk overlaps with the one before it, which does no harm as the length has a part in the hash.
        let state = bytes.as_chunks().0.iter().fold(state, fold_chunk);
        fold_chunk(state, last)
    } else {
        let mut only = [0; 16];
        only[..bytes.len()].copy_from_slice(bytes);
        fold_chunk(state, &only)
    }
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
