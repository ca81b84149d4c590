//! The command as a person uses it: real processes, real exit codes.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

mod approvals;
mod aws_cli;
mod check;
mod delivery;
mod demo;
mod docs;
mod events;
mod example_pipeline;
mod init;
mod layers;
mod notices;
mod notifications;
mod pages;
mod release_gate;
mod smoke_test;
mod state_bucket;
mod test_gate;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The command, with nothing of this process's environment that could change what it does.
fn stagegate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stagegate"));
    command.current_dir(root()).env("NO_COLOR", "1").env_remove("AWS_REGION").stdin(Stdio::null());
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Runs to the end; gives the exit code and both outputs.
fn run(command: &mut Command) -> (i32, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code().unwrap_or(-1), text)
}
