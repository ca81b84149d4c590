//! The kinds of gates.

use crate::{ReleaseGate, SmokeGate, TestGate};

/// A gate of one of the kinds; its keys say of which.
#[derive(Clone, Debug, PartialEq)]
pub enum Gate {
    /// Judges reports.
    Test(Box<TestGate>),
    /// Runs smoke tests.
    Smoke(Box<SmokeGate>),
    /// Says whether a release may go on.
    Release(Box<ReleaseGate>),
}

impl Gate {
    /// The policy of a gate that judges reports.
    ///
    /// # Errors
    ///
    /// If the gate is of another kind.
    pub fn test(&self) -> Result<&TestGate, WrongKind> {
        match self {
            Self::Test(gate) => Ok(gate),
            other => Err(WrongKind(other.kind())),
        }
    }

    /// The policy of a gate that runs smoke tests.
    ///
    /// # Errors
    ///
    /// If the gate is of another kind.
    pub fn smoke(&self) -> Result<&SmokeGate, WrongKind> {
        match self {
            Self::Smoke(gate) => Ok(gate),
            other => Err(WrongKind(other.kind())),
        }
    }

    /// The function that applies gates of this kind.
    pub fn function(&self) -> &'static str {
        self.kind().function()
    }

    /// The policy of a gate that says whether a release may go on.
    ///
    /// # Errors
    ///
    /// If the gate is of another kind.
    pub fn release(&self) -> Result<&ReleaseGate, WrongKind> {
        match self {
            Self::Release(gate) => Ok(gate),
            other => Err(WrongKind(other.kind())),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Test(_) => Kind::Test,
            Self::Smoke(_) => Kind::Smoke,
            Self::Release(_) => Kind::Release,
        }
    }
}

/// A kind of gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Test,
    Smoke,
    Release,
}

impl Kind {
    /// What a gate of it does.
    pub(crate) fn does(self) -> &'static str {
        match self {
            Self::Test => "judges reports",
            Self::Smoke => "runs smoke tests",
            Self::Release => "decides whether a release may go on",
        }
    }

    /// The function that applies it.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Test => "test-gate",
            Self::Smoke => "smoke-test",
            Self::Release => "release-gate",
        }
    }
}

/// A gate is not of the kind that a function applies. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("apply the gate: it {}, so name it in an action of the function {}", .0.does(), .0.function())]
pub struct WrongKind(Kind);

/// What is wrong with a gate as a whole.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The way from the gate to what is meant: keys, and numbers of items from 0.
    pub(crate) path: Vec<String>,
    pub(crate) what: String,
}

impl Fault {
    pub(crate) fn new(path: &[&str], what: impl Into<String>) -> Self {
        Self { path: path.iter().map(|&step| step.to_owned()).collect(), what: what.into() }
    }
}
