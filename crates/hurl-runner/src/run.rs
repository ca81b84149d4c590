//! Runs files: entries in order, with repetition and retries, within a deadline.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use hurl_core::ast::{Entry, SourceInfo};
use hurl_core::types::ToSource as _;

use crate::expectation::{self, Captured};
use crate::fault::Fault;
use crate::files::FileRoot;
use crate::http::client::{Call, Client};
use crate::http::request::RequestSpec;
use crate::http::response::Documents;
use crate::limits::Limits;
use crate::load::HurlFile;
use crate::options::EntryOptions;
use crate::outbound::Outbound;
use crate::query::Answer;
use crate::report::{CallReport, CaptureReport, EntryOutcome, EntryReport, FailureReport, FileReport, micros};
use crate::template::Scope;
use crate::variables::Variables;

/// What a run is given.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How connections are opened.
    pub outbound: Outbound,
    /// The variables that every file begins with. What a file captures stays in that file.
    pub variables: Variables,
    /// Where files that a Hurl file refers to are read. What the option `output` names is kept in memory for later
    /// entries of the same file, and written nowhere.
    pub files: FileRoot,
    /// What a run may cost.
    pub limits: Limits,
    /// When the run has to be over. What has not ended by then has failed.
    pub deadline: Instant,
    /// The `User-Agent` of requests that set none.
    pub user_agent: String,
    /// Whether the entries after a failed one are run too, as with Hurl's `--continue-on-error`.
    pub continue_on_error: bool,
}

impl RunOptions {
    /// Options with default limits, no variables and no files.
    #[must_use]
    pub fn new(outbound: Outbound, deadline: Instant) -> Self {
        Self {
            outbound,
            variables: Variables::new(),
            files: FileRoot::none(),
            limits: Limits::default(),
            deadline,
            user_agent: concat!("hurl/8.1.0 stagegate/", env!("CARGO_PKG_VERSION")).to_owned(),
            continue_on_error: false,
        }
    }
}

/// Runs files, at most `jobs` at a time (at least one), and returns their reports in the order of `files`.
pub async fn run_files(files: &[HurlFile], jobs: usize, options: &RunOptions) -> Vec<FileReport> {
    // A slow file must not keep others from beginning, so they end in any order and are put in theirs at the end.
    let runs = futures_util::stream::iter(files.iter().enumerate())
        .map(|(index, file)| async move { (index, run_file(file, options).await) });
    let mut reports: Vec<(usize, FileReport)> = runs.buffer_unordered(jobs.max(1)).collect().await;
    reports.sort_unstable_by_key(|(index, _)| *index);
    reports.into_iter().map(|(_, report)| report).collect()
}

/// Runs one file.
pub async fn run_file(file: &HurlFile, options: &RunOptions) -> FileReport {
    let begin = Instant::now();
    let client = Client::new(options.outbound.clone(), options.limits, options.user_agent.clone());
    let variables = options.variables.clone();
    let mut run = Run { file, options, client, variables, files: options.files.clone(), reports: Vec::new(), runs: 0 };
    let mut not_run = 0;
    for (index, entry) in file.ast.entries.iter().enumerate() {
        let passed = run.entry(index + 1, entry).await;
        if !passed && !options.continue_on_error {
            not_run = file.ast.entries.len() - index - 1;
            break;
        }
    }
    let passed = run.reports.iter().all(|report| report.outcome != EntryOutcome::Failed);
    FileReport { file: file.name.clone(), passed, duration_us: micros(begin.elapsed()), entries: run.reports, not_run }
}

struct Run<'r> {
    file: &'r HurlFile,
    options: &'r RunOptions,
    client: Client,
    variables: Variables,
    /// The files of the run, with what this file kept.
    files: FileRoot,
    reports: Vec<EntryReport>,
    runs: usize,
}

/// What one attempt at an entry brought.
#[derive(Default)]
struct Attempt {
    calls: Vec<Call>,
    captures: Vec<Captured>,
    faults: Vec<Fault>,
}

