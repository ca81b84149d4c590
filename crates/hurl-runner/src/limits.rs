//! What one run may cost.

use std::time::Duration;

/// Bounds of a run. Over a bound, an entry fails; nothing is cut short in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest body of a response, as it comes and decompressed, in bytes.
    pub max_body_bytes: u64,
    /// The longest head of a response, in bytes.
    pub max_header_bytes: usize,
    /// The most headers of a response.
    pub max_headers: usize,
    /// The most redirects of one request, whatever `max-redirs` says.
    pub max_redirects: usize,
    /// The most runs of entries of one file, with those that `repeat` and `retry` add.
    pub max_runs: usize,
    /// The longest text in a report: a message, an actual value, a captured value; in characters. The rest is
    /// replaced by an ellipsis.
    pub max_report_text: usize,
    /// How long a connection may take where the file does not say.
    pub connect_timeout: Duration,
    /// How long a request with its response may take where the file does not say.
    pub max_time: Duration,
}

impl Default for Limits {
    /// 32 MiB of body, 64 KiB and 100 headers of head, 50 redirects, 10000 runs, 2000 characters; 30 seconds to
    /// connect and 300 for a request, the latter as in Hurl.
    fn default() -> Self {
        Self {
            max_body_bytes: 32 * 1024 * 1024,
            max_header_bytes: 64 * 1024,
            max_headers: 100,
            max_redirects: 50,
            max_runs: 10_000,
            max_report_text: 2000,
            connect_timeout: Duration::from_secs(30),
            max_time: Duration::from_secs(300),
        }
    }
}
