//! What is found in a log.

use std::fmt;

/// How serious a result is (SARIF 2.1.0, 3.27.10), from nothing to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// No problem, or one whose seriousness does not apply.
    None,
    /// A minor problem, or an opportunity to improve.
    Note,
    /// A problem.
    Warning,
    /// A serious problem.
    Error,
}

impl Level {
    /// The name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Level> {
        [Level::None, Level::Note, Level::Warning, Level::Error].into_iter().find(|level| level.name() == name)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The property `security-severity` of a rule or result, from 0.0 to 10.0, in the classes that GitHub code scanning
/// gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecuritySeverity {
    /// Above 0.
    Low,
    /// 4.0 or more.
    Medium,
    /// 7.0 or more.
    High,
    /// 9.0 or more.
    Critical,
}

impl SecuritySeverity {
    /// The name in configuration and output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SecuritySeverity::Low => "low",
            SecuritySeverity::Medium => "medium",
            SecuritySeverity::High => "high",
            SecuritySeverity::Critical => "critical",
        }
    }

    /// The class of a score; none for 0.
    #[must_use]
    pub fn of(score: f64) -> Option<SecuritySeverity> {
        match score {
            score if score >= 9.0 => Some(SecuritySeverity::Critical),
            score if score >= 7.0 => Some(SecuritySeverity::High),
            score if score >= 4.0 => Some(SecuritySeverity::Medium),
            score if score > 0.0 => Some(SecuritySeverity::Low),
            _ => None,
        }
    }
}

impl fmt::Display for SecuritySeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How a result compares with the baseline that the tool was given (SARIF 2.1.0, 3.27.24). Results that are `absent`,
/// gone since the baseline, never count and are no findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BaselineState {
    /// It was not there before.
    New,
    /// It was there in the same form.
    Unchanged,
    /// It was there in another form.
    Updated,
}

/// Which results count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Which {
    /// All that are there now.
    #[default]
    All,
    /// Those with the baseline state `new`, and those without a baseline state: nothing says that they are old.
    OnlyNew,
}

/// Counted results: of kind `fail`, not suppressed, not absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Results of level error.
    pub error: u64,
    /// Results of level warning.
    pub warning: u64,
    /// Results of level note.
    pub note: u64,
    /// Results of level none.
    pub none: u64,
    /// Results of any level with a security severity of 9.0 or more.
    pub critical: u64,
    /// Results of any level with a security severity from 7.0.
    pub high: u64,
    /// Results of any level with a security severity from 4.0.
    pub medium: u64,
    /// Results of any level with a lower security severity above 0.
    pub low: u64,
}

impl Counts {
    /// Counted results of every level.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.error + self.warning + self.note + self.none
    }

    pub(crate) fn add(&mut self, level: Level, security: Option<SecuritySeverity>, count: u64) {
        let of_level = match level {
            Level::Error => &mut self.error,
            Level::Warning => &mut self.warning,
            Level::Note => &mut self.note,
            Level::None => &mut self.none,
        };
        *of_level += count;
        match security {
            Some(SecuritySeverity::Critical) => self.critical += count,
            Some(SecuritySeverity::High) => self.high += count,
            Some(SecuritySeverity::Medium) => self.medium += count,
            Some(SecuritySeverity::Low) => self.low += count,
            None => {}
        }
    }
}

/// Results that are not in [`Counts`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uncounted {
    /// Suppressed, and the suppression was not put in doubt.
    pub suppressed: u64,
    /// Gone since the baseline.
    pub absent: u64,
    /// Only if new results alone count: there before.
    pub known: u64,
    /// Of kind `pass`, `notApplicable` or `informational`.
    pub not_failed: u64,
    /// Of kind `open` or `review`: the tool could not decide, a person has to.
    pub undecided: u64,
}

/// A counted result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The log.
    pub source: String,
    /// The tool.
    pub tool: String,
    /// The rule's id; empty if the result names none.
    pub rule: String,
    /// How serious it is.
    pub level: Level,
    /// Its security severity.
    pub security_severity: Option<SecuritySeverity>,
    /// What is wrong, cut to [`Limits::message`](crate::Limits::message). The id of the message, where that is all the
    /// result has.
    pub message: String,
    /// The file, as the log names it; empty if the result has no place.
    pub file: String,
    /// The line in the file, from 1.
    pub line: Option<u64>,
    /// How it compares with the tool's baseline.
    pub baseline_state: Option<BaselineState>,
}

impl Finding {
    /// Where it is: `file:line`, `file`, or nothing.
    #[must_use]
    pub fn place(&self) -> String {
        match self.line {
            Some(line) if !self.file.is_empty() => format!("{}:{line}", self.file),
            _ => self.file.clone(),
        }
    }
}

impl fmt::Display for Finding {
    /// Writes `error CA1000 at src/a.cs:3: do not declare ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.level)?;
        if !self.rule.is_empty() {
            write!(f, " {}", self.rule)?;
        }
        if !self.file.is_empty() {
            write!(f, " at {}", self.place())?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// Something in a readable log because of which its results are not the whole evidence, or not certain.
///
/// A log with a problem must not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The log.
    pub source: String,
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// What is wrong, for people, without the log's name.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.message)
    }
}

/// What sort of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The log has no runs, or a run has no results: not even an empty array, which would say that nothing was found.
    NotScanned,
    /// The tool says that it did not finish, or that something went wrong.
    ToolFailed,
    /// Results or rules are in other files or places, which are not read.
    Incomplete,
    /// A value that decides how a result counts is not one that SARIF 2.1.0 knows. It was taken for the worst.
    UnknownValue,
    /// A result says two things that exclude each other, or refers to a rule that is not there.
    Contradiction,
}

/// What is known about a log after it was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFacts {
    /// Bytes read.
    pub bytes: u64,
    /// Runs, those without results included.
    pub runs: u64,
    /// Runs that list results, if only an empty array of them.
    pub scanned_runs: u64,
    /// Results listed, those that do not count included.
    pub results: u64,
    /// The tools' names, the first sixteen, each once.
    pub tools: Vec<String>,
    /// When the first invocation ended, as written; empty if the log does not say.
    pub timestamp: String,
}
