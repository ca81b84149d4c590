//! `stagegate test-gate PATH...`: the code of the test gate on files of this machine.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::Offset;
use stagegate_config::{Config, TestGate};
use stagegate_verdict::Verdict;
use test_gate::{Circumstances, Evidence, judge, local_source};

use crate::args::TestGateOptions;
use crate::exit::{CommandError, Exit};
use crate::terminal;

/// What holds where no policy is given.
const DEFAULT_POLICY: &str = "gates: {tests: {tests: {reports: ['**/*.xml']}}}";

pub(crate) fn run(options: &TestGateOptions) -> Result<Exit, CommandError> {
    let (gate, policy) = policy(options.policy.as_deref(), options.gate.as_deref())?;
    let now = Timestamp::now();
    let evidence = Evidence::new(&policy, Offset::UTC.to_datetime(now).date()).map_err(CommandError::broken_input)?;
    let evidence = local_source::gather(evidence, &options.paths).map_err(CommandError::broken_input)?;
    let verdict = judge(&gate, &policy, evidence, Circumstances::default(), now).verdict;
    terminal::put(rendered(&verdict, options)?);
    Ok(verdict.outcome().into())
}

fn policy(file: Option<&Path>, gate: Option<&str>) -> Result<(String, TestGate), CommandError> {
    let config = match file {
        Some(file) => Config::load(file),
        None => Config::parse("the default policy", DEFAULT_POLICY),
    };
    let config = config.map_err(|error| CommandError::broken_input(format!("use the policy: {error}")))?;
    let names: Vec<_> = config.gates().filter(|(_, gate)| gate.test().is_ok()).map(|(name, _)| name).collect();
    let name = match (gate, names.as_slice()) {
        (Some(name), _) => name,
        (None, [name]) => name,
        (None, []) => return Err(CommandError::broken_input("use the policy: it has no gates")),
        (None, several) => {
            let names = several.join(", ");
            return Err(CommandError::wrong_call(format!("choose a gate: name one of {names} with --gate")));
        }
    };
    let gate = config.gate(name).map_err(CommandError::wrong_call)?.test().map_err(CommandError::wrong_call)?;
    Ok((name.to_owned(), gate.clone()))
}

fn rendered(verdict: &Verdict, options: &TestGateOptions) -> Result<String, CommandError> {
    if options.json {
        let json = serde_json::to_string_pretty(verdict);
        return json.map(|json| json + "\n").map_err(|error| CommandError::unavailable(format!("write JSON: {error}")));
    }
    Ok(match options {
        TestGateOptions { markdown: true, .. } => verdict.to_markdown(),
        TestGateOptions { junit: true, .. } => verdict.to_junit(),
        _ => verdict.to_text(),
    })
}
