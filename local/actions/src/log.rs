//! The log of a build or a deployment: a file, the last lines for an error message, and whoever listens.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// The most bytes that a log file takes. What a build prints after that is still given to the listener.
const MAX_BYTES: u64 = 64 << 20;

/// How many lines, and of which length, go into an error message.
const TAIL_LINES: usize = 12;
const TAIL_LINE: usize = 200;

/// One line of a log, for a listener that shows builds and deployments as they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The build's id (`<project>:<uuid>`) or the deployment's (`d-...`).
    pub execution_id: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The action's name.
    pub action: String,
    /// The text, without line end. Secrets are masked.
    pub text: String,
}

/// Is called for each line. It must not block.
pub type LogListener = Arc<dyn Fn(&LogLine) + Send + Sync>;

/// A log that is being written.
pub(crate) struct Log {
    file: File,
    left: u64,
    tail: VecDeque<String>,
    secrets: Vec<String>,
    line: LogLine,
    listener: Option<LogListener>,
}

impl Log {
    /// Creates the file and its folders. `line` names what the log belongs to.
    pub(crate) fn create(path: &Path, line: LogLine, listener: Option<LogListener>) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::create(path)?;
        Ok(Self { file, left: MAX_BYTES, tail: VecDeque::new(), secrets: Vec::new(), line, listener })
    }

    /// From now on, this value is shown as `***`. Each line of a value of several lines is masked by itself.
    pub(crate) fn mask(&mut self, secret: &str) {
        self.secrets.extend(secret.lines().filter(|line| line.trim().len() > 2).map(str::to_owned));
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// A line that a command has printed.
    pub(crate) fn output(&mut self, text: &str) {
        let text = self.masked(text);
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(text.chars().take(TAIL_LINE).collect());
        self.write(text);
    }

    /// A line about the build or deployment itself.
    pub(crate) fn note(&mut self, source: &str, text: &str) {
        let text = self.masked(text);
        self.write(format!("[{source}] {text}"));
    }

    /// Hides what is secret in `text`.
    pub(crate) fn masked(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// Forgets the last lines, so that [`Log::tail`] starts with the next one.
    pub(crate) fn start_tail(&mut self) {
        self.tail.clear();
    }

    /// The last lines that were printed, for the end of an error message: empty, or starting with a line end.
    pub(crate) fn tail(&self) -> String {
        if self.tail.is_empty() {
            return String::new();
        }
        let lines: Vec<&str> = self.tail.iter().map(String::as_str).collect();
        format!("\nlast output:\n{}", lines.join("\n"))
    }

    fn write(&mut self, text: String) {
        let length = text.len() as u64 + 1;
        // A log that cannot be written (a full disk, say) is no reason to fail what is being logged.
        if length <= self.left {
            self.left -= length;
            let _ = writeln!(self.file, "{text}");
        } else if self.left > 0 {
            self.left = 0;
            let _ = writeln!(self.file, "[stagegate] the log is cut here: it is larger than {MAX_BYTES} bytes");
        }
        self.line.text = text;
        if let Some(listener) = &self.listener {
            listener(&self.line);
        }
    }
}
