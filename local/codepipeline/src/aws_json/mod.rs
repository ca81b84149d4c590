//! What every local service that speaks AWS JSON 1.1 has in common: the endpoint, the check of inputs by the AWS model,
//! lists in pages, and how values are written.

mod check;
mod paging;
mod router;
mod shapes;

use jiff::Timestamp;
use serde_json::Value;

pub use paging::{Page, page};
pub use router::{router, router_1_0};
pub use shapes::Model;

/// What differs from one service to the next.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The name in messages, for example `CodePipeline`.
    pub name: &'static str,
    /// What stands before the operation in the header `X-Amz-Target`, with the dot.
    pub target_prefix: &'static str,
    /// The code of the error for an input that breaks a limit of the model.
    pub violation: &'static str,
    /// The code of the error for a `nextToken` that was not given out.
    pub invalid_token: &'static str,
}

/// A time as AWS JSON 1.1 writes it: seconds since 1970 with a fraction.
pub fn epoch_seconds(time: Timestamp) -> Value {
    // Milliseconds of any year that a clock shows fit the 53 bits of a floating-point number.
    let seconds = std::time::Duration::from_millis(time.as_millisecond().unsigned_abs()).as_secs_f64();
    seconds.into()
}

/// Drops the members that have no value, as AWS leaves them out.
pub fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}
