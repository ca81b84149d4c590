//! What the reports of one execution hold, gathered file by file.

use std::io::BufRead;

use stagegate_config::TestsPolicy;
use test_report::{Limits, Observed, ReportError, Summary, read_report};

use crate::required::Required;

/// The most failing tests and problems that are kept with their texts; all of them are counted.
const KEPT: usize = 50;

/// Everything that was read, and everything that could not be.
#[derive(Debug)]
pub struct Evidence {
    /// Totals, failing tests and what does not add up.
    pub summary: Summary,
    /// The report files that were looked at, readable or not, in the order of reading.
    pub files: Vec<ReportFile>,
    /// How many files each pattern of the policy matched, in the order of the patterns.
    pub matches: Vec<u64>,
    /// Where reports were looked for, for messages: `the artifact Reports`, for example.
    pub places: Vec<String>,
    pub(crate) required: Required,
    limits: Limits,
}

/// A report file.
#[derive(Clone, Debug)]
pub struct ReportFile {
    /// Its place: `Reports:reports/TEST-login.xml`, or its path on this machine.
    pub source: String,
    /// A digest of its content, where the place states one.
    pub digest: Option<String>,
    /// Why it cannot be judged, if it cannot.
    pub unreadable: Option<ReportError>,
}

impl Evidence {
    /// No evidence yet, for a policy that asks for `policy.reports` and `policy.required`.
    pub fn new(policy: &TestsPolicy) -> Self {
        Self {
            summary: Summary::keeping(KEPT),
            files: Vec::new(),
            matches: vec![0; policy.reports.len()],
            places: Vec::new(),
            required: Required::new(&policy.required),
            limits: Limits::default(),
        }
    }

    /// Reads one report. A report that cannot be read to its end is kept as such: it is never judged by its first part.
    pub fn read(&mut self, source: String, digest: Option<String>, input: impl BufRead) {
        let mut sink = Observed { summary: &mut self.summary, visitor: &mut self.required };
        let unreadable = read_report(&source, input, None, &self.limits, &mut sink).err();
        self.files.push(ReportFile { source, digest, unreadable });
    }

    /// The files that cannot be judged.
    pub fn unreadable(&self) -> impl Iterator<Item = (&ReportFile, &ReportError)> {
        self.files.iter().filter_map(|file| Some((file, file.unreadable.as_ref()?)))
    }
}
