//! The pipeline declaration of the AWS model, type V2: what CreatePipeline takes and GetPipeline gives back.
//!
//! Members that the local engine does not interpret (`triggers`, `environmentVariables`, ...) are kept as
//! they came, so that a declaration survives the round trip.

mod action_types;
mod condition_checks;
mod conditions;
mod custom_type;
mod reference;
mod rule_types;
mod structure;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use action_types::{ActionTypes, ArtifactCounts};
pub use conditions::{
    Condition, ConditionResult, FailureConditions, Moment, RetryConfiguration, RetryMode, RuleDeclaration, RuleTypeId,
    StageConditions,
};
pub use reference::{Piece, pieces};

pub(crate) use condition_checks::commands_type;
pub(crate) use custom_type::CustomActionType;
pub(crate) use rule_types::{RuleType, alarm_states, value_problem, wait_minutes, wanted_states, whole_match};

/// A pipeline (`PipelineDeclaration` of the AWS model).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PipelineDeclaration {
    /// The pipeline's name; unique in the account.
    pub name: String,
    /// The service role, which the local AWS does not assume.
    pub role_arn: String,
    /// Where the artifacts lie. Exactly one of this and [`Self::artifact_stores`] is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_store: Option<ArtifactStore>,
    /// Where the artifacts lie, by Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_stores: Option<BTreeMap<String, ArtifactStore>>,
    /// The stages in their order.
    pub stages: Vec<StageDeclaration>,
    /// 1 when created, one more with every update. What a caller sends here is ignored.
    #[serde(default = "one")]
    pub version: u32,
    /// What happens when executions meet.
    #[serde(default)]
    pub execution_mode: ExecutionMode,
    /// `V1` or `V2`; AWS takes `V1` where nothing is said.
    #[serde(default)]
    pub pipeline_type: PipelineType,
    /// The pipeline's variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<VariableDeclaration>,
    /// Git triggers, not interpreted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggers: Option<Value>,
}

/// What happens when executions of one pipeline meet (AWS CodePipeline guide, execution modes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ExecutionMode {
    /// A waiting execution is replaced by a newer one.
    #[default]
    Superseded,
    /// Executions wait in a queue in front of each stage.
    Queued,
    /// Executions do not see each other.
    Parallel,
}

/// The pipeline's type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PipelineType {
    /// Without variables, triggers and execution modes.
    #[default]
    V1,
    /// With all of them.
    V2,
}

/// The bucket of the artifacts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactStore {
    /// Always `S3`.
    #[serde(rename = "type")]
    pub store_type: String,
    /// The bucket's name.
    pub location: String,
    /// The key that the artifacts are encrypted with; absent for the default key of S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_key: Option<EncryptionKey>,
}

/// A KMS key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncryptionKey {
    /// The key's id, ARN or alias ARN.
    pub id: String,
    /// Always `KMS`.
    #[serde(rename = "type")]
    pub key_type: String,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageDeclaration {
    /// The stage's name; unique in the pipeline.
    pub name: String,
    /// Reserved by AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blockers: Option<Value>,
    /// The actions.
    pub actions: Vec<ActionDeclaration>,
    /// Entry conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_entry: Option<StageConditions>,
    /// Conditions on success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_success: Option<StageConditions>,
    /// Result, retry and conditions on failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<FailureConditions>,
}

/// An action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionDeclaration {
    /// The action's name; unique in its stage.
    pub name: String,
    /// What carries it out.
    pub action_type_id: ActionTypeId,
    /// Its place in the stage: actions of one number run at the same time.
    #[serde(default = "one")]
    pub run_order: u32,
    /// The provider's settings; values may hold `#{namespace.key}`.
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    /// Shell commands of a Commands action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// The artifacts that the action makes.
    #[serde(default)]
    pub output_artifacts: Vec<OutputArtifact>,
    /// The artifacts that the action takes.
    #[serde(default)]
    pub input_artifacts: Vec<InputArtifact>,
    /// Names of the variables that a Commands action exports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_variables: Vec<String>,
    /// A role for this action, which the local AWS does not assume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The Region that the action runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The namespace of the action's output variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How long a manual approval waits, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_in_minutes: Option<u32>,
    /// Environment variables, not interpreted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_variables: Option<Value>,
}

/// The type of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionTypeId {
    /// `Source`, `Build`, `Deploy`, `Test`, `Invoke`, `Approval` or `Compute`.
    pub category: String,
    /// `AWS`, `ThirdParty` or `Custom`.
    pub owner: String,
    /// The provider, for example `CodeBuild`.
    pub provider: String,
    /// The version of the action type, for example `1`.
    pub version: String,
}

impl fmt::Display for ActionTypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { category, owner, provider, version } = self;
        write!(f, "{category}/{owner}/{provider}/{version}")
    }
}

/// An artifact that an action makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputArtifact {
    /// The artifact's name; unique in the pipeline.
    pub name: String,
    /// The files that a Commands action puts into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

/// An artifact that an action takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputArtifact {
    /// The name of an output artifact of an earlier action.
    pub name: String,
}

/// A variable of the pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VariableDeclaration {
    /// The variable's name.
    pub name: String,
    /// The value where an execution gives none. Without it every execution must give one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl PipelineDeclaration {
    /// The artifact store of a Region: the only one, or the one that `artifactStores` names for it.
    pub fn store(&self, region: &str) -> Option<&ArtifactStore> {
        match (&self.artifact_store, &self.artifact_stores) {
            (Some(store), _) => Some(store),
            (None, Some(stores)) => stores.get(region),
            (None, None) => None,
        }
    }
}

const fn one() -> u32 {
    1
}
