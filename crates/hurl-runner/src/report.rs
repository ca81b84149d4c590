//! What became of a run. Secrets are replaced by `***` in every text.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::http::client::Timings;

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// The name of the file.
    pub file: String,
    /// Whether every entry ended without a failure. A file without entries passes; see [`Self::entries`].
    pub passed: bool,
    /// How long the file took, in microseconds.
    pub duration_us: u64,
    /// The runs of its entries, in order: an entry that is repeated or tried again has several.
    pub entries: Vec<EntryReport>,
    /// The number of entries that were not reached, because one before failed or the time was up.
    pub not_run: usize,
}

impl FileReport {
    /// The runs that count as failed.
    pub fn failed(&self) -> impl Iterator<Item = &EntryReport> {
        self.entries.iter().filter(|entry| entry.outcome == EntryOutcome::Failed)
    }

    /// The number of requests that were sent, redirects included.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.entries.iter().map(|entry| entry.calls.len()).sum()
    }
}

/// What became of one run of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryReport {
    /// The number of the entry in its file, from 1.
    pub entry: usize,
    /// The line of its request.
    pub line: usize,
    /// The method and the URL as they are written in the file.
    #[serde(default)]
    pub request: String,
    /// How it ended.
    pub outcome: EntryOutcome,
    /// The requests, more than one along redirects.
    pub calls: Vec<CallReport>,
    /// The values that were captured.
    pub captures: Vec<CaptureReport>,
    /// The failures, all of them.
    pub failures: Vec<FailureReport>,
}

/// How a run of an entry ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryOutcome {
    /// Every assert held.
    Passed,
    /// Something failed.
    Failed,
    /// Something failed, and the entry was tried again.
    Retried,
    /// The options said not to run it.
    Skipped,
}

/// One request and its response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// The method.
    pub method: String,
    /// The URL, without user name and password.
    pub url: String,
    /// The status of the response.
    pub status: u16,
    /// The version of the response: `HTTP/1.1`.
    pub version: String,
    /// The address that was connected to.
    pub address: String,
    /// The length of the body as it came, in bytes.
    pub body_bytes: u64,
    /// How long it took.
    pub timings: TimingsReport,
}

/// How long the phases of a request took, in microseconds. Over a connection that was open already, the first three
/// are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimingsReport {
    /// Resolving the name.
    pub dns_us: u64,
    /// Opening the connection.
    pub connect_us: u64,
    /// The TLS handshake.
    pub tls_us: u64,
    /// From the sending of the request to the head of the response.
    pub first_byte_us: u64,
    /// All together, with the body.
    pub total_us: u64,
}

impl From<Timings> for TimingsReport {
    fn from(timings: Timings) -> Self {
        Self {
            dns_us: micros(timings.dns),
            connect_us: micros(timings.connect),
            tls_us: micros(timings.tls),
            first_byte_us: micros(timings.first_byte),
            total_us: micros(timings.total),
        }
    }
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A captured value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureReport {
    /// The name of the variable.
    pub name: String,
    /// The value as text; `***` where it is redacted.
    pub value: String,
}

/// A failed assert, or what kept an entry from being run or judged, in Hurl's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReport {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The headline: `Assert failure`, `Assert status code`, `HTTP connection`.
    pub title: String,
    /// What is wrong.
    pub message: String,
    /// The actual value, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub actual: Option<String>,
    /// The expected value, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected: Option<String>,
    /// The line of the file.
    pub source: String,
}
