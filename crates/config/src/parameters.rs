//! `UserParameters` of an action: which gate to apply, and what the job event does not say about itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::entry::GateEntry;
use crate::gate::Kind;
use crate::smoke::{Check, HurlFiles, Steady, VariableValue, is_variable_name};
use crate::suggest::UnknownName;
use crate::{Config, CoveragePolicy, Gate, SarifPolicy, TestsPolicy, UnknownGate};

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
    /// In place of these: the Hurl files that must pass.
    #[serde(default)]
    pub hurl: Option<Vec<HurlFiles>>,
    /// As part of a short policy: checks without a Hurl file that must pass.
    #[serde(default)]
    pub checks: Option<Vec<Check>>,
    /// As part of a short policy: how long everything must stay green.
    #[serde(default)]
    pub steady: Option<Steady>,
    /// Variables of smoke tests; they win over those of the gate.
    #[serde(default)]
    pub variables: BTreeMap<String, VariableValue>,
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
        if let Some(key) = parameters.unresolved() {
            return Err(ParametersError::Unresolved { key });
        }
        match parameters.variables.keys().find(|name| !is_variable_name(name)) {
            Some(name) => Err(ParametersError::BadVariable { name: name.clone() }),
            None => Ok(parameters),
        }
    }

    /// The one policy that is asked for.
    ///
    /// # Errors
    ///
    /// If there is none, or both a gate and a policy.
    pub fn choice(&self) -> Result<GateChoice, ParametersError> {
        let inline = GateEntry {
            tests: self.tests.clone(),
            coverage: self.coverage.clone(),
            sarif: self.sarif.clone(),
            hurl: self.hurl.clone(),
            checks: self.checks.clone(),
            steady: self.steady,
            ..GateEntry::default()
        };
        match (&self.gate, inline != GateEntry::default()) {
            (Some(gate), false) => Ok(GateChoice::Named(gate.clone())),
            (None, true) => match inline.gate() {
                Ok(gate) => Ok(GateChoice::Inline(Box::new(gate))),
                Err(fault) => Err(ParametersError::BadPolicy { fault: fault.what }),
            },
            (None, false) => Err(ParametersError::NoGate),
            (Some(gate), true) => Err(ParametersError::TwoPolicies { gate: gate.clone() }),
        }
    }

    /// Checks that every parameter says something to a gate of this kind.
    ///
    /// # Errors
    ///
    /// If one is for gates of another kind.
    pub fn check_for(&self, gate: &Gate) -> Result<(), ParametersError> {
        let variables = (!self.variables.is_empty()).then_some(("variables", Kind::Smoke));
        let build = self.build.as_ref().map(|_| ("build", Kind::Test));
        let foreign = match gate.kind() {
            Kind::Test => variables,
            Kind::Smoke => build,
            Kind::Release => variables.or(build),
        };
        match foreign {
            Some((key, of)) => Err(ParametersError::Foreign { key, of: of.does(), gate: gate.kind().does() }),
            None => Ok(()),
        }
    }

    /// A key whose value still holds `#{...}`, which CodePipeline would have replaced.
    fn unresolved(&self) -> Option<String> {
        let build =
            self.tests.as_ref().and_then(|tests| tests.codebuild.as_ref()).map_or(&None, |source| &source.build);
        let is_unresolved = |value: &str| value.contains("#{");
        let variable = self.variables.iter().find(|(_, value)| is_unresolved(&value.to_string()));
        if let Some((name, _)) = variable {
            return Some(format!("variables.{name}"));
        }
        [
            ("gate", &self.gate),
            ("pipeline", &self.pipeline),
            ("stage", &self.stage),
            ("execution", &self.execution),
            ("build", &self.build),
            ("tests.codebuild.build", build),
        ]
        .into_iter()
        .find(|(_, value)| value.as_deref().is_some_and(is_unresolved))
        .map(|(key, _)| key.to_owned())
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
        key: String,
    },
    /// A variable that no Hurl file can name.
    #[error(
        "read UserParameters: {name:?} among \"variables\" is no name of a variable; begin with a letter, go on with letters, digits, _ and -"
    )]
    BadVariable {
        /// The name.
        name: String,
    },
    /// A key for gates of another kind.
    #[error("use UserParameters: {key:?} is for a gate that {of}, and this one {gate}; take it out")]
    Foreign {
        /// The key.
        key: &'static str,
        /// What gates do that it is for.
        of: &'static str,
        /// What the gate does that was asked for.
        gate: &'static str,
    },
    /// Neither a gate nor a policy.
    #[error("choose a gate: UserParameters have neither \"gate\" nor a policy; an example: {EXAMPLE}")]
    NoGate,
    /// A policy that asks for nothing.
    #[error("use the policy in UserParameters: it {fault}")]
    BadPolicy {
        /// What is wrong with it.
        fault: String,
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
