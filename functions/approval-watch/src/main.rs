//! The Lambda function `approval-watch`.

fn main() -> std::process::ExitCode {
    approval_watch::main()
}
