//! The function.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use stagegate_desk::{Clock, DeskError};
use tokio::time::Instant;

use crate::notifier::{Notifier, Visit};
use crate::source::{Heard, heard};

/// Nothing is begun any more when there is less time left than this: longer than any one step takes.
const LAST: Duration = Duration::from_secs(40);

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    let kept: Arc<OnceLock<Arc<Notifier>>> = Arc::default();
    stagegate_desk::main(move |_, sdk, event| {
        let kept = kept.clone();
        async move {
            let notifier = match kept.get() {
                Some(notifier) => notifier.clone(),
                None => {
                    let made = Arc::new(Notifier::of(&sdk)?);
                    kept.get_or_init(|| made).clone()
                }
            };
            Box::pin(handle(&notifier, event)).await
        }
    })
}

async fn handle(notifier: &Notifier, event: LambdaEvent<Value>) -> Result<Value, DeskError> {
    let LambdaEvent { payload, context } = event;
    let visit = Visit { holder: context.request_id.clone(), clock: Clock::of(&context), ends: ends(&context) };
    notifier.handle(&payload, &visit).await
}

/// When an invocation begins nothing any more.
fn ends(context: &Context) -> Instant {
    let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now() + left.saturating_sub(LAST)
}

impl Notifier {
    /// Does what follows from an event of EventBridge, or from the passing of a minute.
    ///
    /// # Errors
    ///
    /// If the event cannot be understood, or what is known of it cannot be read or written. Doing it again is harmless.
    pub async fn handle(&self, event: &Value, visit: &Visit) -> Result<Value, DeskError> {
        match heard(event, visit.clock.now()).map_err(|error| DeskError::Configuration(error.to_string()))? {
            Heard::Tick => Box::pin(self.round(visit)).await,
            Heard::Change { subject, name, execution, picture } => {
                Box::pin(self.changed(subject, &name, &execution, picture, visit)).await?;
                Ok(json!({}))
            }
            Heard::PartOf { pipeline, picture } => {
                Box::pin(self.part_of(&pipeline, &picture, visit)).await?;
                Ok(json!({}))
            }
            Heard::Nothing(why) => {
                tracing::info!(why, "nothing to do");
                Ok(json!({}))
            }
        }
    }
}
