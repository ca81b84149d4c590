//! Who may know whom, read from the manifests.

use std::path::Path;

use crate::root;

/// The names under `[dependencies]` of a manifest.
fn dependencies(manifest: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(manifest).unwrap();
    let (_, rest) = text.split_once("[dependencies]").unwrap_or(("", ""));
    let lines = rest.lines().skip(1).take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// The packages directly below a folder of the repository, with their dependencies.
fn packages(folder: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap().flatten() {
        let manifest = entry.path().join("Cargo.toml");
        if manifest.is_file() {
            found.push((entry.file_name().to_string_lossy().into_owned(), dependencies(&manifest)));
        }
    }
    assert!(!found.is_empty(), "{folder}");
    found
}

#[test]
fn pure_crates_know_neither_aws_nor_the_runtime() {
    const PURE: [&str; 10] = [
        "config",
        "coverage-report",
        "delivery",
        "delivery-page",
        "notice",
        "pipeline-event",
        "report-input",
        "sarif-report",
        "test-report",
        "verdict",
    ];
    let packages = packages("crates");
    for pure in PURE {
        let (_, dependencies) = packages.iter().find(|(name, _)| name == pure).unwrap_or_else(|| panic!("{pure}"));
        for known in dependencies {
            let impure = known.starts_with("aws") || known == "lambda_runtime" || known == "tokio";
            assert!(!impure, "crates/{pure} depends on {known}");
        }
    }
}

#[test]
fn no_function_depends_on_another_and_no_crate_on_a_function() {
    let functions: Vec<_> = packages("functions").into_iter().map(|(name, _)| name).collect();
    for folder in ["functions", "crates"] {
        for (name, dependencies) in packages(folder) {
            let function = dependencies.iter().find(|known| functions.contains(known));
            assert!(function.is_none(), "{folder}/{name} depends on the function {function:?}");
        }
    }
}

#[test]
fn only_codepipeline_job_answers_jobs() {
    for folder in ["functions", "crates"] {
        for (name, _) in packages(folder) {
            if name == "codepipeline-job" {
                continue;
            }
            for file in sources(&root().join(folder).join(&name).join("src")) {
                let text = std::fs::read_to_string(&file).unwrap();
                let call =
                    ["put_job_success_result", "put_job_failure_result"].into_iter().find(|call| text.contains(call));
                assert!(call.is_none(), "{} calls {call:?}", file.display());
            }
        }
    }
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(sources(&path)),
            path if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            _ => {}
        }
    }
    found
}

#[test]
fn the_tests_that_architecture_names_exist() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, table) = text.split_once("## What never happens").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let named: Vec<_> = table.split('`').skip(1).step_by(2).filter(|word| word.matches('_').count() >= 3).collect();
    assert!(named.len() > 10, "{named:?}");
    let mut code = String::new();
    for folder in ["cli", "crates", "functions", "local"] {
        sources(&root().join(folder)).iter().for_each(|file| code += &std::fs::read_to_string(file).unwrap());
    }
    for name in named {
        assert!(code.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}

/// What the programs of the repository are linked with, from the tree that cargo builds: of what is written in C, only
/// the TLS provider, and what is too large or needs a C library only as its stand-in.
#[test]
fn nothing_brings_a_c_library_but_the_tls_provider() {
    // linux-raw-sys has the numbers of the kernel's calls and no code.
    const BINDINGS: [&str; 2] = ["aws-lc-sys", "linux-raw-sys"];
    const STAND_INS: [(&str, &str); 2] = [("libxml", "libxml-stand-in"), ("crc-fast", "crc-fast-stand-in")];
    const BUILDERS: [&str; 5] = ["bindgen", "cc", "cmake", "pkg-config", "vcpkg"];
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["tree", "--offline", "--locked", "--edges", "normal,build", "--prefix", "depth"]);
    cargo.args(["--package", "stagegate", "--package", "stagegate-hurl-runner"]);
    for (function, _) in packages("functions") {
        cargo.args(["--package", &function]);
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let mut above: Vec<&str> = Vec::new();
    let mut stand_ins = std::collections::BTreeSet::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap();
        let depth: usize = line[..digits].parse().unwrap();
        let name = line[digits..].split(' ').next().unwrap();
        above.truncate(depth);
        assert!(!name.ends_with("-sys") || BINDINGS.contains(&name), "{name} comes with {above:?}");
        let builder = BUILDERS.contains(&name) && above.last().is_some_and(|parent| !BUILDERS.contains(parent));
        assert!(!builder || above.last() == Some(&"aws-lc-sys"), "{above:?} builds or finds a C library with {name}");
        if let Some((_, stand_in)) = STAND_INS.iter().find(|(replaced, _)| *replaced == name) {
            assert!(line.contains(stand_in), "{line}");
            stand_ins.insert(*stand_in);
        }
        above.push(name);
    }
    assert!(stand_ins.len() == STAND_INS.len() && tree.contains("aws-lc-sys v"), "{tree}");
}
