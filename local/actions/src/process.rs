//! Child processes that never outlive their purpose.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, ChildStdin, Command};

/// Longer lines are cut into pieces of this many bytes, so that output without line ends stays bounded.
const MAX_LINE: usize = 16 * 1024;

/// How long output is still read after the process has ended, in case a process outside of the group holds the pipe.
const DRAIN: Duration = Duration::from_secs(1);

/// A child process that leads a process group of its own. Dropping it kills the whole group: the child and whatever
/// it started, in the background or not.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    child: Child,
    group: Option<Pid>,
}

impl ProcessGroup {
    /// Starts `command`, with standard output and standard error in one pipe, in the order in which they were written.
    pub(crate) fn spawn(mut command: Command) -> io::Result<(Self, OutputLines)> {
        let (reader, writer) = io::pipe()?;
        let child = command
            .stdout(OwnedFd::from(writer.try_clone()?))
            .stderr(OwnedFd::from(writer))
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        // The command still holds both write ends: the pipe would never come to its end.
        drop(command);
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok((Self { child, group }, OutputLines::new(OwnedFd::from(reader))?))
    }

    /// The write end of the child's standard input, if it is piped and was not taken before.
    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits until the child has ended. The rest of its group may still run; it is killed on drop.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Kills the whole group.
    pub(crate) fn kill(&self) {
        if let Some(group) = self.group {
            // An error means that nothing is left of the group, which is what was wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The output of a process, line by line.
#[derive(Debug)]
pub(crate) struct OutputLines {
    pipe: Receiver,
    buffer: Vec<u8>,
    ended: bool,
}

impl OutputLines {
    fn new(pipe: OwnedFd) -> io::Result<Self> {
        Ok(Self { pipe: Receiver::from_owned_fd(pipe)?, buffer: Vec::new(), ended: false })
    }

    /// The next line without its line end, or `None` when all writers are gone. Bytes that are not UTF-8 are replaced.
    /// Cancelling loses nothing.
    pub(crate) async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return Ok(Some(self.take(end, 1)));
            }
            if self.buffer.len() >= MAX_LINE {
                return Ok(Some(self.take(MAX_LINE, 0)));
            }
            if self.ended {
                let rest = self.buffer.len();
                return Ok((rest > 0).then(|| self.take(rest, 0)));
            }
            self.ended = self.pipe.read_buf(&mut self.buffer).await? == 0;
        }
    }

    /// Reads what is left after the process and its group have ended, for a short time at the most.
    pub(crate) async fn drain(&mut self, mut each: impl FnMut(String)) {
        let rest = async {
            while let Ok(Some(line)) = self.next().await {
                each(line);
            }
        };
        let _ = tokio::time::timeout(DRAIN, rest).await;
    }

    fn take(&mut self, length: usize, line_end: usize) -> String {
        let rest = self.buffer.split_off(length + line_end);
        let mut line = std::mem::replace(&mut self.buffer, rest);
        line.truncate(length);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8_lossy(&line).into_owned()
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this exit status (128 + n for signal n, as a shell counts).
    Status(i32),
    /// It was killed, because its time was up.
    TimedOut,
}

impl Ended {
    pub(crate) fn of(status: ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        Self::Status(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
    }
}

/// Runs a program to its end, gives its output to `each` line by line, and kills what it left in the background.
pub(crate) async fn run(mut command: Command, limit: Duration, mut each: impl FnMut(String)) -> io::Result<Ended> {
    command.stdin(Stdio::null());
    let (mut process, mut lines) = ProcessGroup::spawn(command)?;
    let deadline = tokio::time::sleep(limit);
    tokio::pin!(deadline);
    let mut open = true;
    let ended = loop {
        tokio::select! {
            status = process.wait() => break Ended::of(status?),
            line = lines.next(), if open => match line? {
                Some(line) => each(line),
                None => open = false,
            },
            () = &mut deadline => break Ended::TimedOut,
        }
    };
    process.kill();
    if ended == Ended::TimedOut {
        process.wait().await?;
    }
    lines.drain(each).await;
    Ok(ended)
}

/// A clean environment: the program's own variables, none of the caller's, which may hold credentials.
pub(crate) fn clean_environment(home: &std::path::Path) -> Vec<(String, String)> {
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned());
    vec![
        ("PATH".to_owned(), path),
        ("HOME".to_owned(), home.display().to_string()),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
    ]
}
