//! Runs the integration suite of Hurl and prints what passes as a table.
//!
//! The argument is the suite's folder `integration/hurl`, with its server running on port 8000; see
//! `conformance/run.sh`. Of `tests_ok`, those are run that Hurl itself runs with one file and without options that
//! change what the file means.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stagegate_hurl_runner::{
    FileRoot, HurlFile, Limits, NetworkPolicy, Outbound, RunOptions, Value, Variables, run_file,
};

/// Options of the `hurl` command that do not change what a file means.
const NEUTRAL: [&str; 9] =
    ["--verbose", "--very-verbose", "--no-output", "--json", "--color", "--include", "--ipv4", "--test", "--output -"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("the folder integration/hurl is missing")?;
    std::env::set_current_dir(&folder)?;
    let filter = std::env::args().nth(2);
    let mut failed = false;
    for suite in ["tests_ok", "tests_failed", "tests_error_parser"] {
        let mut counts = BTreeMap::new();
        for (name, invocation) in invocations(suite)? {
            if filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
                continue;
            }
            let result = match suite {
                "tests_ok" => passes(&invocation).await,
                "tests_failed" => fails(&invocation).await,
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
        failed |= as_expected != all && suite != "tests_ok";
    }
    if failed { Err("a file that Hurl fails or refuses was not".into()) } else { Ok(()) }
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

/// The scripts that run one file; of `tests_ok`, without options that matter.
fn invocations(suite: &str) -> Result<BTreeMap<String, Invocation>, std::io::Error> {
    let mut invocations = BTreeMap::new();
    for item in std::fs::read_dir(suite)? {
        let script = item?.path();
        if script.extension().is_none_or(|extension| extension != "sh") {
            continue;
        }
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
        let root = root.map_or_else(|| file.parent().unwrap_or(Path::new(".")).to_owned(), PathBuf::from);
        invocations.insert(name, Invocation { script, file, variables, root });
    }
    Ok(invocations)
}

fn options(invocation: &Invocation) -> Result<RunOptions, Box<dyn std::error::Error>> {
    let policy = NetworkPolicy::new().allow_network("127.0.0.0/8".parse()?).allow_network("::1".parse()?);
    let mut options = RunOptions::new(Outbound::new(policy), Instant::now() + Duration::from_secs(60));
    options.files = FileRoot::new(&invocation.root, 64 * 1024 * 1024);
    options.limits = Limits { max_body_bytes: 1024 * 1024 * 1024, max_redirects: 100, ..Limits::default() };
    options.variables = Variables::new();
    for (name, value) in &invocation.variables {
        options.variables.set(name, value.clone());
    }
    Ok(options)
}

async fn passes(invocation: &Invocation) -> Result<(), String> {
    let file = HurlFile::load(&invocation.file).map_err(|error| format!("refused: {error}"))?;
    let options = options(invocation).map_err(|error| error.to_string())?;
    let report = run_file(&file, &options).await;
    let failures: Vec<String> = report
        .failed()
        .flat_map(|entry| &entry.failures)
        .take(3)
        .map(|failure| format!("line {}: {}: {}", failure.line, failure.title, failure.message))
        .collect();
    if report.passed { Ok(()) } else { Err(failures.join("\n    ")) }
}

async fn fails(invocation: &Invocation) -> Result<(), String> {
    let Ok(file) = HurlFile::load(&invocation.file) else { return Ok(()) };
    let options = options(invocation).map_err(|error| error.to_string())?;
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
