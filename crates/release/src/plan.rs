//! A policy that is ready to be applied.

use stagegate_config::ReleaseGate;
use stagegate_config::release::{CalendarEvents, Probe};
use stagegate_config::smoke::NetworkRules;
use stagegate_hurl_runner::{HurlFile, NetworkPolicy};
use stagegate_verdict::Execution;

use crate::sampling::Schedule;

/// A policy whose parts have all been understood.
#[derive(Clone, Debug)]
pub struct Plan {
    policy: ReleaseGate,
    schedule: Schedule,
    probes: Vec<ReadyProbe>,
}

/// A probe as the Hurl file that asks it.
#[derive(Clone, Debug)]
pub(crate) struct ReadyProbe {
    pub(crate) file: HurlFile,
    pub(crate) network: NetworkPolicy,
    pub(crate) timeout: std::time::Duration,
}

/// A part of a policy that cannot be applied. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use the probe {number} of the gate: {message}")]
pub struct PlanError {
    /// The number of the probe, from 1.
    pub number: usize,
    /// Its key.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Something that the gate must know about the execution, and does not. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "apply {condition}: nothing says which {what} this is; add \"pipeline\" and \"execution\":\"#{{codepipeline.PipelineExecutionId}}\" to UserParameters"
)]
pub struct Missing {
    condition: &'static str,
    what: &'static str,
}

impl Plan {
    /// Makes a plan of a policy.
    ///
    /// # Errors
    ///
    /// If a probe's JSONPath or predicate cannot be read, or its network is none.
    pub fn new(policy: &ReleaseGate) -> Result<Self, PlanError> {
        let probes =
            policy.probes.iter().enumerate().map(|(index, probe)| {
                ready(probe).map_err(|(key, message)| PlanError { number: index + 1, key, message })
            });
        Ok(Self {
            probes: probes.collect::<Result<_, _>>()?,
            schedule: Schedule::new(policy.sampling.as_ref(), policy.otherwise),
            policy: policy.clone(),
        })
    }

    /// The policy.
    pub fn policy(&self) -> &ReleaseGate {
        &self.policy
    }

    /// How often and how long it looks.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    pub(crate) fn probes(&self) -> &[ReadyProbe] {
        &self.probes
    }

    /// Whether the labels of the execution matter.
    pub(crate) fn asks_for_variables(&self) -> bool {
        let of_freezes = self.policy.freezes.iter().map(|freeze| &freeze.except);
        let calendars = self.policy.calendars.iter().filter(|calendar| calendar.events == CalendarEvents::Freezes);
        of_freezes.chain(calendars.map(|calendar| &calendar.except)).any(|except| !except.variables.is_empty())
    }

    /// Checks that enough is known about the execution.
    ///
    /// # Errors
    ///
    /// With the condition that needs to know more.
    pub fn check(&self, execution: &Execution) -> Result<(), Missing> {
        let excepts_pipelines = self.policy.freezes.iter().map(|freeze| &freeze.except);
        let excepts_pipelines = excepts_pipelines.chain(self.policy.calendars.iter().map(|calendar| &calendar.except));
        let excepts_pipelines = excepts_pipelines.clone().any(|except| !except.pipelines.is_empty());
        let needs_pipeline = [
            ("`soak`", self.policy.soak.is_some()),
            ("exceptions by variables", self.asks_for_variables()),
            ("exceptions by pipelines", excepts_pipelines),
        ];
        let needs_execution = [
            ("`soak`", self.policy.soak.is_some()),
            ("`verdicts`", self.policy.verdicts.is_some()),
            ("exceptions by variables", self.asks_for_variables()),
        ];
        let first = |needs: &[(&'static str, bool)]| needs.iter().find(|(_, needed)| *needed).map(|(what, _)| *what);
        match (first(&needs_pipeline), first(&needs_execution)) {
            (Some(condition), _) if execution.pipeline.is_none() => Err(Missing { condition, what: "pipeline" }),
            (_, Some(condition)) if execution.execution.is_none() => Err(Missing { condition, what: "execution" }),
            _ => Ok(()),
        }
    }
}

/// The line of the file that [`text`] makes on which the assert stands.
const ASSERT_LINE: usize = 4;

fn text(probe: &Probe) -> String {
    let jsonpath = probe.jsonpath.replace('\\', "\\\\").replace('"', "\\\"");
    format!("GET {}\nHTTP 200\n[Asserts]\njsonpath \"{jsonpath}\" {}\n", probe.url, probe.predicate)
}

fn ready(probe: &Probe) -> Result<ReadyProbe, (&'static str, String)> {
    let file = HurlFile::parse("probe", text(probe).as_bytes()).map_err(|error| {
        let problem = error.problems.first();
        let is_path = problem.is_some_and(|problem| problem.title.contains("JSONPath"));
        let key = match problem.map(|problem| problem.line) {
            Some(ASSERT_LINE) if is_path => "jsonpath",
            Some(1) => "url",
            _ => "predicate",
        };
        let what = problem.map_or_else(String::new, |problem| format!("{}: {}", problem.title, problem.message));
        (key, format!("its `{key}` cannot be read: {}", what.replace('\n', " ")))
    })?;
    if file.entries() != 1 {
        return Err(("predicate", "its `predicate` is more than a predicate".to_owned()));
    }
    Ok(ReadyProbe {
        file,
        network: network(&probe.network).map_err(|message| ("network", message))?,
        timeout: probe.timeout.map_or(std::time::Duration::from_secs(10), |timeout| timeout.as_duration()),
    })
}

fn network(rules: &NetworkRules) -> Result<NetworkPolicy, String> {
    let (hosts, networks) = (rules.hosts(), rules.networks());
    NetworkPolicy::written(hosts, networks, rules.deny_private).map_err(|error| error.to_string())
}
