//! One entry under `gates`, as it is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::gate::{Fault, Gate, Kind};
use crate::release::{Alarms, Calendar, Freeze, Metric, Otherwise, Probe, Sampling, Soak, Verdicts, Window};
use crate::smoke::{
    Check, FilePattern, HurlFiles, MAX_PARALLEL, NetworkRules, ParameterName, Retry, Source, Steady, VariableValue,
    within,
};
use crate::{
    Approvers, CoveragePolicy, Length, Provenance, ReleaseGate, SarifPolicy, SmokeGate, TestGate, TestsPolicy,
    WithoutBaseline,
};

/// A gate. Its keys say of which kind it is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::gate))]
#[serde(deny_unknown_fields)]
pub(crate) struct GateEntry {
    /// What test reports must show.
    #[serde(default)]
    pub(crate) tests: Option<TestsPolicy>,
    /// What coverage reports must show.
    #[serde(default)]
    pub(crate) coverage: Option<CoveragePolicy>,
    /// What static analysis may find.
    #[serde(default)]
    pub(crate) sarif: Option<SarifPolicy>,
    /// How old the evidence may be.
    #[serde(default)]
    pub(crate) provenance: Option<Provenance>,
    /// What a rule that compares with the baseline says where there is none yet.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "pass")))]
    pub(crate) without_baseline: Option<WithoutBaseline>,
    /// The Hurl files that must pass.
    #[serde(default)]
    pub(crate) hurl: Option<Vec<HurlFiles>>,
    /// Checks without a Hurl file that must pass.
    #[serde(default)]
    pub(crate) checks: Option<Vec<Check>>,
    /// Hurl files that run after all others for clean-up, whatever became of these.
    #[serde(default)]
    pub(crate) always: Option<Vec<FilePattern>>,
    /// Where the Hurl files are; the input artifacts of the action where it is absent, and for a hook of CodeDeploy the
    /// configuration layer.
    #[serde(default)]
    pub(crate) source: Option<Source>,
    /// Variables that every Hurl file begins with.
    #[serde(default)]
    pub(crate) variables: Option<BTreeMap<String, VariableValue>>,
    /// Secret variables, by the names of the SSM parameters that hold their values.
    #[serde(default)]
    pub(crate) secrets: Option<BTreeMap<String, ParameterName>>,
    /// How often what fails is tried again, until what is tested is up.
    #[serde(default)]
    pub(crate) retry: Option<Retry>,
    /// How long everything must stay green.
    #[serde(default)]
    pub(crate) steady: Option<Steady>,
    /// What smoke tests may reach.
    #[serde(default)]
    pub(crate) network: Option<NetworkRules>,
    /// How many Hurl files and checks run at a time, from 1 to 100.
    #[serde(default, deserialize_with = "parallel")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::parallel"))]
    pub(crate) parallel: Option<u32>,
    /// How long one request may take where its file does not say.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "30s")))]
    pub(crate) request_timeout: Option<Length>,
    /// How long all Hurl files and checks of a sample may take together. What has not ended by then has failed. The
    /// function's own time is a limit in any case.
    #[serde(default)]
    pub(crate) timeout: Option<Length>,
    /// When something may be released, by the clock on the wall: in any of these times.
    #[serde(default)]
    pub(crate) windows: Option<Vec<Window>>,
    /// When nothing may be released.
    #[serde(default)]
    pub(crate) freezes: Option<Vec<Freeze>>,
    /// Calendar files whose events are freezes, or windows.
    #[serde(default)]
    pub(crate) calendars: Option<Vec<Calendar>>,
    /// CloudWatch alarms that must be OK.
    #[serde(default)]
    pub(crate) alarms: Option<Alarms>,
    /// A time that must have passed since an earlier stage has succeeded.
    #[serde(default)]
    pub(crate) soak: Option<Soak>,
    /// Gates whose verdicts about this execution must be passed: their names, or a map with `gates` and `max_age`.
    #[serde(default)]
    pub(crate) verdicts: Option<Verdicts>,
    /// CloudWatch metrics that must keep to limits.
    #[serde(default)]
    pub(crate) metrics: Option<Vec<Metric>>,
    /// URLs whose JSON must be as asked for.
    #[serde(default)]
    pub(crate) probes: Option<Vec<Probe>>,
    /// How often and how long a release gate looks; once where it is absent.
    #[serde(default)]
    pub(crate) sampling: Option<Sampling>,
    /// What a release gate says where its conditions do not hold in time.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "fail")))]
    pub(crate) otherwise: Option<Otherwise>,
    /// Who may let one execution through a release gate in Slack, with a reason. Nobody where it is absent.
    #[serde(default)]
    pub(crate) overriders: Option<Approvers>,
}

fn parallel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    within(deserializer, 1, MAX_PARALLEL, "1 to 100 files and checks run at a time")
}

