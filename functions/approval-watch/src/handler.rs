//! The function: one round over what is open.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
use futures_util::{StreamExt, stream};
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use stagegate_approval::ApprovalId;
use stagegate_desk::{Clock, Desk, DeskError};

use crate::gates::ReleaseGates;
use crate::rounds::look_at;

/// How many approvals are looked at at the same time: one that waits for a slow system does not hold up the others.
const AT_A_TIME: usize = 8;

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    let gates = Arc::new(OnceLock::new());
    stagegate_desk::main(move |desk, sdk, event| {
        let gates = Arc::clone(&gates);
        async move { Box::pin(handle(&desk, &sdk, &gates, event)).await }
    })
}

async fn handle(
    desk: &Desk,
    sdk: &SdkConfig,
    gates: &OnceLock<ReleaseGates>,
    event: LambdaEvent<Value>,
) -> Result<Value, DeskError> {
    let clock = Clock::of(&event.context);
    let (gates, holder) = (gates.get_or_init(|| ReleaseGates::new(sdk)), event.context.request_id.as_str());
    let look = |id: ApprovalId| async move {
        // What fails with one is no reason to leave the others alone; the next round looks at it again.
        let looked = Box::pin(look_at(desk, &id, gates, holder, &clock)).await;
        if let Err(error) = &looked {
            tracing::error!(approval = %id, why = error.to_string(), "an approval could not be looked after");
        }
        looked.is_err()
    };
    let failures: Vec<bool> =
        stream::iter(desk.open_ids().await?).map(look).buffer_unordered(AT_A_TIME).collect().await;
    let (looked, failed) = (failures.len(), failures.iter().filter(|has_failed| **has_failed).count());
    tracing::info!(looked, failed, "looked at what is open");
    Ok(json!({"open": looked, "failed": failed}))
}
