//! A request of the URL. It answers within three seconds, whatever else is slow.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use codepipeline_job::FailureCause as _;
use jiff::Timestamp;
use lambda_runtime::Context;
use serde_json::{Value, json};
use stagegate_approval::ApprovalId;
use stagegate_desk::{Clock, Desk, Settings};
use stagegate_slack::SigningSecret;
use stagegate_slack::blocks::errors;
use stagegate_slack::interaction::{Interaction, Origin, Submission};
use stagegate_slack::signature::{SignatureError, VerifiedBody, verify};
use tokio::time::{Instant, timeout_at};

use crate::click::clicked;
use crate::http::{HttpRequest, answer, status};
use crate::modal::{self, COMMENT_BLOCK};
use crate::vote::{Asked, AskedOverride, CastOverride, CastVote, Sender, Work};

/// When Slack has to have been answered; it waits three seconds.
pub(crate) const ANSWER: Duration = Duration::from_millis(2500);
const NOT_OURS: &str = "take the submission: the modal is not one of an approval";

/// Answers a request.
pub(crate) async fn handle(
    desk: &Desk,
    sdk: &SdkConfig,
    request: &HttpRequest,
    context: &Context,
    clock: &Clock,
) -> Value {
    let arrived = Instant::now();
    let verified = match believe(desk, request).await {
        Ok(verified) => verified,
        Err(refused) => return refused,
    };
    let interaction = match Interaction::parse(verified) {
        Ok(interaction) => interaction,
        Err(error) => return refuse(400, &error.to_string()),
    };
    match interaction {
        Interaction::BlockActions(click) if is_ours(&click.origin) => clicked(desk, &click, arrived).await,
        Interaction::ViewSubmission(submission) if is_ours(&submission.origin) => {
            submitted(sdk, &submission, context, arrived, clock).await
        }
        Interaction::BlockActions(_) | Interaction::ViewSubmission(_) => {
            refuse(403, "take the click: it comes from another app or workspace than the one that is configured")
        }
        Interaction::ViewClosed(_) | Interaction::Other(_) => status(200),
    }
}

/// The body, if Slack has signed it. What cannot be signed rightly is refused before the secret is read.
async fn believe<'r>(desk: &Desk, request: &'r HttpRequest) -> Result<VerifiedBody<'r>, Value> {
    // Slack's clock is the wall's, also where a local AWS has another one.
    let now = Timestamp::now();
    match verify(&SigningSecret::new("no secret"), request.signed(), now) {
        Ok(_) | Err(SignatureError::Mismatch) => {}
        Err(error) => return Err(refuse(401, &error.to_string())),
    }
    let secret = desk.secrets().signing_secret().await.map_err(|error| {
        tracing::error!(why = error.to_string(), "nobody passes without the signing secret");
        status(401)
    })?;
    verify(&secret, request.signed(), now).map_err(|error| refuse(401, &error.to_string()))
}

pub(crate) fn refuse(code: u16, why: &str) -> Value {
    tracing::warn!(why, code, "refused");
    status(code)
}

/// Only clicks of the app and the workspace that the function was deployed for; without both of them, none.
fn is_ours(origin: &Origin) -> bool {
    Settings::installation().is_some_and(|own| own.app == origin.app.as_str() && own.team == origin.team.as_str())
}

/// Hands a vote or an override over and acknowledges it. What was not handed over is not acknowledged: the modal stays
/// open and says so.
async fn submitted(
    sdk: &SdkConfig,
    submission: &Submission,
    context: &Context,
    arrived: Instant,
    clock: &Clock,
) -> Value {
    let work = match submission.callback_id.as_str() {
        modal::DECIDE => vote(submission, clock),
        modal::OVERRIDE => given_override(submission, clock),
        _ => Err(refuse(403, NOT_OURS)),
    };
    let work = match work {
        Ok(work) => work,
        Err(answered) => return answered,
    };
    match timeout_at(arrived + ANSWER, hand_over(sdk, context, &work)).await {
        Ok(Ok(())) => answer(&json!({"response_action": "clear"})),
        Ok(Err(why)) => not_taken(work.approval(), &why),
        Err(_) => not_taken(work.approval(), "Lambda did not take it in time"),
    }
}

/// The vote of a modal, or what is answered in its place.
fn vote(submission: &Submission, clock: &Clock) -> Result<Work, Value> {
    let asked = serde_json::from_str::<Asked>(&submission.private_metadata).map_err(|_| refuse(403, NOT_OURS))?;
    let comment = submission.value(COMMENT_BLOCK, modal::COMMENT).map(str::to_owned);
    if asked.needs_comment && comment.is_none() {
        return Err(answer(&errors(&[(COMMENT_BLOCK, "Please say why.")])));
    }
    Ok(Work::Vote(CastVote {
        approval: asked.approval,
        ruling: asked.ruling,
        comment,
        sender: Sender::of(&submission.origin, asked.channel, asked.ts, clock.now()),
    }))
}

/// The override of a modal, or what is answered in its place.
fn given_override(submission: &Submission, clock: &Clock) -> Result<Work, Value> {
    let asked = serde_json::from_str::<AskedOverride>(&submission.private_metadata);
    let asked = asked.map_err(|_| refuse(403, NOT_OURS))?;
    let Some(why) = submission.value(COMMENT_BLOCK, modal::COMMENT) else {
        return Err(answer(&errors(&[(COMMENT_BLOCK, "Please say why.")])));
    };
    Ok(Work::Override(CastOverride {
        approval: asked.approval,
        why: why.to_owned(),
        sender: Sender::of(&submission.origin, asked.channel, asked.ts, clock.now()),
    }))
}

fn not_taken(id: &ApprovalId, why: &str) -> Value {
    tracing::error!(approval = %id, why, "what a modal said could not be handed over");
    answer(&errors(&[(COMMENT_BLOCK, "Your answer could not be taken just now. Please send it once more.")]))
}

/// Invokes this function asynchronously.
async fn hand_over(sdk: &SdkConfig, context: &Context, work: &Work) -> Result<(), String> {
    let payload = serde_json::to_vec(work).map_err(|error| error.to_string())?;
    let client = aws_sdk_lambda::Client::new(sdk);
    let request = client.invoke().function_name(&context.invoked_function_arn).invocation_type(InvocationType::Event);
    request.payload(Blob::new(payload)).send().await.map(drop).map_err(|error| error.failure_message())
}
