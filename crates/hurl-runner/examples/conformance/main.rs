//! Runs the integration suite of Hurl and prints what passes as a table.
//!
//! The argument is the suite's folder `integration/hurl`, with its server running on port 8000; see
//! `conformance/run.sh`. Of `tests_ok`, those are run that Hurl itself runs with one file and without options that
//! change what the file means. `CONFORMANCE_CERTIFICATE` and `CONFORMANCE_KEY` name the files with which the hosts on
//! the internet that the suite asks are stood in for.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

mod internet;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use internet::Internet;
use stagegate_hurl_runner::{
    FileRoot, HurlFile, Limits, NetworkPolicy, Outbound, RunOptions, Value, Variables, run_file,
};

/// Options of the `hurl` command that do not change what a file means.
const NEUTRAL: [&str; 9] =
    ["--verbose", "--very-verbose", "--no-output", "--json", "--color", "--include", "--ipv4", "--test", "--output -"];

/// How many files of `tests_ok` have to pass at the least.
const TESTS_OK_MIN: i32 = 88;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("the folder integration/hurl is missing")?;
    std::env::set_current_dir(&folder)?;
    let filter = std::env::args().nth(2);
    let internet = match (std::env::var_os("CONFORMANCE_CERTIFICATE"), std::env::var_os("CONFORMANCE_KEY")) {
        (Some(certificate), Some(key)) => Some(Internet::start(Path::new(&certificate), Path::new(&key)).await?),
        _ => None,
    };
    let mut failed = false;
    for suite in ["tests_ok", "tests_failed", "tests_error_parser"] {
        let mut counts = BTreeMap::new();
        for (name, invocation) in invocations(suite)? {
            if filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
                continue;
            }
            let result = match suite {
                "tests_ok" => passes(&invocation, internet).await,
                "tests_failed" => fails(&invocation, internet).await,
                _ => is_refused(&invocation),
            };
            if let Err(reason) = &result {
                println!("{suite}/{name}: {reason}");
            }
            *counts.entry(result.is_ok()).or_insert(0) += 1;
        }
        let as_expected: i32 = counts.get(&true).copied().unwrap_or_default();
        let all: i32 = counts.values().sum();
        println!("{suite:<20} {as_expected:>4} of {all:>4} as expected");
        let wanted = if suite == "tests_ok" { TESTS_OK_MIN.min(all) } else { all };
        failed |= as_expected < wanted;
    }
    if failed { Err("fewer files than expected passed, failed or were refused".into()) } else { Ok(()) }
}

/// One file as a script of the suite runs it.
#[derive(Debug)]
struct Invocation {
    script: PathBuf,
    file: PathBuf,
    variables: Vec<(String, Value)>,
    root: PathBuf,
}

/// Takes the options out of a command that have a counterpart in [`RunOptions`]: variables and the file root.
fn take_options<'w>(words: &mut Vec<&'w str>) -> (Vec<(String, Value)>, Option<&'w str>) {
    let mut variables = Vec::new();
    let mut root = None;
    while let Some(index) = words.iter().position(|word| matches!(*word, "--variable" | "--file-root")) {
        let option = words.remove(index);
        if index == words.len() {
            break;
        }
        let argument = words.remove(index);
        match (option, argument.split_once('=')) {
            ("--variable", Some((name, value))) => variables.push((name.to_owned(), typed(value))),
            _ => root = Some(argument),
        }
    }
    (variables, root)
}

/// A variable of the command line: a boolean, a number, or text that may be quoted for the shell.
fn typed(text: &str) -> Value {
    match (text, text.parse::<i64>(), text.parse::<f64>()) {
        ("true", ..) => Value::from(true),
        ("false", ..) => Value::from(false),
        ("null", ..) => Value::Null,
        (_, Ok(number), _) => Value::from(number),
        (_, _, Ok(number)) => Value::from(number),
        ("\\\\", ..) => Value::from("\\"),
        _ => Value::from(text.trim_matches(['"', '\''])),
    }
}