impl Run<'_> {
    /// Runs an entry as often as its options say; whether it passed each time.
    async fn entry(&mut self, number: usize, entry: &Entry) -> bool {
        let mut repeated = 0;
        loop {
            let defaults = EntryOptions::new(&self.options.limits);
            let options = match defaults.with(entry.request.options(), &mut self.variables, &self.files) {
                Ok(options) => options,
                Err(fault) => return self.fail(number, entry, fault),
            };
            if options.skip || options.repeat == Some(Some(0)) {
                self.report(number, entry, EntryOutcome::Skipped, Attempt::default());
                return true;
            }
            if !self.sleep(options.delay).await {
                let fault = time_is_up(entry.source_info());
                return self.fail(number, entry, fault);
            }
            if !self.attempts(number, entry, &options).await {
                return false;
            }
            repeated += 1;
            match options.repeat {
                None => return true,
                Some(Some(wanted)) if repeated >= wanted => return true,
                Some(_) => {}
            }
        }
    }

    /// Tries an entry until it passes or its retries are used up.
    async fn attempts(&mut self, number: usize, entry: &Entry, options: &EntryOptions) -> bool {
        let mut retries = 0;
        loop {
            self.runs += 1;
            if self.runs > self.options.limits.max_runs {
                let message = format!("the file runs more than {} entries", self.options.limits.max_runs);
                return self.fail(number, entry, Fault::new(entry.source_info(), "Too many runs", message));
            }
            if Instant::now() >= self.options.deadline {
                return self.fail(number, entry, time_is_up(entry.source_info()));
            }
            let mut attempt = self.attempt(entry, options).await;
            if attempt.faults.is_empty() {
                // As in Hurl, an output that can not be kept is a failure, and no reason to try again.
                attempt.faults.extend(self.keep_output(options, &attempt.calls).err());
                let passed = attempt.faults.is_empty();
                self.report(number, entry, if passed { EntryOutcome::Passed } else { EntryOutcome::Failed }, attempt);
                return passed;
            }
            let may_retry = match options.retry {
                None => false,
                Some(limit) => limit.is_none_or(|limit| retries < limit),
            };
            let remaining = self.options.deadline.saturating_duration_since(Instant::now());
            if !may_retry || options.retry_interval >= remaining {
                self.report(number, entry, EntryOutcome::Failed, attempt);
                return false;
            }
            self.report(number, entry, EntryOutcome::Retried, attempt);
            retries += 1;
            self.sleep(options.retry_interval).await;
        }
    }

    /// Waits, but not beyond the deadline; whether there is time left.
    async fn sleep(&self, duration: Duration) -> bool {
        let remaining = self.options.deadline.saturating_duration_since(Instant::now());
        if !duration.is_zero() {
            tokio::time::sleep(duration.min(remaining)).await;
        }
        duration < remaining
    }

    async fn attempt(&mut self, entry: &Entry, options: &EntryOptions) -> Attempt {
        let files = &self.files;
        let jsonpath_coercion = options.jsonpath_coercion;
        let scope = Scope { variables: &self.variables, files, jsonpath_coercion };
        let mut attempt = Attempt::default();
        let spec = match RequestSpec::new(&entry.request, scope) {
            Ok(spec) => spec,
            Err(fault) => {
                attempt.faults.push(fault);
                return attempt;
            }
        };
        if let Err(fault) = self.cookie_commands(entry) {
            attempt.faults.push(fault);
            return attempt;
        }
        let executed = self.client.execute(&spec, options, self.options.deadline, &mut attempt.calls).await;
        if let Err(error) = executed {
            attempt.faults.push(Fault::new(entry.request.url.source_info, error.title, error.message));
            return attempt;
        }
        self.judge(entry, jsonpath_coercion, &mut attempt);
        attempt
    }

    /// Compares an answer with what the entry expects, and captures from it.
    fn judge(&mut self, entry: &Entry, jsonpath_coercion: bool, attempt: &mut Attempt) {
        let Some(expected) = &entry.response else { return };
        let documents = Documents::default();
        let Some(answer) = Answer::new(&attempt.calls, &documents) else { return };
        attempt.faults = expectation::status_faults(expected, &answer);
        if !attempt.faults.is_empty() {
            return;
        }
        let files = &self.files;
        let captured = expectation::capture(expected, &answer, &mut self.variables, files, jsonpath_coercion);
        match captured {
            Ok(captured) => attempt.captures = captured,
            Err(fault) => {
                attempt.faults.push(fault);
                return;
            }
        }
        let scope = Scope { variables: &self.variables, files, jsonpath_coercion };
        attempt.faults = expectation::faults(expected, &answer, scope);
    }

    /// Keeps the body of the last response where the options name an output, decompressed where they ask for it.
    fn keep_output(&mut self, options: &EntryOptions, calls: &[Call]) -> Result<(), Fault> {
        let (Some((at, name)), Some(call)) = (&options.output, calls.last()) else { return Ok(()) };
        let response = &call.response;
        let bytes = if options.compressed {
            response.bytes().map_err(|error| Fault::new(*at, error.title, error.message))?.into()
        } else {
            response.body.clone()
        };
        let kept = self.files.keep(name, bytes, self.options.limits.max_body_bytes);
        kept.map_err(|fault| Fault::file(*at, name, &fault))
    }

    /// Hurl's commands in comments before a request: `@cookie_storage_set` and `@cookie_storage_clear`.
    fn cookie_commands(&mut self, entry: &Entry) -> Result<(), Fault> {
        let comments = entry.request.line_terminators.iter().filter_map(|line| line.comment.as_ref());
        for comment in comments {
            let text = comment.value.trim_start();
            if let Some(cookie) = text.strip_prefix("@cookie_storage_set:") {
                let added = self.client.cookies.add_netscape(cookie);
                added.map_err(|reason| Fault::new(comment.source_info, "Invalid cookie", reason))?;
            } else if text.starts_with("@cookie_storage_clear") {
                self.client.cookies.clear();
            }
        }
        Ok(())
    }

    fn fail(&mut self, number: usize, entry: &Entry, fault: Fault) -> bool {
        self.report(number, entry, EntryOutcome::Failed, Attempt { faults: vec![fault], ..Attempt::default() });
        false
    }

    fn report(&mut self, number: usize, entry: &Entry, outcome: EntryOutcome, attempt: Attempt) {
        let calls = attempt.calls.iter().map(|call| self.call_report(call)).collect();
        let captures = attempt.captures.iter().map(|captured| CaptureReport {
            name: captured.name.clone(),
            value: if captured.is_redacted { "***".to_owned() } else { self.shown(&captured.value.to_string()) },
        });
        let captures = captures.collect();
        let failures = attempt.faults.iter().map(|fault| self.failure_report(fault)).collect();
        let line = entry.source_info().start.line;
        let request = format!("{} {}", entry.request.method, entry.request.url.to_source());
        let request = self.shown(&request);
        self.reports.push(EntryReport { entry: number, line, request, outcome, calls, captures, failures });
    }

    fn call_report(&self, call: &Call) -> CallReport {
        let response = &call.response;
        CallReport {
            method: call.method.to_string(),
            url: self.shown(&crate::http::url::reported(&response.url)),
            status: response.status,
            version: response.version.to_owned(),
            address: response.ip.to_string(),
            body_bytes: response.body.len() as u64,
            timings: call.timings.into(),
        }
    }

    fn failure_report(&self, fault: &Fault) -> FailureReport {
        let at = fault.at.start;
        let source = self.file.source.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
        FailureReport {
            line: at.line,
            column: at.column,
            title: fault.title.to_owned(),
            message: self.shown(&fault.message),
            actual: fault.actual.as_deref().map(|text| self.shown(text)),
            expected: fault.expected.as_deref().map(|text| self.shown(text)),
            source: self.shown(source),
        }
    }

    /// A text as it may be reported: without secrets, and not longer than the limit. Secrets go first, so that none
    /// is cut in two and left standing.
    fn shown(&self, text: &str) -> String {
        let text = self.variables.redact(text);
        match text.char_indices().nth(self.options.limits.max_report_text) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}

fn time_is_up(at: SourceInfo) -> Fault {
    Fault::new(at, "Time is up", "the time of the run was used up before this entry")
}
