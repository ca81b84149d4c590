//! A crate without code. Cargo selects the features of a dependency anew for every selection of packages, so that `sam build`
//! would build the AWS SDK once for each function, and `cargo demo` once more after the tests. Every function and the CLI
//! depend on this crate, which asks for the union of these features. What no function calls, the linker leaves out.
