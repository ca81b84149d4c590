//! The Lambda function `test-gate`.
fn main() {}
