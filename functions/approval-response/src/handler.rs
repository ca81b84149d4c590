//! The function: requests of its URL, and the work that it hands over to itself.

use std::process::ExitCode;
use std::sync::Arc;

use aws_config::SdkConfig;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use stagegate_desk::{Clock, Desk, DeskError};

use crate::http::{HttpRequest, status};
use crate::vote::Work;
use crate::{finish, overriding, web};

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    stagegate_desk::main(|desk, sdk, event| async move { Box::pin(handle(desk, &sdk, event)).await })
}

async fn handle(desk: Arc<Desk>, sdk: &SdkConfig, event: LambdaEvent<Value>) -> Result<Value, DeskError> {
    let LambdaEvent { payload, context } = event;
    let clock = Clock::of(&context);
    match HttpRequest::read(&payload) {
        Some(Ok(request)) => Ok(web::handle(&desk, sdk, &request, &context, &clock).await),
        Some(Err(why)) => {
            tracing::warn!(why = why.to_string(), "refused");
            Ok(status(if why == crate::Unreadable::Method { 405 } else { 400 }))
        }
        None => match Work::read(&payload) {
            Some(Work::Vote(vote)) => {
                finish::count(&desk, &vote, &context.request_id, &clock).await.map(|()| json!({}))
            }
            Some(Work::Override(cast)) => {
                overriding::give(&desk, &cast, &context.request_id, &clock).await.map(|()| json!({}))
            }
            None => {
                tracing::warn!("refused: the event is neither a request of the function's URL nor a vote");
                Ok(json!({}))
            }
        },
    }
}
