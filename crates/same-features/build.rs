//! Does nothing: without a build script, Cargo leaves the build dependencies out of the features that it selects.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
