//! Programs that are started anew, as processes of a local Lambda: this binary starts itself again as the function.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too, and fail where they stand")]

mod function;
mod renewal;
