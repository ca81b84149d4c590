//! The one shell that runs the commands of a build, so that its directory, variables and functions last from command
//! to command.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStdin, Command};
use uuid::Uuid;

use super::buildspec::Shell;
use crate::process::{Ended, OutputLines, ProcessGroup};

/// Reads the names of command files from standard input and runs each in this shell. The end of a command is told on
/// descriptor 8, which the commands do not have: they may redirect their output as they like.
///
/// A command that ends the shell (`exit`, or a failure under `set -e`) loses the shell's state; the next one starts
/// from the directory and the exported variables as they were after the last command that returned.
fn driver(state: &Path, marker: &str) -> String {
    let environment = quoted(&state.join("environment"));
    let directory = quoted(&state.join("directory"));
    format!(
        "exec 8>&1\n\
         if [ -f {environment} ]; then\n\
         . {environment}\n\
         cd \"$(cat {directory})\"\n\
         fi\n\
         while IFS= read -r CODEBUILD_COMMAND; do\n\
         . \"$CODEBUILD_COMMAND\" </dev/null 8>&-\n\
         CODEBUILD_STATUS=$?\n\
         export -p >{environment}\n\
         pwd >{directory}\n\
         printf '\\n%s %s\\n' {marker} \"$CODEBUILD_STATUS\" >&8\n\
         done\n"
    )
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// A shell for one build. Dropping it kills the shell and everything that its commands have started.
pub(super) struct BuildShell {
    shell: Shell,
    /// A folder of its own for the driver, the command files and the state.
    folder: PathBuf,
    source: PathBuf,
    environment: Vec<(String, String)>,
    commands: usize,
    running: Option<Running>,
}

struct Running {
    process: ProcessGroup,
    lines: OutputLines,
    stdin: ChildStdin,
    marker: String,
}

impl BuildShell {
    pub(super) fn new(
        shell: Shell,
        folder: PathBuf,
        source: PathBuf,
        environment: Vec<(String, String)>,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self { shell, folder, source, environment, commands: 0, running: None })
    }

    /// Runs one command (of one or more lines) and returns its exit status. Its output goes to `each`, line by line.
    pub(super) async fn run(&mut self, command: &str, each: &mut (dyn FnMut(String) + Send)) -> io::Result<i32> {
        self.commands += 1;
        let file = self.folder.join(format!("command-{}.sh", self.commands));
        std::fs::write(&file, format!("{command}\n"))?;
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        let request = format!("{}\n", file.display());
        // A shell that has gone away meanwhile does not read this; that shows below as its end.
        let _ = running.stdin.write_all(request.as_bytes()).await;
        // Progress and the end of the shell are watched together: a background process may keep the pipe open.
        let mut blank = false;
        loop {
            tokio::select! {
                biased;
                line = running.lines.next() => match line? {
                    Some(line) if line.starts_with(&running.marker) => {
                        let status = line.rsplit(' ').next().and_then(|text| text.parse().ok()).unwrap_or(1);
                        self.running = Some(running);
                        return Ok(status);
                    }
                    // An empty line may be the one that goes before the marker, so it is held back.
                    Some(line) => {
                        if std::mem::take(&mut blank) {
                            each(String::new());
                        }
                        if line.is_empty() { blank = true } else { each(line) }
                    }
                    None => break,
                },
                status = running.process.wait() => return finish(running, status?, each).await,
            }
        }
        let status = running.process.wait().await?;
        finish(running, status, each).await
    }

    /// The values that variables have in the shell now. Variables that are not set are left out.
    pub(super) async fn variables(&mut self, names: &[String]) -> io::Result<Vec<(String, String)>> {
        let mut values = Vec::new();
        for name in names {
            let file = self.folder.join(format!("variable-{name}"));
            let command = format!("[ -z \"${{{name}+set}}\" ] || printf '%s' \"${name}\" >{}", quoted(&file));
            self.run(&command, &mut |_| ()).await?;
            if let Ok(value) = std::fs::read(&file) {
                values.push((name.clone(), String::from_utf8_lossy(&value).into_owned()));
            }
        }
        Ok(values)
    }

    fn start(&self) -> io::Result<Running> {
        let marker = Uuid::new_v4().simple().to_string();
        let driver_file = self.folder.join("driver.sh");
        std::fs::write(&driver_file, driver(&self.folder, &marker))?;
        let mut command = match self.shell {
            Shell::Sh => Command::new("sh"),
            Shell::Bash => {
                let mut bash = Command::new("bash");
                bash.args(["--noprofile", "--norc"]);
                bash
            }
        };
        command
            .arg(driver_file)
            .current_dir(&self.source)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped());
        let (mut process, lines) = ProcessGroup::spawn(command)?;
        let stdin = process.stdin().ok_or_else(|| io::Error::other("the shell has no standard input"))?;
        Ok(Running { process, lines, stdin, marker })
    }
}

async fn finish(
    mut running: Running,
    status: std::process::ExitStatus,
    each: &mut (dyn FnMut(String) + Send),
) -> io::Result<i32> {
    running.process.kill();
    running.lines.drain(each).await;
    match Ended::of(status) {
        Ended::Status(status) => Ok(status),
        Ended::TimedOut => Ok(1),
    }
}
