//! `UserParameters` of an action: which gate to apply, and what the job event does not say about itself.

use serde::Deserialize;

use crate::suggest::UnknownName;
use crate::{Config, CoveragePolicy, Gate, SarifPolicy, TestGate, TestsPolicy, UnknownGate};

/// The most characters of `UserParameters` (AWS model: a configuration value has 1 to 1000 characters).
pub const MAX_USER_PARAMETERS_CHARS: usize = 1000;

const EXAMPLE: &str = r##"{"gate":"web-tests","execution":"#{codepipeline.PipelineExecutionId}"}"##;

/// The JSON object in `UserParameters`.
///
/// A Lambda action's job names neither its pipeline nor its execution, so they can be given here; a custom action's job
/// does, and what it says wins.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserParameters {
    /// The name of a gate in `stagegate.yaml`.
    #[serde(default)]
    pub gate: Option<String>,
    /// A short policy in place of a gate's name: what test reports must show.
    #[serde(default)]
    pub tests: Option<TestsPolicy>,
    /// As part of a short policy: what coverage reports must show.
    #[serde(default)]
    pub coverage: Option<CoveragePolicy>,
    /// As part of a short policy: what static analysis may find.
    #[serde(default)]
    pub sarif: Option<SarifPolicy>,
    /// The id or ARN of the CodeBuild build whose reports are judged: `#{Build.CODEBUILD_BUILD_ID}`.
    #[serde(default)]
    pub build: Option<String>,
    /// The pipeline's name.
    #[serde(default)]
    pub pipeline: Option<String>,
    /// The stage's name.
    #[serde(default)]
    pub stage: Option<String>,
    /// The pipeline execution's id: `#{codepipeline.PipelineExecutionId}`.
    #[serde(default)]
    pub execution: Option<String>,
}

/// The policy that parameters ask for.
#[derive(Clone, Debug, PartialEq)]
pub enum GateChoice {
    /// An entry of `stagegate.yaml`.
    Named(String),
    /// A policy that stands in the parameters themselves.
    Inline(Box<Gate>),
}

impl UserParameters {
    /// Reads the parameters of an action; `None` stands for an action without any.
    ///
    /// # Errors
    ///
    /// If they are absent, no JSON object, or hold an unknown key or a bad value.
    pub fn parse(text: Option<&str>) -> Result<Self, ParametersError> {
        let text = text.filter(|text| !text.trim().is_empty()).ok_or(ParametersError::Absent)?;
        if text.chars().count() > MAX_USER_PARAMETERS_CHARS {
            return Err(ParametersError::TooLong { chars: text.chars().count() });
        }
        // A derived struct would read an array as its fields in order.
        if text.trim_start().starts_with('[') {
            return Err(ParametersError::NoObject);
        }
        let parameters: Self = serde_json::from_str(text).map_err(|error| ParametersError::invalid(&error))?;
        match parameters.unresolved() {
            Some(key) => Err(ParametersError::Unresolved { key }),
            None => Ok(parameters),
        }
    }

    /// The one policy that is asked for.
    ///
    /// # Errors
    ///
    /// If there is none, or both a gate and a policy.
    pub fn choice(&self) -> Result<GateChoice, ParametersError> {
        let inline = TestGate {
            tests: self.tests.clone(),
            coverage: self.coverage.clone(),
            sarif: self.sarif.clone(),
            ..TestGate::default()
        };
        match (&self.gate, inline != TestGate::default()) {
            (Some(gate), false) => Ok(GateChoice::Named(gate.clone())),
            (None, true) => match inline.fault() {
                None => Ok(GateChoice::Inline(Box::new(Gate::Test(inline)))),
                Some(fault) => Err(ParametersError::BadPolicy { fault: fault.what }),
            },
            (None, false) => Err(ParametersError::NoGate),
            (Some(gate), true) => Err(ParametersError::TwoPolicies { gate: gate.clone() }),
        }
    }

    /// A key whose value still holds `#{...}`, which CodePipeline would have replaced.
    fn unresolved(&self) -> Option<&'static str> {
        let build =
            self.tests.as_ref().and_then(|tests| tests.codebuild.as_ref()).map_or(&None, |source| &source.build);
        [
            ("gate", &self.gate),
            ("pipeline", &self.pipeline),
            ("stage", &self.stage),
            ("execution", &self.execution),
            ("build", &self.build),
            ("tests.codebuild.build", build),
        ]
        .into_iter()
        .find(|(_, value)| value.as_deref().is_some_and(|value| value.contains("#{")))
        .map(|(key, _)| key)
    }
}

impl GateChoice {
    /// The gate's name, for verdict and messages.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Inline(_) => "inline",
        }
    }

    /// The policy, from `config` where it is named.
    ///
    /// # Errors
    ///
    /// If `config` has no gate of that name.
    pub fn resolve<'a>(&'a self, config: &'a Config) -> Result<&'a Gate, UnknownGate> {
        match self {
            Self::Named(name) => config.gate(name),
            Self::Inline(gate) => Ok(gate),
        }
    }
}

/// Why `UserParameters` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// The action has none.
    #[error("read UserParameters: the action has none; set them to a JSON object such as {EXAMPLE}")]
    Absent,
    /// They are longer than CodePipeline allows.
    #[error(
        "read UserParameters: they have {chars} characters, the limit is {MAX_USER_PARAMETERS_CHARS}; move the policy to stagegate.yaml and name its gate"
    )]
    TooLong {
        /// How many characters there are.
        chars: usize,
    },
    /// An array.
    #[error("read UserParameters: they are a JSON array, not an object; an example: {EXAMPLE}")]
    NoObject,
    /// No JSON, an unknown key, or a bad value.
    #[error("read UserParameters: {message} (line {line}, column {column}); an example: {EXAMPLE}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// The line in the parameters, from 1.
        line: usize,
        /// The column in the parameters, from 1.
        column: usize,
    },
    /// A variable that CodePipeline has not replaced.
    #[error(
        "read UserParameters: {key:?} still holds an unresolved #{{...}}; check the namespace and name of the variable"
    )]
    Unresolved {
        /// The key.
        key: &'static str,
    },
    /// Neither a gate nor a policy.
    #[error("choose a gate: UserParameters have neither \"gate\" nor a policy; an example: {EXAMPLE}")]
    NoGate,
    /// A policy that asks for nothing.
    #[error("use the policy in UserParameters: it {fault}")]
    BadPolicy {
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A gate and a policy.
    #[error("choose a gate: UserParameters have both \"gate\": {gate:?} and a policy; keep one of the two")]
    TwoPolicies {
        /// The gate's name.
        gate: String,
    },
}

impl ParametersError {
    fn invalid(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let message = match UnknownName::read(&text) {
            Some(unknown) => unknown.describe(),
            None => text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned(),
        };
        Self::Invalid { message, line: error.line(), column: error.column() }
    }
}
