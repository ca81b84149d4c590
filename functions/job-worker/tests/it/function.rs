//! A gate that answers as its action says, by the parameters that every gate reads. `world` has this binary started again
//! with only this test, which then is no test but the bootstrap of the function.

use std::io::Write;

use codepipeline_job::FailureKind::JobFailed;
use codepipeline_job::{Continuation, Failure, Job, JobContext, OrFail, Outcome, Success};
use stagegate_config::UserParameters;

pub(crate) const BOOTSTRAP: &str = "function::bootstrap";
/// The file to which the gate writes a line for each job that it gets.
pub(crate) const SEEN: &str = "TEST_SEEN";

#[test]
fn bootstrap() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    stagegate_gate::main(gate);
    // The harness would print a report and exit with 0.
    std::process::exit(1);
}

async fn gate(job: Job, _context: JobContext) -> Result<Outcome, Failure> {
    let mut seen = std::fs::File::options()
        .append(true)
        .create(true)
        .open(std::env::var(SEEN).or_fail(JobFailed)?)
        .or_fail(JobFailed)?;
    writeln!(seen, "{}", job.id).or_fail(JobFailed)?;
    let parameters = UserParameters::parse(job.user_parameters())
        .map_err(|error| Failure::configuration(format!("failed to {error}")))?;
    let execution = stagegate_gate::execution(&job, &parameters);
    let gate = parameters.gate.as_deref().unwrap_or_default();
    match gate {
        "pass" => Ok(Success::new(format!("passed {execution:?}")).output_variable("outcome", "passed").into()),
        "look" => {
            let looks: u32 = job.state()?.unwrap_or_default();
            match looks {
                2 => Ok(Success::new("the third look").into()),
                looks => Ok(Continuation::new(&(looks + 1))?.summary("not yet").into()),
            }
        }
        other => Err(Failure::job_failed(format!("{other} is not ready, {:?}", parameters.build))),
    }
}
