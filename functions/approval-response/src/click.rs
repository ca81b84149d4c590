//! A click on a button of an approval's message: it opens a modal, for those who may use the button.

use std::time::Duration;

use serde_json::Value;
use stagegate_approval::{Approval, ApprovalId, Ruling};
use stagegate_desk::{APPROVE, Desk, OVERRIDE, REJECT};
use stagegate_slack::Visibility;
use stagegate_slack::blocks::{Modal, TooLong};
use stagegate_slack::interaction::{Action, BlockActions, ClickedMessage};
use tokio::time::{Instant, timeout_at};

use crate::check::{NotTaken, check, check_override};
use crate::http::status;
use crate::modal;
use crate::vote::{Asked, AskedOverride};
use crate::web::{ANSWER, refuse};

/// How long a click may be looked into before the modal opens all the same. Everything is checked again with what the modal
/// sends.
const LOOK: Duration = Duration::from_millis(1100);

/// The buttons that do something.
#[derive(Clone, Copy, Debug)]
enum Button {
    Decide(Ruling),
    Override,
}

impl Button {
    fn of(action: &Action) -> Option<Self> {
        match action.action_id.as_str() {
            APPROVE => Some(Self::Decide(Ruling::Approved)),
            REJECT => Some(Self::Decide(Ruling::Rejected)),
            OVERRIDE => Some(Self::Override),
            _ => None,
        }
    }

    /// The approval, if the person may use the button.
    async fn check(
        self,
        desk: &Desk,
        id: &ApprovalId,
        click: &BlockActions,
        message: &ClickedMessage,
        deadline: Instant,
    ) -> Result<Approval, NotTaken> {
        match self {
            Self::Decide(ruling) => check(desk, id, &click.origin, message, ruling, deadline).await,
            Self::Override => check_override(desk, id, &click.origin, message, deadline).await,
        }
    }

    /// What the button opens; `approval` where it could be read in time.
    fn modal(self, id: &ApprovalId, message: &ClickedMessage, approval: Option<&Approval>) -> Result<Modal, TooLong> {
        let (channel, ts) = (message.channel.to_string(), message.ts.to_string());
        match self {
            Self::Decide(ruling) => {
                let needs_comment = approval.is_some_and(|approval| match ruling {
                    Ruling::Approved => approval.terms.comment_on_approve,
                    Ruling::Rejected => approval.terms.comment_on_reject,
                });
                let asked = Asked { approval: id.clone(), ruling, channel, ts, needs_comment };
                modal::ask(&asked, approval.map(|approval| &approval.place))
            }
            Self::Override => modal::ask_why(&AskedOverride { approval: id.clone(), channel, ts }, approval),
        }
    }
}

/// Takes a click.
pub(crate) async fn clicked(desk: &Desk, click: &BlockActions, arrived: Instant) -> Value {
    let found = click.actions.iter().find_map(|action| Some((action, Button::of(action)?)));
    // A button that only opens a page.
    let Some((action, button)) = found else { return status(200) };
    let id = action.value.as_deref().and_then(|value| value.parse::<ApprovalId>().ok());
    let (Some(id), Some(message)) = (id, &click.message) else {
        return refuse(403, "take the click: the button is not one of an approval's message");
    };
    let looked = button.check(desk, &id, click, message, arrived + ANSWER);
    let approval = match timeout_at(arrived + LOOK, looked).await {
        Ok(Ok(approval)) => Some(approval),
        Ok(Err(why)) if why.is_final() => {
            tracing::warn!(approval = %id, user = %click.origin.user, why = why.to_string(), "refused");
            tell(desk, click, &why.to_string(), arrived).await;
            return status(200);
        }
        Ok(Err(why)) => {
            tracing::warn!(approval = %id, why = why.to_string(), "not checked yet");
            None
        }
        Err(_) => {
            tracing::warn!(approval = %id, "not checked yet: it takes too long");
            None
        }
    };
    open(desk, click, &id, button.modal(&id, message, approval.as_ref()), arrived).await
}

async fn open(
    desk: &Desk,
    click: &BlockActions,
    id: &ApprovalId,
    modal: Result<Modal, TooLong>,
    arrived: Instant,
) -> Value {
    let opened = async {
        let modal = modal.map_err(|error| error.to_string())?;
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
