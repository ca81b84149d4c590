//! Faults of calls at the endpoint of the local AWS, whatever service they are for.

use crate::{CallFault, Rules, When};

/// A call that has reached the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiCall<'a> {
    /// `codepipeline`, `s3`, `lambda`, `ssm`, ...
    pub service: &'a str,
    /// The operation in the AWS model, for example `GetObject`, `Invoke` or `PutJobSuccessResult`.
    pub operation: &'a str,
    /// What the call is for where its path tells: `bucket/key` or `bucket` for S3, the function's name for Lambda, and
    /// nothing for the others.
    pub resource: &'a str,
    /// The function that signed it, or `None` for everybody else.
    pub function: Option<&'a str>,
    /// The input of a JSON service as it came, and nothing for the others. It may hold secrets.
    pub input: &'a [u8],
}

/// Decides what goes wrong with calls. It is asked once for each call.
pub trait CallFaults: Send + Sync {
    /// What happens to a call.
    fn call(&self, call: &ApiCall<'_>) -> CallFault;
}

/// A plan of faults that a seed decides.
///
/// ```
/// use stagegate_local_faults::{CallFault, CallPlan, Refusal, When};
///
/// let plan = CallPlan::seeded(7)
///     .on("s3:PutObject", "*/jobs/*", When::First(2), CallFault::Refuse(Refusal::of_s3_status(503)))
///     .on("s3:GetObject", "artifacts/*", When::Nth(3), CallFault::CutOffAfterwards)
///     .on("ssm:*", "*", When::Always, CallFault::Refuse(Refusal::of_status(403)))
///     .on("*", "*", When::Percent(5), CallFault::CutOff);
/// # drop(plan);
/// ```
#[derive(Debug)]
pub struct CallPlan(Rules<CallFault>);

impl CallPlan {
    /// A plan without rules.
    pub fn seeded(seed: u64) -> Self {
        Self(Rules::seeded(seed))
    }

    /// Adds a rule for calls named `service:operation` whose [`resource`](ApiCall::resource) is as `resource` says. A
    /// `*` stands for any text in either.
    #[must_use]
    pub fn on(self, call: &str, resource: &str, when: When, fault: CallFault) -> Self {
        Self(self.0.rule(call, resource, when, fault))
    }

    /// Whether it is a plan without rules.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What has met a fault so far, in order: `service:operation`, the resource, its number, and the fault.
    pub fn met(&self) -> Vec<String> {
        self.0.met()
    }
}

impl CallFaults for CallPlan {
    fn call(&self, call: &ApiCall<'_>) -> CallFault {
        self.0.decide(&format!("{}:{}", call.service, call.operation), call.resource).unwrap_or_default()
    }
}
