//! Where the lines of functions and of the platform go.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use stagegate_local_clock::Clock;
use uuid::Uuid;

use crate::config::FunctionConfig;

/// The tail of the log that an invocation returns, in bytes (AWS Lambda API reference, `LogType`).
pub(crate) const TAIL_BYTES: usize = 4096;

/// How many log files [`LogFiles`] keeps open.
const MAX_OPEN_FILES: usize = 64;

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// Lambda itself: START, END, REPORT, INIT_REPORT.
    Platform,
    /// The function's standard output.
    Stdout,
    /// The function's standard error.
    Stderr,
}

/// One line of a log stream.
#[derive(Clone, Copy, Debug)]
pub struct LogEvent<'a> {
    /// The function's name.
    pub function: &'a str,
    /// `/aws/lambda/NAME`.
    pub log_group: &'a str,
    /// `YYYY/MM/DD/[VERSION]ID`, one for each environment.
    pub log_stream: &'a str,
    /// The invocation during which the line came; `None` during the start of an environment.
    pub request_id: Option<&'a str>,
    /// When the line came, by the local clock.
    pub timestamp: Timestamp,
    /// Who wrote it.
    pub source: LogSource,
    /// The text without its end of line. Bytes that are no UTF-8 are replaced; very long lines come in pieces.
    pub message: &'a str,
}

/// Receives log lines. Called often and from many tasks: it must not block for long.
pub trait LogSink: Send + Sync {
    /// Takes one line.
    fn write(&self, event: &LogEvent<'_>);
}

/// A sink that keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiscardLogs;

impl LogSink for DiscardLogs {
    fn write(&self, _event: &LogEvent<'_>) {}
}

/// Writes each log stream to a file of its own, `DIR/FUNCTION/STREAM.log`, one line each with its time before it.
#[derive(Debug)]
pub struct LogFiles {
    directory: PathBuf,
    open: Mutex<HashMap<PathBuf, File>>,
}

impl LogFiles {
    /// A sink that writes below `directory`, which is made when the first line comes.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), open: Mutex::default() }
    }

    /// The file that a stream is written to. The characters of a stream's name that a shell or a file system
    /// would trip over (`/`, `[`, `$`, `]`) are left out or become hyphens.
    pub fn path(&self, function: &str, log_stream: &str) -> PathBuf {
        let stream = log_stream.replace(['/', ']'], "-").replace(['[', '$'], "");
        self.directory.join(function).join(format!("{stream}.log"))
    }

    fn append(&self, path: &Path, line: &str) -> std::io::Result<()> {
        let mut open = self.open.lock().expect("no holder of this lock can panic");
        if !open.contains_key(path) {
            if open.len() >= MAX_OPEN_FILES {
                open.clear();
            }
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            open.insert(path.to_owned(), OpenOptions::new().create(true).append(true).open(path)?);
        }
        open.get_mut(path).map_or(Ok(()), |file| file.write_all(line.as_bytes()))
    }
}

impl LogSink for LogFiles {
    fn write(&self, event: &LogEvent<'_>) {
        let path = self.path(event.function, event.log_stream);
        let line = format!("{:.3} {}\n", event.timestamp, event.message);
        if let Err(error) = self.append(&path, &line) {
            tracing::warn!(path = %path.display(), %error, "a log line is lost");
        }
    }
}

/// The log stream of one environment, with the tail of the invocation that runs in it.
pub(crate) struct LogStream {
    pub(crate) function: String,
    pub(crate) group: String,
    pub(crate) name: String,
    sink: Arc<dyn LogSink>,
    clock: Clock,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    request_id: Option<String>,
    tail: String,
}

impl LogStream {
    pub(crate) fn new(config: &FunctionConfig, sink: Arc<dyn LogSink>, clock: Clock) -> Self {
        let (day, version) = (clock.now().strftime("%Y/%m/%d/"), &config.version);
        let name = format!("{day}[{version}]{}", Uuid::new_v4().simple());
        let (function, group) = (config.name.clone(), config.log_group());
        Self { function, group, name, sink, clock, current: Mutex::default() }
    }

    /// Begins the tail of a new invocation.
    pub(crate) fn begin(&self) {
        *self.current.lock().expect("no holder of this lock can panic") = Current::default();
    }

    /// The lines from now on belong to this request, or to none.
    pub(crate) fn set_request(&self, request_id: Option<&str>) {
        self.current.lock().expect("no holder of this lock can panic").request_id = request_id.map(str::to_owned);
    }

    pub(crate) fn write(&self, source: LogSource, message: &str) {
        let mut current = self.current.lock().expect("no holder of this lock can panic");
        push_tail(&mut current.tail, message);
        let request_id = current.request_id.clone();
        drop(current);
        self.sink.write(&LogEvent {
            function: &self.function,
            log_group: &self.group,
            log_stream: &self.name,
            request_id: request_id.as_deref(),
            timestamp: self.clock.now(),
            source,
            message,
        });
    }

    pub(crate) fn take_tail(&self) -> String {
        std::mem::take(&mut self.current.lock().expect("no holder of this lock can panic").tail)
    }
}

fn push_tail(tail: &mut String, line: &str) {
    tail.push_str(line);
    tail.push('\n');
    if tail.len() > TAIL_BYTES {
        let cut = tail.ceil_char_boundary(tail.len() - TAIL_BYTES);
        tail.drain(..cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FunctionCommand;

    #[test]
    fn the_tail_keeps_the_end_within_its_limit() {
        let mut tail = String::new();
        for _ in 0..3 {
            push_tail(&mut tail, &"\u{e4}".repeat(1500));
        }
        push_tail(&mut tail, "the end");
        assert!(tail.len() <= TAIL_BYTES && tail.len() > TAIL_BYTES - 4, "{}", tail.len());
        assert!(tail.ends_with("\u{e4}\nthe end\n"));
        push_tail(&mut tail, &"x".repeat(3 * TAIL_BYTES));
        assert_eq!(tail.len(), TAIL_BYTES);
    }

    #[test]
    fn each_stream_has_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = Arc::new(LogFiles::new(folder.path()));
        let arn = "arn:aws:lambda:eu-west-1:111122223333:function:web";
        let config = FunctionConfig::new("web", arn, FunctionCommand::new("/x"));
        let stream = LogStream::new(&config, files.clone(), Clock::system());
        stream.write(LogSource::Stdout, "first");
        stream.write(LogSource::Platform, "second");
        let path = files.path("web", &stream.name);
        let text = std::fs::read_to_string(&path).unwrap();
        let messages: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
        assert_eq!(messages, ["first", "second"]);
        let file_name = path.file_name().unwrap().to_str().unwrap();
        assert!(!file_name.contains(['$', '[', ']', '/']) && file_name.contains("LATEST-"), "{file_name}");
    }
}
