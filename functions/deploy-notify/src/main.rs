//! The Lambda function `deploy-notify`.

fn main() -> std::process::ExitCode {
    deploy_notify::main()
}