impl GateEntry {
    /// The gate that the keys make.
    pub(crate) fn gate(self) -> Result<Gate, Fault> {
        let (gate, fault) = match self.kind()? {
            Kind::Test => {
                let gate = self.into_test();
                let fault = gate.fault();
                (Gate::Test(Box::new(gate)), fault)
            }
            Kind::Smoke => {
                let gate = self.into_smoke();
                let fault = gate.fault();
                (Gate::Smoke(Box::new(gate)), fault)
            }
            Kind::Release => {
                let gate = self.into_release();
                let fault = gate.fault();
                (Gate::Release(Box::new(gate)), fault)
            }
        };
        match fault {
            Some(fault) => Err(fault),
            None => Ok(gate),
        }
    }

    /// The one kind that all keys belong to.
    fn kind(&self) -> Result<Kind, Fault> {
        let first = |keys: &[(&'static str, bool)]| keys.iter().find(|(_, given)| *given).map(|(key, _)| *key);
        let kinds = [
            (Kind::Test, first(&self.keys_of_test())),
            (Kind::Smoke, first(&self.keys_of_smoke())),
            (Kind::Release, first(&self.keys_of_release())),
        ];
        let given: Vec<_> = kinds.into_iter().filter_map(|(kind, key)| Some((kind, key?))).collect();
        match given.as_slice() {
            [] => {
                let what = "has no rule, so it could pass without looking at anything; add `tests`, `coverage` or `sarif` \
                            to judge reports, `hurl` or `checks` to run smoke tests, `windows`, `alarms` or another \
                            condition to decide whether a release may go on";
                Err(Fault::new(&[], what))
            }
            [(kind, _)] => Ok(*kind),
            [(first, key), (second, other), ..] => {
                let what = format!(
                    "mixes two kinds: with `{key}` it {}, with `{other}` it {}; make two gates of it",
                    first.does(),
                    second.does()
                );
                Err(Fault::new(&[other], what))
            }
        }
    }

    fn keys_of_test(&self) -> [(&'static str, bool); 5] {
        [
            ("tests", self.tests.is_some()),
            ("coverage", self.coverage.is_some()),
            ("sarif", self.sarif.is_some()),
            ("provenance", self.provenance.is_some()),
            ("without_baseline", self.without_baseline.is_some()),
        ]
    }

    fn keys_of_smoke(&self) -> [(&'static str, bool); 12] {
        [
            ("hurl", self.hurl.is_some()),
            ("checks", self.checks.is_some()),
            ("always", self.always.is_some()),
            ("source", self.source.is_some()),
            ("variables", self.variables.is_some()),
            ("secrets", self.secrets.is_some()),
            ("retry", self.retry.is_some()),
            ("steady", self.steady.is_some()),
            ("network", self.network.is_some()),
            ("parallel", self.parallel.is_some()),
            ("request_timeout", self.request_timeout.is_some()),
            ("timeout", self.timeout.is_some()),
        ]
    }

    fn keys_of_release(&self) -> [(&'static str, bool); 11] {
        [
            ("windows", self.windows.is_some()),
            ("freezes", self.freezes.is_some()),
            ("calendars", self.calendars.is_some()),
            ("alarms", self.alarms.is_some()),
            ("soak", self.soak.is_some()),
            ("verdicts", self.verdicts.is_some()),
            ("metrics", self.metrics.is_some()),
            ("probes", self.probes.is_some()),
            ("sampling", self.sampling.is_some()),
            ("otherwise", self.otherwise.is_some()),
            ("overriders", self.overriders.is_some()),
        ]
    }

    fn into_test(self) -> TestGate {
        let Self { tests, coverage, sarif, provenance, without_baseline, .. } = self;
        TestGate { tests, coverage, sarif, provenance, without_baseline: without_baseline.unwrap_or_default() }
    }

    fn into_smoke(self) -> SmokeGate {
        SmokeGate {
            hurl: self.hurl.unwrap_or_default(),
            checks: self.checks.unwrap_or_default(),
            always: self.always.unwrap_or_default(),
            source: self.source,
            variables: self.variables.unwrap_or_default(),
            secrets: self.secrets.unwrap_or_default(),
            retry: self.retry,
            steady: self.steady,
            network: self.network.unwrap_or_default(),
            parallel: self.parallel,
            request_timeout: self.request_timeout,
            timeout: self.timeout,
        }
    }

    fn into_release(self) -> ReleaseGate {
        ReleaseGate {
            windows: self.windows.unwrap_or_default(),
            freezes: self.freezes.unwrap_or_default(),
            calendars: self.calendars.unwrap_or_default(),
            alarms: self.alarms,
            soak: self.soak,
            verdicts: self.verdicts,
            metrics: self.metrics.unwrap_or_default(),
            probes: self.probes.unwrap_or_default(),
            sampling: self.sampling,
            otherwise: self.otherwise.unwrap_or_default(),
            overriders: self.overriders,
        }
    }
}
