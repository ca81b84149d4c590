//! The Lambda function `approval-request`.

fn main() -> std::process::ExitCode {
    approval_request::main()
}
