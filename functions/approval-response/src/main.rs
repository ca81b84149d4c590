//! The Lambda function `approval-response`.

fn main() -> std::process::ExitCode {
    approval_response::main()
}
