//! `stagegate smoke-test FILE...`: the code of the smoke test from this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use smoke_test::{Conditions, Outcome, Run, Sample, SourceFiles, Suite, UnitReport};
use stagegate_config::smoke::VariableValue;
use stagegate_config::{Config, SmokeGate};
use stagegate_verdict::{Execution, Verdict};

use crate::args::SmokeTestOptions;
use crate::exit::{CommandError, Exit};
use crate::terminal::{self, Transient, put};

/// What holds where no policy is given.
const DEFAULT_POLICY: &str = "gates: {smoke: {hurl: ['**/*.hurl']}}";
/// How long a run may take where the policy does not say.
const TIMEOUT: Duration = Duration::from_secs(3600);

pub(crate) fn run(options: &SmokeTestOptions) -> Result<Exit, CommandError> {
    let (gate, policy) = policy(options.policy.as_deref(), options.gate.as_deref())?;
    let conditions = conditions(options, &policy)?;
    let suite = Suite::new(&policy, source(options, &policy)?);
    if let Some(refused) = suite.refused.first() {
        return Err(CommandError::broken_input(format!("read Hurl: {refused}")));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::unavailable(format!("start threads: {error}")))?;
    let quiet = options.json || options.markdown || options.junit;
    let progress = Transient::new(suite.units.len() + suite.always.len());
    let sample = runtime.block_on(smoke_test::run(&suite, &conditions, |unit| {
        if !quiet {
            progress.clear();
            put(ended(unit));
        }
        progress.step(&unit.name);
    }));
    progress.clear();
    let verdict = smoke_test::judge(&gate, &suite, &sample, Execution::default()).build(Timestamp::now());
    put(rendered(options, &suite, &sample, &verdict)?);
    Ok(verdict.outcome().into())
}

fn policy(file: Option<&Path>, gate: Option<&str>) -> Result<(String, SmokeGate), CommandError> {
    let config = match file {
        Some(file) => Config::load(file),
        None => Config::parse("the default policy", DEFAULT_POLICY),
    };
    let config = config.map_err(|error| CommandError::broken_input(format!("use the policy: {error}")))?;
    let known: Vec<_> = config.gates().filter(|(_, gate)| gate.smoke().is_ok()).map(|(name, _)| name).collect();
    let name = match (gate, known.as_slice()) {
        (Some(name), _) => name,
        (None, [name]) => name,
        (None, []) => return Err(CommandError::broken_input("use the policy: it has no gate that runs smoke tests")),
        (None, several) => {
            let names = several.join(", ");
            return Err(CommandError::wrong_call(format!("choose a gate: name one of {names} with --gate")));
        }
    };
    let gate = config.gate(name).map_err(CommandError::wrong_call)?.smoke().map_err(CommandError::wrong_call)?;
    Ok((name.to_owned(), gate.clone()))
}

/// The files that are named, and those that the policy chooses in folders.
fn source(options: &SmokeTestOptions, policy: &SmokeGate) -> Result<SourceFiles, CommandError> {
    let broken = CommandError::broken_input;
    match options.files.as_slice() {
        [] => smoke_test::from_folder(policy, Path::new(".")).map_err(broken),
        [folder] if folder.is_dir() => smoke_test::from_folder(policy, folder).map_err(broken),
        files => match files.iter().find(|file| file.is_dir()) {
            Some(folder) => Err(CommandError::wrong_call(format!(
                "read {}: name one folder alone, or files only",
                folder.display()
            ))),
            None => smoke_test::from_files(files).map_err(broken),
        },
    }
}

