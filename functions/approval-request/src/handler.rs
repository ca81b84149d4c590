//! The function: from messages to records and questions.

use std::process::ExitCode;
use std::time::Duration;

use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use stagegate_approval::{Release, Request};
use stagegate_desk::{Clock, Desk, DeskError, Found, Opened};

use crate::event::{Hint, Message, read};

/// How often the token of an action that has just started is looked for. After that Lambda tries again later.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(600);

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    stagegate_desk::main(|desk, _, event| async move { Box::pin(handle(&desk, event)).await })
}

async fn handle(desk: &Desk, event: LambdaEvent<Value>) -> Result<Value, DeskError> {
    let clock = Clock::of(&event.context);
    let holder = &event.context.request_id;
    let mut failed = None;
    for message in read(&event.payload) {
        // One that fails does not keep the others from being done; all of them may be done again.
        if let Err(error) = Box::pin(handle_one(desk, message, holder, &clock)).await {
            tracing::error!(why = error.to_string(), "a message could not be handled");
            failed = Some(error);
        }
    }
    failed.map_or(Ok(json!({})), Err)
}

async fn handle_one(desk: &Desk, message: Message, holder: &str, clock: &Clock) -> Result<(), DeskError> {
    match message {
        Message::Asked(request) => open(desk, *request, holder, clock).await,
        Message::Action(hint) if hint.has_started => started(desk, hint, holder, clock).await,
        Message::Action(Hint { place, execution, .. }) => {
            let action = Some((place.stage.as_str(), place.action.as_str()));
            Box::pin(conclude(desk, &place.pipeline, &execution, action, holder, clock)).await
        }
        Message::Execution { pipeline, execution } => {
            Box::pin(conclude(desk, &pipeline, &execution, None, holder, clock)).await
        }
        Message::Other(why) => {
            tracing::info!(why, "nothing to do");
            Ok(())
        }
    }
}

async fn open(desk: &Desk, request: Request, holder: &str, clock: &Clock) -> Result<(), DeskError> {
    match Box::pin(desk.open(request, clock)).await? {
        Opened::Recorded(id) => desk.settle(&id, holder, clock).await,
        Opened::NotOurs => Ok(()),
    }
}

async fn started(desk: &Desk, hint: Hint, holder: &str, clock: &Clock) -> Result<(), DeskError> {
    // What is not ours costs no call of AWS.
    if desk.settings().terms(&hint.place)?.is_none() {
        tracing::info!(place = ?hint.place, "stagegate.yaml has no entry for this approval");
        return Ok(());
    }
    for look in 1..=LOOKS {
        let found = desk.pipelines().waiting(&hint.place, &hint.execution, hint.action_execution.as_deref()).await?;
        match found {
            Found::Waiting { token, action_execution } => {
                let request = Request {
                    console_link: hint.region.as_deref().map(|region| console(region, &hint.place.pipeline)),
                    place: hint.place,
                    token,
                    execution: Some(hint.execution),
                    action_execution: action_execution.or(hint.action_execution),
                    expires_at: None,
                    custom_data: None,
                    review_link: None,
                    release: Release::default(),
                };
                return open(desk, request, holder, clock).await;
            }
            Found::Over => {
                tracing::info!(place = ?hint.place, "it does not wait any more");
                return Ok(());
            }
            Found::NotYet if look < LOOKS => tokio::time::sleep(BETWEEN_LOOKS).await,
            Found::NotYet => {}
        }
    }
    let place = hint.place;
    Err(DeskError::Aws {
        what: format!("find the token of the approval {}/{}/{}", place.pipeline, place.stage, place.action),
        why: "CodePipeline does not show it yet; Lambda tries again".to_owned(),
    })
}

/// The pipeline in the console of the standard partition.
fn console(region: &str, pipeline: &str) -> String {
    format!("https://{region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/{pipeline}/view?region={region}")
}

async fn conclude(
    desk: &Desk,
    pipeline: &str,
    execution: &str,
    action: Option<(&str, &str)>,
    holder: &str,
    clock: &Clock,
) -> Result<(), DeskError> {
    for id in desk.open_of(pipeline, execution, action).await? {
        desk.conclude(&id, holder, clock).await?;
    }
    Ok(())
}
