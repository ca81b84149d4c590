//! The Lambda function `test-gate`.

fn main() -> std::process::ExitCode {
    test_gate::main()
}
