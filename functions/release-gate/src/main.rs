//! The Lambda function `release-gate`.

fn main() -> std::process::ExitCode {
    release_gate::main()
}
