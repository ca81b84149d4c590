//! Entries under `approvals`: who decides what, and how long there is to do it.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::channel::is_slack_id;
use crate::{Length, NamePattern};

/// The watch looks at open approvals once a minute.
const SHORTEST: Duration = Duration::from_secs(60);

/// Which manual approvals are decided how. Of several that match, the first one holds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ApprovalPolicy {
    /// The pipelines: a name, in which `*` stands for any characters and `?` for one.
    #[serde(deserialize_with = "name_pattern")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::name_pattern"))]
    pub pipeline: NamePattern,
    /// The stages, written like `pipeline`.
    #[serde(default = "any_name", deserialize_with = "name_pattern")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::name_pattern", extend("default" = "*")))]
    pub stage: NamePattern,
    /// The approval actions, written like `pipeline`.
    #[serde(default = "any_name", deserialize_with = "name_pattern")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::name_pattern", extend("default" = "*")))]
    pub action: NamePattern,
    /// Where people are asked: a name under `channels`.
    pub channel: String,
    /// Who may decide.
    pub approvers: Approvers,
    /// How many different people must approve.
    #[serde(default = "one")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::count", extend("default" = 1)))]
    pub quorum: NonZeroU32,
    /// How many different people must reject before the approval is rejected.
    #[serde(default = "one")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::count", extend("default" = 1)))]
    pub rejections: NonZeroU32,
    /// Whether the author of the change, and whoever started the execution, may approve it. Where they may not, an
    /// approval whose author is not known is approved by nobody.
    #[serde(default = "yes")]
    #[cfg_attr(feature = "schema", schemars(extend("default" = true)))]
    pub author_may_approve: bool,
    /// When a comment must be written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "on_reject")))]
    pub comment: CommentRule,
    /// How long after the request, and after each reminder, people are reminded. At least a minute.
    #[serde(default, deserialize_with = "minutes")]
    pub remind_every: Option<Length>,
    /// Who is asked as well when nobody has decided.
    #[serde(default)]
    pub escalate: Option<Escalation>,
    /// How long after the request it is rejected when nobody has decided. At least a minute. Without it, CodePipeline's own
    /// time limit holds, which is seven days unless the action says otherwise.
    #[serde(default, deserialize_with = "minutes")]
    pub reject_after: Option<Length>,
    /// A gate under `gates` that decides whether a release may go on. It approves when it passes, and leaves the decision
    /// to people when it is inconclusive. People may decide before it does.
    #[serde(default)]
    pub automatic: Option<String>,
    /// What becomes of the approval when the gate under `automatic` fails.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "reject")))]
    pub when_failed: Option<WhenFailed>,
}

/// What a failed gate means for an approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WhenFailed {
    /// It is rejected.
    #[default]
    Reject,
    /// People decide, and are shown what was found.
    Ask,
}

/// Who may decide: whoever one of these names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::approvers))]
#[serde(deny_unknown_fields)]
pub struct Approvers {
    /// People, by their Slack user ids, such as `U0123456789`.
    #[serde(default, deserialize_with = "users")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::slack_users"))]
    pub users: Vec<String>,
    /// The members of Slack user groups, by the groups' ids, such as `S0123456789`.
    #[serde(default, deserialize_with = "groups")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::slack_groups"))]
    pub groups: Vec<String>,
    /// Members of the workspace, no guests, whose confirmed e-mail address ends with `@` and one of these.
    #[serde(default, deserialize_with = "domains")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::domains"))]
    pub email_domains: Vec<String>,
}

/// Whom to ask as well when nobody has decided.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// How long after the request. At least a minute.
    #[serde(deserialize_with = "length_of_minutes")]
    pub after: Length,
    /// Where: a name under `channels`.
    pub channel: String,
}

/// When a comment must be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CommentRule {
    /// With every decision.
    Always,
    /// With a rejection.
    #[default]
    OnReject,
    /// Never.
    Optional,
}

/// What is wrong with an entry as a whole.
pub(crate) struct ApprovalFault {
    /// The way to the key that is meant.
    pub(crate) path: &'static [&'static str],
    pub(crate) what: String,
}

