//! The Lambda function `job-worker`.

fn main() -> std::process::ExitCode {
    job_worker::main()
}
