//! The `stagegate` command.

mod args;
mod audit;
mod bootstrap;
mod check;
mod commands;
mod example;
mod execution;
mod exit;
mod http;
mod init;
mod local;
mod local_slack;
mod progress;
mod report;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    // The local Lambda starts this program again as a function; nothing else may happen before that.
    if let Some(function) = bootstrap::asked_for() {
        return bootstrap::run(&function);
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return exit::wrong_call(&error),
    };
    let done = match args.command {
        Command::Demo(options) => commands::demo::run(&options),
        Command::Up(options) => commands::up::run(&options),
        Command::Run(options) => commands::run::run(&options),
        Command::SmokeTest(options) => commands::smoke_test::run(&options),
        Command::TestGate(options) => commands::test_gate::run(&options),
        Command::ReleaseGate(options) => commands::release_gate::run(&options),
        Command::Override(options) => commands::override_gate::run(&options),
        Command::Audit(options) => commands::audit::run(&options),
        Command::NotifyPreview(options) => commands::notify_preview::run(&options),
        Command::Report(options) => commands::report::run(&options),
        Command::Check(options) => commands::check::run(&options),
        Command::Init(options) => commands::init::run(&options),
        Command::Bootstrap { function } => return bootstrap::run(&function),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            terminal::complain(&error);
            Exit::from(&error).into()
        }
    }
}
