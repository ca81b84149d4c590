//! What is executed.

use serde::{Deserialize, Serialize};

/// What is executed: a pipeline, or a build or a deployment that no pipeline has started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A pipeline.
    #[default]
    Pipeline,
    /// A CodeBuild project.
    Build,
    /// A CodeDeploy deployment group, written `application/group`.
    Deployment,
}

impl Subject {
    /// What it is called in messages: the bare name of a pipeline, and others with their kind.
    pub fn title(self, name: &str) -> String {
        match self {
            Self::Pipeline => name.to_owned(),
            Self::Build => format!("build {name}"),
            Self::Deployment => format!("deployment {name}"),
        }
    }
}