/// The scripts in a folder and below it.
fn scripts(folder: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder)? {
        let path = item?.path();
        if path.is_dir() {
            found.extend(scripts(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sh") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The scripts that run one file; of `tests_ok`, without options that matter.
fn invocations(suite: &str) -> Result<BTreeMap<String, Invocation>, std::io::Error> {
    let mut invocations = BTreeMap::new();
    for script in scripts(Path::new(suite))? {
        let text = std::fs::read_to_string(&script)?.replace("\\\n", " ");
        let commands: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("hurl ")).collect();
        let [command] = commands.as_slice() else { continue };
        let mut command = format!("{command} ");
        for option in NEUTRAL {
            command = command.replace(&format!(" {option} "), " ");
        }
        let mut words: Vec<&str> = command.split_whitespace().skip(1).collect();
        let (variables, root) = take_options(&mut words);
        let files: Vec<&str> = words.iter().copied().filter(|word| word.ends_with(".hurl")).collect();
        let [file] = files.as_slice() else { continue };
        let has_options =
            words.len() > 1 || text.contains("export ") || text.contains("HURL_") || text.contains("exit 255");
        // A variable of a failing run is what the command line fails on.
        let has_options = has_options || (suite == "tests_failed" && !variables.is_empty());
        if suite != "tests_error_parser" && has_options {
            continue;
        }
        let name = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = PathBuf::from(file);
        // Hurl looks `netrc-file` up in the working folder, and this runner below the file root as every file.
        let has_netrc = std::fs::read_to_string(&file).is_ok_and(|text| text.contains("\nnetrc-file:"));
        let folder = if has_netrc { Path::new(".") } else { file.parent().unwrap_or(Path::new(".")) };
        let root = root.map_or_else(|| folder.to_owned(), PathBuf::from);
        invocations.insert(name, Invocation { script, file, variables, root });
    }
    Ok(invocations)
}

fn options(invocation: &Invocation, internet: Option<Internet>) -> Result<RunOptions, Box<dyn std::error::Error>> {
    let policy = NetworkPolicy::new().allow_network("127.0.0.0/8".parse()?).allow_network("::1".parse()?);
    let outbound = Outbound::new(policy);
    let outbound = internet.map_or(outbound.clone(), |internet| internet.reached_by(outbound));
    let mut options = RunOptions::new(outbound, Instant::now() + Duration::from_secs(60));
    options.files = FileRoot::new(&invocation.root, 64 * 1024 * 1024);
    options.limits = Limits { max_body_bytes: 1024 * 1024 * 1024, max_redirects: 100, ..Limits::default() };
    options.variables = Variables::new();
    for (name, value) in &invocation.variables {
        options.variables.set(name, value.clone());
    }
    Ok(options)
}

async fn passes(invocation: &Invocation, internet: Option<Internet>) -> Result<(), String> {
    let file = HurlFile::load(&invocation.file).map_err(|error| format!("refused: {error}"))?;
    let options = options(invocation, internet).map_err(|error| error.to_string())?;
    let report = run_file(&file, &options).await;
    let failures: Vec<String> = report
        .failed()
        .flat_map(|entry| &entry.failures)
        .take(3)
        .map(|failure| format!("line {}: {}: {}", failure.line, failure.title, failure.message))
        .collect();
    if report.passed { Ok(()) } else { Err(failures.join("\n    ")) }
}

async fn fails(invocation: &Invocation, internet: Option<Internet>) -> Result<(), String> {
    let Ok(file) = HurlFile::load(&invocation.file) else { return Ok(()) };
    let options = options(invocation, internet).map_err(|error| error.to_string())?;
    if run_file(&file, &options).await.passed { Err("passed".to_owned()) } else { Ok(()) }
}

/// The lines that Hurl names stand in its expected output: `--> tests_error_parser/xml.hurl:2:14`.
fn is_refused(invocation: &Invocation) -> Result<(), String> {
    let expected = std::fs::read_to_string(invocation.script.with_extension("err")).unwrap_or_default();
    let file = invocation.file.display().to_string();
    let place = expected.lines().find_map(|line| line.trim_start().strip_prefix("--> ")?.strip_prefix(&file));
    let expected: Option<usize> = place.and_then(|place| place.trim_start_matches(':').split(':').next()?.parse().ok());
    match HurlFile::load(&invocation.file) {
        Ok(_) => Err("not refused".to_owned()),
        Err(error) if expected.is_some_and(|line| error.problems[0].line != line) => {
            Err(format!("refused at line {} in place of {expected:?}: {error}", error.problems[0].line))
        }
        Err(_) => Ok(()),
    }
}
