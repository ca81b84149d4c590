//! The commands of the README that talk to the local AWS, run as they stand there.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::{root, run, stagegate};

/// Ends the local AWS when the test ends, however it ends.
struct Up(Child);

impl Drop for Up {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-INT").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[test]
fn the_commands_of_the_readme_work() {
    if Command::new("aws").arg("--version").output().is_err() {
        eprintln!("skipped: the command aws is not installed (PyPI: awscli)");
        return;
    }
    let mut up = stagegate().args(["up", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap()).lines().map(Result::unwrap);
    let _up = Up(up);
    let first = lines.next().unwrap();
    let endpoint = first.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches(';');
    std::thread::spawn(move || lines.for_each(drop));

    let script = readme_block("aws codepipeline start-pipeline-execution").replace("http://127.0.0.1:4599", endpoint);
    assert!(script.contains(endpoint), "the README must name the default endpoint: {script}");
    let home = tempfile::tempdir().unwrap();
    let script = format!("set -eu\n{script}");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).current_dir(root()).env("HOME", home.path()).env("AWS_PAGER", "");
    let (code, text) = run(&mut shell);
    assert_eq!(code, 0, "{text}");
    for word in ["\"pipelineName\": \"web\"", "17 tests: 17 passed", "approvedAt", "Succeeded"] {
        assert!(text.contains(word), "lacks {word:?}: {text}");
    }
}

/// The code block of the README that contains `word`.
fn readme_block(word: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme.split("```").skip(1).step_by(2);
    let block = blocks.filter(|block| block.contains(word)).map(|block| block.split_once('\n').unwrap().1);
    block.collect::<Vec<_>>().join("\n")
}
