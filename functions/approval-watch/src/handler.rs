//! The function: one round over what is open.

use std::process::ExitCode;

use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use stagegate_desk::{Clock, Desk, DeskError};

use crate::rounds::{NoGates, look_at};

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    stagegate_desk::main(|desk, _, event| async move { Box::pin(handle(&desk, event)).await })
}

async fn handle(desk: &Desk, event: LambdaEvent<Value>) -> Result<Value, DeskError> {
    let clock = Clock::of(&event.context);
    let (mut looked, mut failed) = (0, 0);
    for id in desk.open_ids().await? {
        looked += 1;
        // What fails with one is no reason to leave the others alone; the next round looks at it again.
        if let Err(error) = Box::pin(look_at(desk, &id, &NoGates, &event.context.request_id, &clock)).await {
            tracing::error!(approval = %id, why = error.to_string(), "an approval could not be looked after");
            failed += 1;
        }
    }
    tracing::info!(looked, failed, "looked at what is open");
    Ok(json!({"open": looked, "failed": failed}))
}
