//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use jiff::civil::Date;
use stagegate_config::ChannelKind;

use crate::commands::check;

/// The port of the local AWS where none is given.
pub(crate) const DEFAULT_PORT: u16 = 4599;

const EXIT_CODES: &str = "Exit codes: 0 passed, 1 failed, 2 inconclusive, 64 wrong call, 65 broken input, 69 something \
                          needed is not there, 130 interrupted.";

/// Gates, approvals and notices for AWS CodePipeline, and a local CodePipeline to run them on.
#[derive(Debug, Parser)]
#[command(name = "stagegate", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Release the example application through a gated pipeline on this machine.
    Demo(DemoOptions),
    /// Start the local AWS with a pipeline and keep it until Ctrl-C.
    Up(UpOptions),
    /// Run a pipeline once on this machine and exit with its result.
    Run(RunOptions),
    /// Run Hurl files from this machine as the smoke test would.
    SmokeTest(SmokeTestOptions),
    /// Judge test reports on this machine as the test gate would.
    TestGate(TestGateOptions),
    /// Tell what a release gate would say about a time, and when a release is possible.
    ReleaseGate(ReleaseGateOptions),
    /// Let one execution through one gate for a while, with a reason.
    Override(OverrideOptions),
    /// List what was decided and overridden by whom, and verify that nothing of it is missing or was changed.
    Audit(AuditOptions),
    /// Show how notices look in a channel, with the templates of the configuration.
    NotifyPreview(NotifyPreviewOptions),
    /// Tell how pipelines deliver: deployments, lead time, failures, and what takes how long.
    Report(ReportOptions),
    /// Check configuration, template and pipelines against each other, without an AWS account.
    Check(CheckOptions),
    /// Write a starter stagegate.yaml, and what to add to a pipeline.
    Init(InitOptions),
    /// Serve as the bootstrap of a function of the local Lambda.
    #[command(hide = true)]
    Bootstrap {
        /// The function.
        function: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DemoOptions {
    /// Approve the release without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Break the application so that one of its tests fails, and watch the gate stop the release.
    #[arg(long)]
    pub(crate) break_tests: bool,
    /// Break the application so that all its tests pass and its page on staging is broken, and watch the smoke test stop
    /// the release.
    #[arg(long, conflicts_with = "break_tests")]
    pub(crate) break_staging: bool,
    #[command(flatten)]
    pub(crate) local: LocalOptions,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct UpOptions {
    /// CloudFormation templates with pipelines, or definitions as `aws codepipeline get-pipeline` prints them [default:
    /// infra/example-pipeline.yaml with the source examples/web].
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<PathBuf>,
    /// The folder or git repository that stands in for the source of every pipeline [default: that of the definition].
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) local: LocalOptions,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RunOptions {
    /// A CloudFormation template with a pipeline, or a definition as `aws codepipeline get-pipeline` prints it.
    pub(crate) pipeline: PathBuf,
    /// The folder or git repository that stands in for the source [default: that of the definition; a template needs it].
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,
    /// A pipeline variable.
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,
    /// Approve every manual approval without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) local: LocalOptions,
}

/// What the commands that start a local AWS have in common.
#[derive(Debug, ClapArgs)]
pub(crate) struct LocalOptions {
    /// The port of the AWS endpoint; 0 for any free one [default: 4599, any free one for `demo` and `run`]. The console
    /// and the local Slack are on the two ports after it.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// The SAM template that says what the functions are [default: infra/template.yaml here or in a folder above].
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
    /// A parameter of the templates; each gets those that it declares.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = check::parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// Where buckets, logs and deployed sites are kept [default: a folder that is removed at the end].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// A folder with the release builds of the functions; without it, this program plays them.
    #[arg(long, value_name = "DIR")]
    pub(crate) functions: Option<PathBuf>,
    /// How many times faster than the wall clock the local AWS's own clock runs.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed)]
    pub(crate) speed: f64,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SmokeTestOptions {
    /// Hurl files, or folders: below them, the policy's patterns choose the files, and without a policy **/*.hurl does.
    #[arg(value_name = "FILE", required_unless_present = "policy")]
    pub(crate) files: Vec<PathBuf>,
    /// A variable of the Hurl files; it wins over one of the policy.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) variables: Vec<(String, String)>,
    /// A secret variable, whose value is printed nowhere. SSM is not asked, so each secret of the policy needs one.
    #[arg(long = "secret", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) secrets: Vec<(String, String)>,
    /// How many files and checks run at a time [default: that of the policy, or 8].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) jobs: Option<u16>,
    /// Refuse loopback addresses as the function does. Without it, what runs on this machine may be tested.
    #[arg(long)]
    pub(crate) no_loopback: bool,
    /// A stagegate.yaml with the policy; its checks run too. `steady` is for pipelines: here, one sample is taken.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The gate of the policy file [default: its only one that runs smoke tests].
    #[arg(long, value_name = "NAME", requires = "policy")]
    pub(crate) gate: Option<String>,
    /// Print the verdict as JSON.
    #[arg(long, group = "format")]
    pub(crate) json: bool,
    /// Print the verdict as Markdown.
    #[arg(long, group = "format")]
    pub(crate) markdown: bool,
    /// Print a JUnit report, one test for each entry.
    #[arg(long, group = "format")]
    pub(crate) junit: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if stagegate_config::smoke::is_variable_name(name) => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("NAME=VALUE is wanted, with a name of letters, digits, _ and -".to_owned()),
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TestGateOptions {
    /// Report files, or folders in which the policy's patterns choose the reports.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// A stagegate.yaml with the policy; without it, every test must pass and there must be one.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The gate of the policy file [default: its only one].
    #[arg(long, value_name = "NAME", requires = "policy")]
    pub(crate) gate: Option<String>,
    /// Print the verdict as JSON.
    #[arg(long, group = "format")]
    pub(crate) json: bool,
    /// Print the verdict as Markdown.
    #[arg(long, group = "format")]
    pub(crate) markdown: bool,
    /// Print the verdict as a JUnit report, one test a rule.
    #[arg(long, group = "format")]
    pub(crate) junit: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReleaseGateOptions {
    /// Say what would pass by what can be known here: the clock, windows, freezes and calendars.
    #[arg(long, required = true)]
    pub(crate) explain: bool,
    /// The time that is asked about: by the clock of the policy's zone, or with an offset or a zone [default: now].
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// The stagegate.yaml with the policy [default: infra/config/stagegate.yaml here or in a folder above].
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The gate of the policy file [default: its only one that decides about releases].
    #[arg(long, value_name = "NAME")]
    pub(crate) gate: Option<String>,
    /// The pipeline, for exceptions from freezes.
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: Option<String>,
    /// A pipeline variable of the execution, for exceptions from freezes.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = check::parameter, requires = "pipeline")]
    pub(crate) variables: Vec<(String, String)>,
    /// Print it as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct OverrideOptions {
    /// The pipeline.
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: String,
    /// The pipeline execution's id; the override holds for no other.
    #[arg(long, value_name = "ID")]
    pub(crate) execution: String,
    /// The gate; the override holds for no other.
    #[arg(long, value_name = "NAME")]
    pub(crate) gate: String,
    /// Why the gate does not count.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Who gives the override.
    #[arg(long, value_name = "NAME", env = "USER")]
    pub(crate) by: Option<String>,
    /// How long it holds, such as 90m or 4h.
    #[arg(long = "for", value_name = "LENGTH", default_value = "1h", value_parser = length)]
    pub(crate) length: std::time::Duration,
    /// The state bucket of the functions, which is an output of the stack.
    #[arg(long, value_name = "BUCKET", env = "STAGEGATE_STATE_BUCKET")]
    pub(crate) state_bucket: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditOptions {
    /// The id of a record, or its beginning: that one is shown in full.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// A copy of the state bucket in a folder, or the --data folder of the local AWS.
    #[arg(long, value_name = "DIR", conflicts_with = "state_bucket")]
    pub(crate) state: Option<PathBuf>,
    /// The state bucket of the functions, which is an output of the stack.
    #[arg(long, value_name = "BUCKET", env = "STAGEGATE_STATE_BUCKET", required_unless_present = "state")]
    pub(crate) state_bucket: Option<String>,
    /// Only records of these pipelines; `*` stands for any characters.
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: Option<String>,
    /// Only records of this day (UTC) and later ones.
    #[arg(long, value_name = "DATE", value_parser = check::day)]
    pub(crate) from: Option<Date>,
    /// Only records of this day (UTC) and earlier ones.
    #[arg(long, value_name = "DATE", value_parser = check::day)]
    pub(crate) to: Option<Date>,
    /// Only what this person has decided, voted or overridden: a Slack user id, or a part of the name.
    #[arg(long, value_name = "PERSON")]
    pub(crate) by: Option<String>,
    /// Print it as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads a length of time as a policy has it; at most a week.
fn length(text: &str) -> Result<std::time::Duration, String> {
    let read: stagegate_config::Length = serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| "a length of time such as 90m or 4h is wanted".to_owned())?;
    let length = read.as_duration();
    if length > std::time::Duration::from_secs(7 * 86_400) {
        return Err("an override holds for seven days at the most".to_owned());
    }
    Ok(length)
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NotifyPreviewOptions {
    /// What is told: a kind of notice such as failed, status for the message that is kept current, or a file with an event of
    /// EventBridge.
    #[arg(value_name = "EVENT")]
    pub(crate) event: String,
    /// The kind of channel: slack, slack_webhook, sns, teams or webhook [default: all of them].
    #[arg(long, value_name = "KIND", value_parser = channel_kind)]
    pub(crate) channel: Option<ChannelKind>,
    /// The configuration with the templates [default: infra/config/stagegate.yaml here or in a folder above].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

fn channel_kind(text: &str) -> Result<ChannelKind, String> {
    ChannelKind::ALL
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| format!("a kind of channel is wanted: {}", ChannelKind::ALL.map(ChannelKind::name).join(", ")))
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReportOptions {
    /// A copy of the state bucket, or the folder that `stagegate up --data` was given.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// The state bucket of the functions, which is an output of the stack.
    #[arg(long, value_name = "BUCKET", env = "STAGEGATE_STATE_BUCKET")]
    pub(crate) state_bucket: Option<String>,
    /// Only pipelines of this name, in which `*` stands for any characters and `?` for one.
    #[arg(long, value_name = "NAME")]
    pub(crate) pipeline: Option<String>,
    /// Since when: a day (in UTC), a time, or a length of time such as 30d [default: the first execution].
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Until when, written like `--since` [default: now].
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// The stagegate.yaml that says what production is [default: infra/config/stagegate.yaml here or in a folder above].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print it as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a web page with plots, too: one file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckOptions {
    /// CloudFormation templates with pipelines, or definitions as `aws codepipeline get-pipeline` prints them [default, where
    /// nothing is named: infra/example-pipeline.yaml].
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<PathBuf>,
    /// The configuration [default: infra/config/stagegate.yaml here or in a folder above].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The SAM template that deploys the functions [default: infra/template.yaml here or in a folder above].
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
    /// A parameter of the templates, where one is not deployed with its default; each gets those that it declares.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = check::parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The folder or checkout that holds the Hurl files of the gates: each is read, and its mistakes are shown.
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,
    /// The day by which a quarantine is over or not [default: today].
    #[arg(long, value_name = "DATE", value_parser = check::day)]
    pub(crate) at: Option<Date>,
    /// Exit with 65 for warnings as well.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InitOptions {
    /// The pipeline: what `aws codepipeline get-pipeline` prints, or a CloudFormation template with a pipeline in it.
    pub(crate) pipeline: PathBuf,
    /// The folder that is written to.
    #[arg(long, value_name = "DIR", default_value = "stagegate")]
    pub(crate) out: PathBuf,
    /// Write over files that are there.
    #[arg(long)]
    pub(crate) force: bool,
    /// What the names of the functions begin with: NamePrefix of the template.
    #[arg(long, value_name = "PREFIX", default_value = "stagegate")]
    pub(crate) prefix: String,
    /// A parameter of the CloudFormation template that has no default.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = check::parameter)]
    pub(crate) parameters: Vec<(String, String)>,
}

fn speed(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "a number such as 60 is wanted".to_owned())?;
    match factor.is_finite() && (0.001..=1_000_000.0).contains(&factor) {
        true => Ok(factor),
        false => Err("the factor lies between 0.001 and 1000000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
