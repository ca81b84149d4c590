//! The bounds of what is read from one artifact.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Problem;

/// Bounds of what is read from one artifact. Going over one is an error, never a shorter result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Entries in the central directory, folders included. Default 200,000 (CodePipeline takes at most 100,000 files from
    /// an S3 source; a build may add more).
    pub entries: u64,
    /// Bytes of the central directory. It is parsed while it arrives, so this bounds the download. Default 32 MiB.
    pub directory_bytes: u64,
    /// Files that one selection may match. Default 10,000.
    pub selected_files: u64,
    /// Inflated bytes of one entry, by its header and as counted. Default 512 MiB.
    pub entry_bytes: u64,
    /// Inflated bytes of all entries read from one artifact together, as counted. Default 1 GiB.
    pub total_bytes: u64,
    /// Inflated bytes of an entry that is read into memory as a whole. Default 16 MiB.
    pub in_memory_bytes: u64,
    /// Inflated bytes per compressed byte of one entry, counted once the entry exceeds [`Limits::RATIO_APPLIES_FROM`].
    /// Deflate itself ends near 1,032; reports full of repeated lines reach some hundred. Default 500.
    pub ratio: u64,
}

impl Limits {
    /// Inflated bytes of an entry from which on its ratio is judged: small files may compress as well as they like.
    pub const RATIO_APPLIES_FROM: u64 = 1024 * 1024;

    /// Whether an entry of `compressed` bytes may inflate to `inflated` bytes.
    pub(crate) fn check_entry(&self, compressed: u64, inflated: u64) -> Result<(), Problem> {
        Limit::EntryBytes.check(inflated, self.entry_bytes)?;
        if inflated > Self::RATIO_APPLIES_FROM && inflated / self.ratio.max(1) > compressed {
            let observed = inflated.checked_div(compressed).unwrap_or(inflated);
            return Err(Problem::LimitExceeded { limit: Limit::Ratio, observed, allowed: self.ratio });
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 200_000,
            directory_bytes: 32 * 1024 * 1024,
            selected_files: 10_000,
            entry_bytes: 512 * 1024 * 1024,
            total_bytes: 1024 * 1024 * 1024,
            in_memory_bytes: 16 * 1024 * 1024,
            ratio: 500,
        }
    }
}

/// The limit that was exceeded; each is a field of [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::entries`]
    Entries,
    /// [`Limits::directory_bytes`]
    DirectoryBytes,
    /// [`Limits::selected_files`]
    SelectedFiles,
    /// [`Limits::entry_bytes`]
    EntryBytes,
    /// [`Limits::total_bytes`]
    TotalBytes,
    /// [`Limits::in_memory_bytes`]
    InMemoryBytes,
    /// [`Limits::ratio`]
    Ratio,
}

impl Limit {
    /// `Err` when `observed` is more than `allowed`.
    pub(crate) fn check(self, observed: u64, allowed: u64) -> Result<(), Problem> {
        if observed > allowed {
            return Err(Problem::LimitExceeded { limit: self, observed, allowed });
        }
        Ok(())
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entries => "entries in the archive",
            Self::DirectoryBytes => "bytes of central directory",
            Self::SelectedFiles => "files matched by the patterns",
            Self::EntryBytes => "bytes in one file",
            Self::TotalBytes => "bytes in all files read from one artifact",
            Self::InMemoryBytes => "bytes in a file that is read into memory",
            Self::Ratio => "inflated bytes per compressed byte",
        })
    }
}

/// What all readers of one artifact have inflated so far.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    inflated: AtomicU64,
}

impl Budget {
    /// Counts `bytes` more against `limits`.
    pub(crate) fn charge(&self, bytes: u64, limits: &Limits) -> Result<(), Problem> {
        let before = self.inflated.fetch_add(bytes, Ordering::Relaxed);
        Limit::TotalBytes.check(before.saturating_add(bytes), limits.total_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_judged_by_size_and_by_ratio_at_the_edge() {
        const MIB: u64 = 1024 * 1024;
        let limits = Limits { entry_bytes: 8 * MIB, ratio: 4, ..Limits::default() };
        let cases = [
            // compressed, inflated, the limit exceeded
            (2 * MIB, 8 * MIB, None),
            (2 * MIB, 8 * MIB + 1, Some(Limit::EntryBytes)),
            (1, MIB, None),
            (1, MIB + 1, Some(Limit::Ratio)),
            (0, MIB + 1, Some(Limit::Ratio)),
            (MIB, 4 * MIB, None),
            (MIB - 1, 4 * MIB, Some(Limit::Ratio)),
        ];
        for (compressed, inflated, expected) in cases {
            let exceeded = match limits.check_entry(compressed, inflated) {
                Ok(()) => None,
                Err(Problem::LimitExceeded { limit, .. }) => Some(limit),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(exceeded, expected, "{compressed} -> {inflated}");
        }
    }

    #[test]
    fn the_budget_is_one_for_all_readers() {
        let limits = Limits { total_bytes: 10, ..Limits::default() };
        let budget = Budget::default();
        assert!(budget.charge(6, &limits).is_ok());
        assert!(budget.charge(4, &limits).is_ok());
        assert!(budget.charge(1, &limits).is_err());
    }
}
