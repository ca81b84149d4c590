//! The commands, one module each.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod init;
pub(crate) mod notify_preview;
pub(crate) mod override_gate;
pub(crate) mod release_gate;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod smoke_test;
pub(crate) mod test_gate;
pub(crate) mod up;
