//! Links the program of a function at a fixed address.
//!
//! A program that can lie anywhere has tens of thousands of pointers to put right before `main`, page by page, at each cold
//! start. What it gives up is the random place of its own code; libraries, heap and stacks keep theirs.

fn main() {
    println!("cargo::rerun-if-changed=../build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
