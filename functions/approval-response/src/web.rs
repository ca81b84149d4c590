//! A request of the URL. It answers within three seconds, whatever else is slow.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use codepipeline_job::FailureCause as _;
use jiff::Timestamp;
use lambda_runtime::Context;
use serde_json::{Value, json};
use stagegate_approval::{ApprovalId, Ruling};
use stagegate_desk::{APPROVE, Clock, Desk, REJECT, Settings};
use stagegate_slack::blocks::errors;
use stagegate_slack::interaction::{Action, BlockActions, ClickedMessage, Interaction, Origin, Submission};
use stagegate_slack::signature::{SignatureError, VerifiedBody, verify};
use stagegate_slack::{SigningSecret, Visibility};
use tokio::time::{Instant, timeout_at};

use crate::check::{Checked, check};
use crate::http::{HttpRequest, answer, status};
use crate::modal::{self, COMMENT_BLOCK};
use crate::vote::{Asked, CastVote, Work};

/// How long a click may be looked into before the modal opens all the same. Everything is checked again with the vote.
const LOOK: Duration = Duration::from_millis(1100);
/// When Slack has to have been answered; it waits three seconds.
const ANSWER: Duration = Duration::from_millis(2500);

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

fn refuse(code: u16, why: &str) -> Value {
    tracing::warn!(why, code, "refused");
    status(code)
}

/// Only clicks of the app and the workspace that the function was deployed for; without both of them, none.
fn is_ours(origin: &Origin) -> bool {
    Settings::installation().is_some_and(|own| own.app == origin.app.as_str() && own.team == origin.team.as_str())
}

async fn clicked(desk: &Desk, click: &BlockActions, arrived: Instant) -> Value {
    let found = click.actions.iter().find_map(|action| Some((action, ruling_of(action)?)));
    // A button that only opens a page.
    let Some((action, ruling)) = found else { return status(200) };
    let id = action.value.as_deref().and_then(|value| value.parse::<ApprovalId>().ok());
    let (Some(id), Some(message)) = (id, &click.message) else {
        return refuse(403, "take the click: the button is not one of an approval's message");
    };
    let looked = check(desk, &id, &click.origin, message, ruling, arrived + ANSWER);
    let (place, needs_comment) = match timeout_at(arrived + LOOK, looked).await {
        Ok(Ok(Checked { approval, .. })) => {
            let terms = &approval.terms;
            let needs = if ruling == Ruling::Approved { terms.comment_on_approve } else { terms.comment_on_reject };
            (Some(approval.place), needs)
        }
        Ok(Err(why)) if why.is_final() => {
            tracing::warn!(approval = %id, user = %click.origin.user, why = why.to_string(), "refused");
            tell(desk, click, &why.to_string(), arrived).await;
            return status(200);
        }
        Ok(Err(why)) => {
            tracing::warn!(approval = %id, why = why.to_string(), "not checked yet");
            (None, false)
        }
        Err(_) => {
            tracing::warn!(approval = %id, "not checked yet: it takes too long");
            (None, false)
        }
    };
    open(desk, click, &id, message, ruling, place.as_ref(), needs_comment, arrived).await
}

fn ruling_of(action: &Action) -> Option<Ruling> {
    match action.action_id.as_str() {
        APPROVE => Some(Ruling::Approved),
        REJECT => Some(Ruling::Rejected),
        _ => None,
    }
}

#[expect(clippy::too_many_arguments, reason = "what a modal is made of, gathered by its one caller")]
async fn open(
    desk: &Desk,
    click: &BlockActions,
    id: &ApprovalId,
    message: &ClickedMessage,
    ruling: Ruling,
    place: Option<&stagegate_approval::Place>,
    needs_comment: bool,
    arrived: Instant,
) -> Value {
    let asked = Asked {
        approval: id.clone(),
        ruling,
        channel: message.channel.to_string(),
        ts: message.ts.to_string(),
        needs_comment,
    };
    let opened = async {
        let modal = modal::ask(&asked, place).map_err(|error| error.to_string())?;
        let slack = desk.slack().await.map_err(|error| error.to_string())?;
        slack.open_view(&click.trigger_id, &modal, arrived + ANSWER).await.map_err(|error| error.to_string())
    };
    match timeout_at(arrived + ANSWER, opened).await {
        Ok(Ok(_)) => {}
        Ok(Err(why)) => tracing::error!(approval = %id, why, "the modal could not be opened"),
        Err(_) => tracing::error!(approval = %id, "the modal could not be opened in time"),
    }
    status(200)
}

/// Says something to the person who clicked, and to nobody else.
async fn tell(desk: &Desk, click: &BlockActions, why: &str, arrived: Instant) {
    let Some(url) = &click.response_url else { return };
    let told = url.reply(desk.http(), Visibility::Ephemeral, &modal::sorry(why), arrived + ANSWER).await;
    if let Err(error) = told {
        tracing::warn!(why = error.to_string(), "the person could not be told");
    }
}

/// Hands a vote over and acknowledges it. What was not handed over is not acknowledged: the modal stays open and says so.
async fn submitted(
    sdk: &SdkConfig,
    submission: &Submission,
    context: &Context,
    arrived: Instant,
    clock: &Clock,
) -> Value {
    let asked = serde_json::from_str::<Asked>(&submission.private_metadata);
    let (true, Ok(asked)) = (submission.callback_id == modal::DECIDE, asked) else {
        return refuse(403, "take the submission: the modal is not one of an approval");
    };
    let comment = submission.value(COMMENT_BLOCK, modal::COMMENT).map(str::to_owned);
    if asked.needs_comment && comment.is_none() {
        return answer(&errors(&[(COMMENT_BLOCK, "Please say why.")]));
    }
    let vote = CastVote {
        approval: asked.approval,
        ruling: asked.ruling,
        user: submission.origin.user.to_string(),
        comment,
        app: submission.origin.app.to_string(),
        team: submission.origin.team.to_string(),
        channel: asked.channel,
        ts: asked.ts,
        at: clock.now(),
    };
    let id = vote.approval.clone();
    match timeout_at(arrived + ANSWER, hand_over(sdk, context, &Work { vote })).await {
        Ok(Ok(())) => answer(&json!({"response_action": "clear"})),
        Ok(Err(why)) => not_taken(&id, &why),
        Err(_) => not_taken(&id, "Lambda did not take the vote in time"),
    }
}

fn not_taken(id: &ApprovalId, why: &str) -> Value {
    tracing::error!(approval = %id, why, "a vote could not be handed over");
    answer(&errors(&[(COMMENT_BLOCK, "Your answer could not be taken just now. Please send it once more.")]))
}

/// Invokes this function asynchronously.
async fn hand_over(sdk: &SdkConfig, context: &Context, work: &Work) -> Result<(), String> {
    let payload = serde_json::to_vec(work).map_err(|error| error.to_string())?;
    let client = aws_sdk_lambda::Client::new(sdk);
    let request = client.invoke().function_name(&context.invoked_function_arn).invocation_type(InvocationType::Event);
    request.payload(Blob::new(payload)).send().await.map(drop).map_err(|error| error.failure_message())
}
