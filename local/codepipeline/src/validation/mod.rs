//! Checks the input of an operation by the AWS model before anything else looks at it, with the messages of AWS.

mod check;
mod shapes;

pub(crate) use check::{check, unknown_operation};
