//! Stage conditions and their rules as the AWS model declares them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{InputArtifact, StageDeclaration};

/// Conditions of a stage before it is entered or when it has succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageConditions {
    /// One condition.
    pub conditions: Vec<Condition>,
}

/// What happens when a stage has failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureConditions {
    /// What happens where there is no condition: `ROLLBACK` or `RETRY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ConditionResult>,
    /// How an automatic retry is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_configuration: Option<RetryConfiguration>,
    /// At most one condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// How an automatic retry is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryConfiguration {
    /// Which actions run again; the failed ones where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_mode: Option<RetryMode>,
}

/// Which actions of a stage run again (`StageRetryMode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetryMode {
    /// Those that failed or were abandoned, and those that did not run.
    #[serde(rename = "FAILED_ACTIONS")]
    FailedActions,
    /// Every one.
    #[serde(rename = "ALL_ACTIONS")]
    AllActions,
}

/// A condition: rules, and what happens by them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// What happens; AWS lets it be left out, and the stage then fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ConditionResult>,
    /// One to five rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleDeclaration>,
}

/// What a condition brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ConditionResult {
    /// The stage is brought back to the last execution that succeeded in it.
    Rollback,
    /// The stage fails.
    Fail,
    /// The stage is tried once more.
    Retry,
    /// The stage is passed by.
    Skip,
}

impl fmt::Display for ConditionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rollback => "ROLLBACK",
            Self::Fail => "FAIL",
            Self::Retry => "RETRY",
            Self::Skip => "SKIP",
        })
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleDeclaration {
    /// The rule's name; unique in its condition.
    pub name: String,
    /// What carries it out.
    pub rule_type_id: RuleTypeId,
    /// The rule's settings; values may hold `#{namespace.key}`.
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    /// Shell commands of a Commands rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// The artifacts that the rule takes.
    #[serde(default)]
    pub input_artifacts: Vec<InputArtifact>,
    /// A role for this rule, which the local AWS does not assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The Region that the rule runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How long the rule may take, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_in_minutes: Option<u32>,
}

/// The type of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleTypeId {
    /// Always `Rule`.
    pub category: String,
    /// Always `AWS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// For example `LambdaInvoke`.
    pub provider: String,
    /// Always `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// When a condition is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Before the stage's actions run.
    BeforeEntry,
    /// When all of them have succeeded.
    OnSuccess,
    /// When one of them has failed.
    OnFailure,
}

impl Moment {
    /// Every moment, in the order in which a stage meets them.
    pub const ALL: [Self; 3] = [Self::BeforeEntry, Self::OnSuccess, Self::OnFailure];

    /// The member of the stage's declaration.
    pub fn member(self) -> &'static str {
        match self {
            Self::BeforeEntry => "beforeEntry",
            Self::OnSuccess => "onSuccess",
            Self::OnFailure => "onFailure",
        }
    }
}

impl StageDeclaration {
    /// The condition of a moment, if the stage has one.
    pub fn condition(&self, moment: Moment) -> Option<&Condition> {
        let conditions = match moment {
            Moment::BeforeEntry => self.before_entry.as_ref().map(|entry| &entry.conditions),
            Moment::OnSuccess => self.on_success.as_ref().map(|success| &success.conditions),
            Moment::OnFailure => self.on_failure.as_ref().map(|failure| &failure.conditions),
        };
        conditions?.first()
    }
}
