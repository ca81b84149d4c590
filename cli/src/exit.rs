//! Exit codes: what a script learns from a run.

use std::process::ExitCode;

use stagegate_verdict::Outcome;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0
    Passed,
    /// 1
    Failed,
    /// 2
    Inconclusive,
    /// 64: the command was called wrongly.
    WrongCall,
    /// 65: an input is broken.
    BrokenInput,
    /// 69: something that the command needs is not there.
    Unavailable,
    /// 130: ended by Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Passed => 0,
            Exit::Failed => 1,
            Exit::Inconclusive => 2,
            Exit::WrongCall => 64,
            Exit::BrokenInput => 65,
            Exit::Unavailable => 69,
            Exit::Interrupted => 130,
        })
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failed => Self::Failed,
            Outcome::Inconclusive => Self::Inconclusive,
        }
    }
}

impl From<&CommandError> for Exit {
    fn from(error: &CommandError) -> Self {
        match error {
            CommandError::WrongCall(_) => Self::WrongCall,
            CommandError::BrokenInput(_) => Self::BrokenInput,
            CommandError::Unavailable(_) => Self::Unavailable,
        }
    }
}

/// Why a command gave no result. The texts read after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandError {
    /// The call makes no sense.
    #[error("{0}")]
    WrongCall(String),
    /// A file cannot be used.
    #[error("{0}")]
    BrokenInput(String),
    /// A port, a folder, a program is not there.
    #[error("{0}")]
    Unavailable(String),
}

impl CommandError {
    pub(crate) fn wrong_call(error: impl ToString) -> Self {
        Self::WrongCall(error.to_string())
    }

    pub(crate) fn broken_input(error: impl ToString) -> Self {
        Self::BrokenInput(error.to_string())
    }

    pub(crate) fn unavailable(error: impl ToString) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Prints what clap has to say; help and version are no errors.
pub(crate) fn wrong_call(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { Exit::WrongCall.into() } else { ExitCode::SUCCESS }
}
