//! Ends the functions when their host dies without a chance to do so itself.
//!
//! A killed host runs no destructor, and a function that computes or waits does not notice that its Runtime API is
//! gone. So each host starts one small shell, which reads the process groups to guard from a pipe. The kernel closes
//! the pipe however the host ends; the shell then kills what is left. This works for every bootstrap, on every POSIX
//! system, and needs no code in the child between `fork` and `exec`.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=
while read -r sign group; do
  case $sign in
    +) groups="$groups $group" ;;
    -) kept=
       for g in $groups; do [ "$g" = "$group" ] || kept="$kept $g"; done
       groups=$kept ;;
  esac
done
for g in $groups; do kill -9 "-$g" 2>/dev/null; done
"#;

/// Guards process groups. Cloning gives another handle to the same shell.
#[derive(Clone, Default)]
pub(crate) struct Reaper {
    shell: Arc<Mutex<Shell>>,
}

#[derive(Default)]
enum Shell {
    #[default]
    NotStarted,
    Running {
        child: Child,
        input: Option<ChildStdin>,
    },
    Unavailable,
}

impl Reaper {
    /// Kills the group when this host dies.
    pub(crate) fn guard(&self, group: u32) {
        let mut shell = self.lock();
        if matches!(*shell, Shell::NotStarted) {
            *shell = start();
        }
        shell.tell('+', group);
    }

    /// Forgets the group: it has ended, and its number may be given to another.
    pub(crate) fn release(&self, group: u32) {
        self.lock().tell('-', group);
    }

    fn lock(&self) -> MutexGuard<'_, Shell> {
        self.shell.lock().expect("no holder of this lock can panic")
    }
}

impl Shell {
    fn tell(&mut self, sign: char, group: u32) {
        if let Self::Running { input: Some(input), .. } = self
            && let Err(error) = writeln!(input, "{sign} {group}")
        {
            tracing::warn!(%error, "functions are not ended if this process is killed: their guard is gone");
            *self = Self::Unavailable;
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Self::Running { child, input } = self {
            // The end of its input ends the shell; waiting for it leaves no zombie.
            drop(input.take());
            let _ = child.wait();
        }
    }
}

fn start() -> Shell {
    let spawned = Command::new("/bin/sh")
        .arg("-c")
        .arg(SCRIPT)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    match spawned {
        Ok(mut child) => {
            let input = child.stdin.take();
            Shell::Running { child, input }
        }
        Err(error) => {
            tracing::warn!(%error, "functions are not ended if this process is killed: could not start their guard");
            Shell::Unavailable
        }
    }
}
