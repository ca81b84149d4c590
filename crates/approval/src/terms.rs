//! What was agreed when the approval was requested.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stagegate_config::{ApprovalPolicy, CommentRule, Length, WhenFailed};

/// How an approval is decided: what `stagegate.yaml` said when it was requested. Who may decide is looked up anew with
/// each vote; what is written here about it is for people to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The channel that is asked.
    pub channel: String,
    /// People who may decide, by Slack user id.
    pub users: BTreeSet<String>,
    /// Slack user groups whose members may decide.
    pub groups: BTreeSet<String>,
    /// Domains of the e-mail addresses of people who may decide.
    pub email_domains: BTreeSet<String>,
    /// How many people must approve.
    pub quorum: u32,
    /// How many people must reject.
    pub rejections: u32,
    /// Whether the author of the change may approve it.
    pub author_may_approve: bool,
    /// Whether an approval needs a comment.
    pub comment_on_approve: bool,
    /// Whether a rejection needs a comment.
    pub comment_on_reject: bool,
    /// Seconds between reminders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_every: Option<i64>,
    /// Who is asked later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate: Option<EscalationTerms>,
    /// Seconds after which it is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reject_after: Option<i64>,
    /// The gate that may answer for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<AutomaticTerms>,
}

/// The gate that may answer for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutomaticTerms {
    /// Its name in `stagegate.yaml`.
    pub gate: String,
    /// Whether the approval is rejected when it fails; else people decide.
    pub rejects: bool,
    /// Whether there are people who may let the execution through it.
    #[serde(default)]
    pub can_be_overridden: bool,
}

/// Who is asked later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationTerms {
    /// Seconds after the request.
    pub after: i64,
    /// The channel.
    pub channel: String,
}

impl From<&ApprovalPolicy> for Terms {
    fn from(policy: &ApprovalPolicy) -> Self {
        let seconds = |length: Length| i64::try_from(length.as_duration().as_secs()).unwrap_or(i64::MAX);
        let set = |texts: &[String]| texts.iter().cloned().collect();
        Self {
            channel: policy.channel.clone(),
            users: set(&policy.approvers.users),
            groups: set(&policy.approvers.groups),
            email_domains: set(&policy.approvers.email_domains),
            quorum: policy.quorum.get(),
            rejections: policy.rejections.get(),
            author_may_approve: policy.author_may_approve,
            comment_on_approve: policy.comment == CommentRule::Always,
            comment_on_reject: policy.comment != CommentRule::Optional,
            remind_every: policy.remind_every.map(seconds),
            escalate: policy.escalate.as_ref().map(|escalation| EscalationTerms {
                after: seconds(escalation.after),
                channel: escalation.channel.clone(),
            }),
            reject_after: policy.reject_after.map(seconds),
            automatic: policy.automatic.as_ref().map(|gate| AutomaticTerms {
                gate: gate.clone(),
                rejects: policy.when_failed.unwrap_or_default() == WhenFailed::Reject,
                can_be_overridden: false,
            }),
        }
    }
}
