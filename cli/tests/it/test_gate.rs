use std::fs;

use crate::{run, stagegate};

const PASSING: &str = r#"<testsuite><testcase classname="a" name="b"/></testsuite>"#;
const FAILING: &str = r#"<testsuite><testcase classname="a" name="b"><failure message="x"/></testcase></testsuite>"#;
const POLICY: &str = "gates: {one: {tests: {reports: ['**/TEST-*.xml'], max_failed: 1}}}";
const TWO_GATES: &str = "gates: {one: {tests: {reports: [a]}}, two: {tests: {reports: [b]}}}";

#[test]
fn exit_codes_and_words() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("pass.xml", PASSING),
        ("fail.xml", FAILING),
        ("broken.xml", "<testsuite"),
        ("reports/TEST-a.xml", FAILING),
        ("reports/other.xml", "no report"),
        ("policy.yaml", POLICY),
        ("two.yaml", TWO_GATES),
        ("bad.yaml", "gates: {one: {tests: {report: [a]}}}"),
        ("empty/readme.txt", ""),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for (arguments, code, words) in [
        (vec!["pass.xml"], 0, vec!["tests passed: 1 test: 1 passed", "✓ tests.max_failed"]),
        (vec!["fail.xml"], 1, vec!["1 of 1 test failed (limit 0): a::b", "- a::b: x"]),
        (vec!["pass.xml", "broken.xml"], 1, vec!["1 of 2 report files cannot be used", "broken.xml"]),
        (vec!["reports", "--policy", "policy.yaml"], 1, vec!["none of 1 test passed"]),
        (vec!["reports", "pass.xml", "--policy", "policy.yaml"], 0, vec!["one passed: 2 tests: 1 passed, 1 failed"]),
        (vec!["empty"], 1, vec!["no file matches \"**/*.xml\" in empty"]),
        (vec!["--json", "pass.xml"], 0, vec!["\"outcome\": \"passed\"", "\"total\": 1"]),
        (vec!["--markdown", "fail.xml"], 1, vec!["## tests: failed", "| `tests.max_failed` | failed | 1 | 0 |"]),
        (vec!["--junit", "fail.xml"], 1, vec!["<testcase classname=\"tests\" name=\"tests.max_failed\"><failure"]),
        (vec!["--junit", "--json", "pass.xml"], 64, vec!["cannot be used with"]),
        (vec!["missing.xml"], 65, vec!["failed to read missing.xml: No such file"]),
        (vec!["pass.xml", "--policy", "bad.yaml"], 65, vec!["bad.yaml:1:23", "did you mean \"reports\""]),
        (vec!["pass.xml", "--policy", "two.yaml"], 64, vec!["name one of one, two with --gate"]),
        (vec!["pass.xml", "--policy", "two.yaml", "--gate", "tow"], 64, vec!["did you mean \"two\""]),
        (vec![], 64, vec!["<PATH>"]),
        (vec!["pass.xml", "--jsn"], 64, vec!["--json"]),
    ] {
        let (got, text) = run(stagegate().arg("test-gate").args(&arguments).current_dir(folder.path()));
        assert_eq!(got, code, "{arguments:?}: {text}");
        for word in words {
            assert!(text.contains(word), "{arguments:?} lacks {word:?}: {text}");
        }
    }
}
