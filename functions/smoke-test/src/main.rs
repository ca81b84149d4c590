//! The Lambda function `smoke-test`.

fn main() -> std::process::ExitCode {
    smoke_test::main()
}
