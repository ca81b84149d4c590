use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{run, stagegate};

#[test]
fn the_demo_releases_and_the_gate_stops_a_broken_release() {
    for (flags, code, words) in [
        (
            vec!["--yes"],
            0,
            vec![
                "✓ TestGate",
                "17 tests: 17 passed",
                "✓ SmokeTest",
                "web-smoke passed: 2 smoke tests: 2 passed",
                "released: production serves 1.5.0",
            ],
        ),
        (
            vec!["--yes", "--break-tests"],
            1,
            vec!["✗ TestGate", "web.html::escapes_markup", "not released: production serves 1.4.0"],
        ),
        (
            vec!["--yes", "--break-staging"],
            1,
            vec![
                "17 tests: 17 passed",
                "✓ Staging/Deploy",
                "✗ SmokeTest",
                "smoke/page.hurl:15: GET http://127.0.0.1:",
                "/style.css → 404",
                "actual 404, expected 200",
                "not released: production serves 1.4.0",
            ],
        ),
        // Nobody at the terminal is no approval, and no reason to wait for ever.
        (vec![], 1, vec!["nobody is at the terminal", "not released: production serves 1.4.0"]),
    ] {
        let (got, text) = run(stagegate().arg("demo").args(&flags));
        assert_eq!(got, code, "{flags:?}: {text}");
        for word in words {
            assert!(text.contains(word), "{flags:?} lacks {word:?}: {text}");
        }
    }
}

#[test]
fn a_person_at_the_terminal_decides() {
    for (answers, code, word) in [
        ("y\n\n", 0, "released: production serves 1.5.0"),
        ("what?\nn\n\n", 1, "not released: production serves 1.4.0"),
    ] {
        let mut demo = stagegate().arg("demo").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        demo.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
        let done = demo.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert_eq!(done.status.code(), Some(code), "{answers:?}: {text}");
        assert!(text.contains(word), "{answers:?} lacks {word:?}: {text}");
    }
}

/// Ctrl-C at every place of the demo ends it, and no function, build or deployment is left behind.
#[test]
fn ctrl_c_leaves_no_process() {
    for line in
        ["Version 1.4.0 goes", "✓ Source", "✓ Build", "✓ TestGate", "✓ SmokeTest", "? Approve", "Version 1.5.0 follows"]
    {
        let (mut demo, endpoint) = start_until(line);
        signal(&demo, "INT");
        let status = wait(&mut demo).unwrap_or_else(|| panic!("Ctrl-C after {line:?} did not end the demo"));
        assert_eq!(status, 130, "after {line:?}");
        let left = processes_with(&endpoint);
        assert!(left.is_empty(), "after {line:?}: {left:?}");
    }
}

/// Starts the demo with an open standard input and waits until it prints a line that contains `word`.
fn start_until(word: &str) -> (Child, String) {
    let mut demo = stagegate().arg("demo").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let endpoint = first.split_once("http://").unwrap().1.to_owned();
    assert!(lines.any(|line| line.contains(word)), "the demo ended before {word:?}");
    // What is printed from now on must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (demo, endpoint)
}

fn signal(process: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(process.id().to_string()).status().unwrap();
    assert!(sent.success());
}

fn wait(process: &mut Child) -> Option<i32> {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if let Some(status) = process.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = process.kill();
    None
}

/// Processes whose environment or command line names the endpoint of a local AWS, after a moment in which the system
/// may still be burying them.
fn processes_with(endpoint: &str) -> Vec<String> {
    let mut found = Vec::new();
    for _ in 0..100 {
        found = Path::new("/proc")
            .read_dir()
            .map(|entries| {
                entries
                    .flatten()
                    .filter_map(|entry| {
                        let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
                        let text = String::from_utf8_lossy(&[read("environ"), read("cmdline")].concat()).into_owned();
                        text.contains(endpoint)
                            .then(|| format!("{} {}", entry.path().display(), text.replace('\0', " ")))
                    })
                    .collect()
            })
            .unwrap_or_default();
        if found.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    found
}
