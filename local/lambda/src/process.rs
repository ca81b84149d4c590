//! A function's process and everything that it starts: one process group, which never outlives its owner.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::sync::watch;

use crate::reaper::Reaper;

/// How long a process may take to end after SIGTERM before it gets SIGKILL.
const TERMINATION_GRACE: Duration = Duration::from_millis(500);

/// A running process that leads its own group. Dropping it kills the group.
pub(crate) struct Process {
    pid: u32,
    group: Arc<ProcessGroup>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

struct ProcessGroup {
    /// `None` once the group has been killed: its number may then belong to another.
    leader: Mutex<Option<Pid>>,
    reaper: Reaper,
}

impl Process {
    /// Starts `command` in a process group of its own, with nothing on its standard input.
    pub(crate) fn spawn(mut command: Command, reaper: &Reaper) -> std::io::Result<(Self, ChildStdout, ChildStderr)> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let gone = || std::io::Error::other("the process ended before it could be watched");
        let pid = child.id().ok_or_else(gone)?;
        let leader = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else { return Err(gone()) };
        reaper.guard(pid);
        let group = Arc::new(ProcessGroup { leader: Mutex::new(Some(leader)), reaper: reaper.clone() });
        let (exited, exit) = watch::channel(None);
        tokio::spawn({
            let group = Arc::clone(&group);
            async move {
                // A process that cannot be waited for is as good as killed.
                let status = child.wait().await.unwrap_or_else(|_| ExitStatus::from_raw(9));
                group.kill();
                exited.send_replace(Some(status));
            }
        });
        Ok((Self { pid, group, exit }, stdout, stderr))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether it has ended, also where the task that waits for it has yet to hear of it.
    pub(crate) fn has_exited(&self) -> bool {
        self.exit.borrow().is_some() || self.group.leader_has_ended()
    }

    /// Waits for the end of the process. May be called any number of times.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        match self.exit.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or_else(|| ExitStatus::from_raw(9)),
            // Only the end of the async runtime drops the waiting task; it kills the child.
            Err(_) => ExitStatus::from_raw(9),
        }
    }

    /// Sends a signal to the whole group.
    pub(crate) fn signal(&self, signal: Signal) {
        self.group.signal(signal);
    }

    /// Kills the whole group at once.
    pub(crate) fn kill(&self) {
        self.group.kill();
    }

    /// Asks the group to end, waits a little, then kills what is left.
    pub(crate) async fn terminate(&mut self) {
        self.group.signal(Signal::TERM);
        let _ = tokio::time::timeout(TERMINATION_GRACE, self.exited()).await;
        self.kill();
        let _ = tokio::time::timeout(TERMINATION_GRACE, self.exited()).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl ProcessGroup {
    fn signal(&self, signal: Signal) {
        if let Some(leader) = *self.leader.lock().expect("no holder of this lock can panic") {
            let _ = kill_process_group(leader, signal);
        }
    }

    fn leader_has_ended(&self) -> bool {
        let Some(leader) = *self.leader.lock().expect("no holder of this lock can panic") else { return true };
        // Its status is left to the task that waits for it.
        let only_look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(leader), only_look), Ok(None))
    }

    fn kill(&self) {
        let leader = self.leader.lock().expect("no holder of this lock can panic").take();
        if let Some(leader) = leader {
            let _ = kill_process_group(leader, Signal::KILL);
            self.reaper.release(leader.as_raw_nonzero().get().unsigned_abs());
        }
    }
}

/// How a process ended, in the words of Lambda: `exit status 1`, `signal: killed`.
pub(crate) fn describe_exit(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => {
            let core = if status.core_dumped() { " (core dumped)" } else { "" };
            format!("Runtime exited with error: signal: {}{core}", signal_name(signal))
        }
        (None, None) => "Runtime exited with error: unknown".to_owned(),
    }
}

/// The signal's name as Lambda, which is written in Go, prints it.
fn signal_name(number: i32) -> String {
    let Some(signal) = Signal::from_named_raw(number) else { return format!("signal {number}") };
    let name = match signal {
        Signal::ABORT => "aborted",
        Signal::ALARM => "alarm clock",
        Signal::BUS => "bus error",
        Signal::FPE => "floating point exception",
        Signal::HUP => "hangup",
        Signal::ILL => "illegal instruction",
        Signal::INT => "interrupt",
        Signal::KILL => "killed",
        Signal::PIPE => "broken pipe",
        Signal::QUIT => "quit",
        Signal::SEGV => "segmentation fault",
        Signal::TERM => "terminated",
        Signal::TRAP => "trace/breakpoint trap",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exits_are_described_in_the_words_of_lambda() {
        // A wait status is the exit code times 256, or the signal's number.
        for (raw, expected) in [
            (0, "Runtime exited without providing a reason"),
            (0x0100, "Runtime exited with error: exit status 1"),
            (9, "Runtime exited with error: signal: killed"),
            (6, "Runtime exited with error: signal: aborted"),
            (11, "Runtime exited with error: signal: segmentation fault"),
            (6 | 0x80, "Runtime exited with error: signal: aborted (core dumped)"),
        ] {
            assert_eq!(describe_exit(ExitStatus::from_raw(raw)), expected, "{raw:#x}");
        }
    }
}
