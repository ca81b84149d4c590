//! Reads what a function writes to its standard output and error, line by line.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::log::{LogSource, LogStream};

/// The longest piece of a line that becomes one log event, in bytes (CloudWatch Logs quotas).
const MAX_LINE_BYTES: usize = 256 * 1024;

/// Reads one stream of a process in a task of its own.
pub(crate) struct OutputReader {
    drain: mpsc::Sender<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl OutputReader {
    pub(crate) fn start<R>(stream: R, source: LogSource, log: Arc<LogStream>) -> Self
    where
        R: AsyncRead + Unpin + Send + 'static,
    {
        let (drain, requests) = mpsc::channel(1);
        Self { drain, task: tokio::spawn(read(stream, source, log, requests)) }
    }

    /// Waits until all that the process has written by now is in the log.
    pub(crate) async fn drain(&self) {
        let (done, answered) = oneshot::channel();
        if self.drain.send(done).await.is_ok() {
            let _ = answered.await;
        }
    }

    /// Waits for the end of the stream, but no longer than `limit`: a process that left the group may hold it open.
    pub(crate) async fn finish(&mut self, limit: Duration) {
        let _ = tokio::time::timeout(limit, &mut self.task).await;
    }
}

impl Drop for OutputReader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read<R: AsyncRead + Unpin>(
    mut stream: R,
    source: LogSource,
    log: Arc<LogStream>,
    mut drains: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let mut lines = LineSplitter::default();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        // Without budget the read would seem to have nothing although it has, and a drain would be answered early.
        tokio::task::consume_budget().await;
        tokio::select! {
            biased;
            read = stream.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => lines.push(&buffer[..count], |line| log.write(source, line)),
            },
            Some(done) = drains.recv() => {
                lines.finish(|line| log.write(source, line));
                let _ = done.send(());
            }
        }
    }
    lines.finish(|line| log.write(source, line));
}

/// Cuts a stream of bytes into lines of bounded length and valid UTF-8.
#[derive(Default)]
struct LineSplitter {
    pending: Vec<u8>,
}

impl LineSplitter {
    fn push(&mut self, mut bytes: &[u8], mut emit: impl FnMut(&str)) {
        while !bytes.is_empty() {
            let room = MAX_LINE_BYTES - self.pending.len();
            let window = &bytes[..bytes.len().min(room)];
            if let Some(end) = window.iter().position(|byte| *byte == b'\n') {
                self.pending.extend_from_slice(&window[..end]);
                self.emit_line(&mut emit);
                bytes = &bytes[end + 1..];
            } else {
                self.pending.extend_from_slice(window);
                bytes = &bytes[window.len()..];
                if self.pending.len() == MAX_LINE_BYTES {
                    self.emit_piece(&mut emit);
                }
            }
        }
    }

    /// Emits a last line that has no end.
    fn finish(&mut self, mut emit: impl FnMut(&str)) {
        if !self.pending.is_empty() {
            self.emit_line(&mut emit);
        }
    }

    fn emit_line(&mut self, emit: &mut impl FnMut(&str)) {
        let line = self.pending.strip_suffix(b"\r").unwrap_or(&self.pending);
        emit(&String::from_utf8_lossy(line));
        self.pending.clear();
    }

    /// Emits the full buffer, but keeps the beginning of a character that it ends with.
    fn emit_piece(&mut self, emit: &mut impl FnMut(&str)) {
        let kept = match std::str::from_utf8(&self.pending) {
            Err(error) if error.error_len().is_none() => self.pending.split_off(error.valid_up_to()),
            _ => unfinished_character(&self.pending).map_or_else(Vec::new, |at| self.pending.split_off(at)),
        };
        emit(&String::from_utf8_lossy(&self.pending));
        self.pending = kept;
    }
}

/// Where a character begins that the bytes end in the middle of.
fn unfinished_character(bytes: &[u8]) -> Option<usize> {
    let start = (bytes.len().saturating_sub(3)..bytes.len()).rev().find(|at| bytes[*at] & 0xC0 != 0x80)?;
    let needed = match bytes[start] {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    (bytes.len() - start < needed).then_some(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(chunks: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut splitter) = (Vec::new(), LineSplitter::default());
        for chunk in chunks {
            splitter.push(chunk, |line| lines.push(line.to_owned()));
        }
        splitter.finish(|line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn lines_come_whole_however_they_arrive() {
        for (chunks, expected) in [
            (&[b"a\nb\n".as_slice()][..], &["a", "b"][..]),
            (&[b"a", b"b\nc"], &["ab", "c"]),
            (&[b"a\r\n\nb"], &["a", "", "b"]),
            (&[b"\xC3", b"\xA4\n"], &["\u{e4}"]),
            (&[b"bad \xFF byte\n"], &["bad \u{fffd} byte"]),
        ] {
            assert_eq!(split(chunks), expected, "{chunks:?}");
        }
    }

    #[test]
    fn a_very_long_line_comes_in_pieces_on_character_boundaries() {
        let text = format!("x{}", "\u{e4}".repeat(MAX_LINE_BYTES));
        let pieces = split(&[text.as_bytes()]);
        assert_eq!(pieces.concat(), text);
        assert!(pieces.len() == 3 && pieces.iter().all(|piece| piece.len() <= MAX_LINE_BYTES), "{}", pieces.len());
        // A bad byte at the front does not spoil the boundary at the end.
        let mut bytes = vec![0xFF];
        bytes.extend_from_slice("\u{e4}".repeat(MAX_LINE_BYTES).as_bytes());
        assert_eq!(split(&[&bytes]).concat().matches('\u{fffd}').count(), 1);
    }

    proptest! {
        #[test]
        fn chunking_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
            let cut = cut.min(bytes.len());
            prop_assert_eq!(split(&[&bytes[..cut], &bytes[cut..]]), split(&[&bytes]));
        }
    }
}
