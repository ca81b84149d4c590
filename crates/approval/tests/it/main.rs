//! What an approval does with everything that can happen to it.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too, and fail where they stand")]

mod authorisation;
mod automatic;
mod properties;
mod record;
mod support;
mod table;
