use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::{run, stagegate};

const GOOD: &str = "GET {{base}}/good\nHTTP 200\n";
const BAD: &str = "GET {{base}}/good\nHTTP 200\n\nGET {{base}}/missing?token={{token}}\nHTTP 200\n";
const POLICY: &str = "gates:
  one:
    hurl: ['smoke/*.hurl', {files: 'smoke/good.hurl', repeat: 3, p95: 10s}]
    always: ['smoke/z/*.hurl']
    secrets: {token: /stagegate/smoke/token}
  reports: {tests: {reports: [a]}}
";

/// A server on loopback that knows one page, for the rest of the process.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap_or_default();
                let good = request[..length].starts_with(b"GET /good ");
                let status = if good { "200 OK" } else { "404 Not Found" };
                let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            });
        }
    });
    base
}

#[test]
fn exit_codes_and_words() {
    let base = format!("base={}", server());
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("smoke/good.hurl", GOOD),
        ("smoke/z/clean.hurl", GOOD),
        ("bad.hurl", BAD),
        ("broken.hurl", "GET {{base}}/\nHTTP 200\n[Asserts]\nnonsense\n"),
        ("policy.yaml", POLICY),
        ("empty/readme.txt", ""),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let secret = ["--secret", "token=s3cr3t"];
    for (arguments, code, words) in [
        (
            vec!["smoke/good.hurl"],
            0,
            vec![
                "Success smoke/good.hurl (1 request(s) in ",
                "Executed files:    1",
                "Succeeded files:   1 (100.0%)",
                "smoke passed: 1 smoke test",
            ],
        ),
        (
            vec!["smoke/good.hurl", "bad.hurl", secret[0], secret[1]],
            1,
            vec![
                "error: Assert status code",
                "--> bad.hurl:5:6",
                "actual value is <404>",
                "expected value is <200>",
                "Failure bad.hurl",
                "Failed files:      1 (50.0%)",
                "token=***",
            ],
        ),
        (vec!["."], 65, vec!["failed to read Hurl: ", "broken.hurl:4:"]),
        (vec!["smoke"], 0, vec!["Success good.hurl", "Success z/clean.hurl"]),
        (vec!["empty"], 1, vec!["matches \"**/*.hurl\", so nothing was tested"]),
        (vec!["smoke/good.hurl", "--no-loopback"], 1, vec!["is a loopback address"]),
        (
            vec!["--policy", "policy.yaml", secret[0], secret[1]],
            0,
            vec!["one passed: 2 smoke tests: 2 passed; 5 requests", "Success smoke/z/clean.hurl"],
        ),
        (vec!["--policy", "policy.yaml"], 64, vec!["give --secret token="]),
        (vec!["--policy", "policy.yaml", "--gate", "reports"], 64, vec!["it judges reports"]),
        (vec!["--json", "smoke/good.hurl"], 0, vec!["\"checks\": {", "\"requests\": 1"]),
        (vec!["--junit", "bad.hurl", secret[0], secret[1]], 1, vec!["<testcase classname=\"bad.hurl\"", "token=***"]),
        (vec!["--markdown", "bad.hurl", secret[0], secret[1]], 1, vec!["## smoke: failed", "bad.hurl:4: GET"]),
        (vec!["missing.hurl"], 65, vec!["failed to read the Hurl file missing.hurl: No such file"]),
        (vec!["smoke/good.hurl", "--variable", "1=2"], 64, vec!["NAME=VALUE"]),
        (vec!["smoke/good.hurl", "smoke"], 64, vec!["name one folder alone"]),
        (vec![], 64, vec!["FILE"]),
    ] {
        let (got, text) =
            run(stagegate().arg("smoke-test").args(&arguments).args(["--variable", &base]).current_dir(folder.path()));
        assert_eq!(got, code, "{arguments:?}: {text}");
        assert!(!text.contains("s3cr3t"), "{arguments:?}: {text}");
        for word in words {
            assert!(text.contains(word), "{arguments:?} lacks {word:?}: {text}");
        }
    }
}