fn conditions(options: &SmokeTestOptions, policy: &SmokeGate) -> Result<Conditions, CommandError> {
    let secrets: BTreeMap<_, _> = options.secrets.iter().cloned().collect();
    if let Some(missing) = policy.secrets.keys().find(|name| !secrets.contains_key(*name)) {
        let message = format!("use the secrets of the policy: give --secret {missing}=...; SSM is not asked from here");
        return Err(CommandError::wrong_call(message));
    }
    let given = options.variables.iter().map(|(name, value)| (name.clone(), VariableValue::from_command_line(value)));
    let outbound = match options.no_loopback {
        true => smoke_test::outbound(&policy.network),
        false => smoke_test::outbound_with_loopback(&policy.network),
    };
    let deadline = Instant::now() + policy.timeout.map_or(TIMEOUT, |timeout| timeout.as_duration());
    Ok(Conditions {
        outbound: outbound.map_err(CommandError::broken_input)?,
        variables: smoke_test::variables(&policy.variables, &given.collect(), &secrets),
        parallel: options.jobs.map_or_else(|| policy.parallel(), usize::from),
        request_timeout: policy.request_timeout.map(|timeout| timeout.as_duration()),
        retry: policy.retry,
        deadline,
        always_deadline: deadline + TIMEOUT,
    })
}

/// What is printed when a file or check has ended, in the way of `hurl --test`.
fn ended(unit: &UnitReport) -> String {
    let failed = unit.outcome() == Outcome::Failed;
    let mut text = String::new();
    if failed {
        for run in unit.runs.iter().filter(|run| !run.passed()) {
            text += &match run {
                Run::File(report) => smoke_test::failure_text(report),
                Run::Probe(report) => {
                    report.failures.iter().map(|failure| format!("error: {}: {failure}\n", unit.name)).collect()
                }
            };
        }
    }
    let word = match unit.outcome() {
        Outcome::Passed => "Success",
        Outcome::Degraded => "Degraded",
        Outcome::Failed => "Failure",
    };
    let requests: usize = unit.runs.iter().map(Run::requests).sum();
    let milliseconds = unit.runs.iter().map(Run::duration).sum::<Duration>().as_millis();
    let style = terminal::Style::of_stdout();
    let word = match unit.outcome() {
        Outcome::Passed => style.good(word),
        Outcome::Degraded => style.waiting(word),
        Outcome::Failed => style.bad(word),
    };
    text + &format!("{word} {} ({requests} request(s) in {milliseconds} ms)\n", unit.name)
}

fn rendered(
    options: &SmokeTestOptions,
    suite: &Suite,
    sample: &Sample,
    verdict: &Verdict,
) -> Result<String, CommandError> {
    if options.json {
        let json = serde_json::to_string_pretty(verdict);
        return json.map(|json| json + "\n").map_err(|error| CommandError::unavailable(format!("write JSON: {error}")));
    }
    if options.markdown {
        return Ok(verdict.to_markdown());
    }
    if options.junit {
        return Ok(smoke_test::junit(verdict.gate(), suite, sample));
    }
    Ok(totals(sample) + &format!("\n{}\n", verdict.summary_line()))
}

/// The table at the end of `hurl --test`.
fn totals(sample: &Sample) -> String {
    let units = || sample.units.iter().chain(&sample.always);
    let count = |wanted: Outcome| units().filter(|unit| unit.outcome() == wanted).count();
    let requests: usize = units().flat_map(|unit| &unit.runs).map(Run::requests).sum();
    let all = units().count();
    let seconds = sample.duration.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts of files are far below 2^53")]
    let (percent, rate) = (
        |part: usize| if all == 0 { 0.0 } else { part as f64 * 100.0 / all as f64 },
        if seconds > 0.0 { requests as f64 / seconds } else { 0.0 },
    );
    let (good, degraded, bad) = (count(Outcome::Passed), count(Outcome::Degraded), count(Outcome::Failed));
    let degraded = match degraded {
        0 => String::new(),
        some => format!("Degraded files:    {some} ({:.1}%)\n", percent(some)),
    };
    format!(
        "{}\nExecuted files:    {all}\nExecuted requests: {requests} ({rate:.1}/s)\nSucceeded files:   {good} ({:.1}%)\n\
         {degraded}Failed files:      {bad} ({:.1}%)\nDuration:          {} ms\n",
        "-".repeat(80),
        percent(good),
        percent(bad),
        sample.duration.as_millis()
    )
}
