//! This program as the bootstrap of a function: the handlers that are deployed, in a process of their own.

use std::process::ExitCode;

/// The hidden subcommand by which the local Lambda starts a function.
pub(crate) const SUBCOMMAND: &str = "bootstrap";

/// The functions by the name of their package, which is the name of their binary.
pub(crate) const FUNCTIONS: [&str; 9] = [
    "approval-request",
    "approval-response",
    "approval-watch",
    "deploy-notify",
    "job-guard",
    "job-worker",
    "release-gate",
    "smoke-test",
    "test-gate",
];

/// The function that this process is to be, read without the rest of the command line.
pub(crate) fn asked_for() -> Option<String> {
    let mut words = std::env::args().skip(1);
    (words.next()? == SUBCOMMAND).then(|| words.next())?
}

/// Runs a function until the runtime ends it.
pub(crate) fn run(function: &str) -> ExitCode {
    match function {
        "job-guard" => job_guard::main(),
        "job-worker" => job_worker::main(),
        "smoke-test" => smoke_test::main(),
        "approval-request" => approval_request::main(),
        "approval-response" => approval_response::main(),
        "approval-watch" => approval_watch::main(),
        "deploy-notify" => deploy_notify::main(),
        "test-gate" => test_gate::main(),
        "release-gate" => release_gate::main(),
        unknown => {
            crate::terminal::complain(&format!(
                "start the function {unknown:?}: this program holds {}",
                FUNCTIONS.join(", ")
            ));
            crate::exit::Exit::WrongCall.into()
        }
    }
}
