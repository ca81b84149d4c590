//! The Lambda function `job-guard`.

fn main() -> std::process::ExitCode {
    job_guard::main()
}