impl ApprovalPolicy {
    /// Whether it is about this approval action.
    pub fn matches(&self, pipeline: &str, stage: &str, action: &str) -> bool {
        self.pipeline.matches(pipeline) && self.stage.matches(stage) && self.action.matches(action)
    }

    /// What is wrong with the entry as a whole, if anything.
    pub(crate) fn fault(&self) -> Option<ApprovalFault> {
        let fault = |path, what: String| Some(ApprovalFault { path, what });
        let Approvers { users, groups, email_domains } = &self.approvers;
        if users.is_empty() && groups.is_empty() && email_domains.is_empty() {
            let what = "has no approvers, so nobody could decide; name `users`, `groups` or `email_domains`";
            return fault(&["approvers"], what.to_owned());
        }
        let are_counted = groups.is_empty() && email_domains.is_empty();
        for (key, wanted) in [("quorum", self.quorum), ("rejections", self.rejections)] {
            if are_counted && (wanted.get() as usize) > users.len() {
                let path: &[_] = if key == "quorum" { &["quorum"] } else { &["rejections"] };
                let (wanted, there_are) = (wanted.get(), users.len());
                return fault(path, format!("wants {wanted} people for `{key}`, and only {there_are} may decide"));
            }
        }
        if self.automatic.is_none() && self.when_failed.is_some() {
            let what = "says what a failed gate means, and names no gate; add `automatic`, or take out `when_failed`";
            return fault(&["when_failed"], what.to_owned());
        }
        if let (Some(escalation), Some(reject_after)) = (&self.escalate, self.reject_after)
            && escalation.after >= reject_after
        {
            let (after, end) = (escalation.after, reject_after);
            let what =
                format!("asks others after {after}, and is rejected after {end}; let `escalate.after` be shorter");
            return fault(&["escalate", "after"], what);
        }
        None
    }
}

impl Approvers {
    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.email_domains.is_empty()
    }
}

fn any_name() -> NamePattern {
    NamePattern::new("*")
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

fn yes() -> bool {
    true
}

pub(crate) fn name_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NamePattern, D::Error> {
    filled_pattern(&String::deserialize(deserializer)?)
}

/// A pattern of names that is not empty.
pub(crate) fn filled_pattern<E: Error>(text: &str) -> Result<NamePattern, E> {
    if text.trim().is_empty() {
        return Err(E::custom("an empty pattern matches no name; write a name, or \"*\" for all"));
    }
    Ok(NamePattern::new(text))
}

fn minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Length>, D::Error> {
    Option::<Length>::deserialize(deserializer)?.map(at_least_a_minute).transpose()
}

fn length_of_minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Length, D::Error> {
    at_least_a_minute(Length::deserialize(deserializer)?)
}

pub(crate) fn at_least_a_minute<E: Error>(length: Length) -> Result<Length, E> {
    match length.as_duration() >= SHORTEST {
        true => Ok(length),
        false => {
            Err(E::custom(format!("{length} is too short: what waits is looked at once a minute; write 1m or more")))
        }
    }
}

fn users<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    each(
        deserializer,
        |text| is_slack_id(text, "UW"),
        "a Slack user id",
        "U0123456789, which stands in the person's profile",
    )
}

fn groups<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    each(deserializer, |text| is_slack_id(text, "S"), "the id of a Slack user group", "S0123456789")
}

fn domains<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    each(deserializer, is_domain, "a domain of e-mail addresses", "example.com, in lower case")
}

fn is_domain(text: &str) -> bool {
    let labels: Vec<_> = text.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    labels.len() > 1 && text.len() <= 253 && labels.iter().all(is_label)
}

fn each<'de, D: Deserializer<'de>>(
    deserializer: D,
    is_valid: impl Fn(&str) -> bool,
    kind: &str,
    example: &str,
) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    for (number, text) in texts.iter().enumerate() {
        if !is_valid(text) {
            return Err(D::Error::custom(format!("{text:?} is not {kind}; write one such as {example}")));
        }
        if texts[..number].contains(text) {
            return Err(D::Error::custom(format!("{text:?} stands here twice; nobody counts twice")));
        }
    }
    Ok(texts)
}
