use stagegate_config::{Config, Places};

const TEXT: &str = "\
# a comment
gates:
  web:
    tests:
      reports: [a.xml, {files: b.xml}]
      quarantine:
        - {test: a, owner: me, reason: x, until: 2026-12-31}
        - test: b
          until: 2026-12-31
  \"other one\": {sarif: {reports: [c]}}
";

#[test]
fn keys_and_items_have_places() {
    let places = Places::read(TEXT);
    for (path, expected) in [
        (vec![], (2, 1)),
        (vec!["gates"], (2, 1)),
        (vec!["gates", "web"], (3, 3)),
        (vec!["gates", "web", "tests", "reports", "0"], (5, 17)),
        (vec!["gates", "web", "tests", "reports", "1"], (5, 24)),
        (vec!["gates", "web", "tests", "reports", "1", "files"], (5, 25)),
        (vec!["gates", "web", "tests", "quarantine", "1", "until"], (9, 11)),
        (vec!["gates", "other one", "sarif", "reports", "0"], (10, 35)),
        (vec!["gates", "nobody", "tests"], (2, 1)),
    ] {
        assert_eq!(places.of(&path), Some(expected), "{path:?}");
    }
    assert_eq!(places.below(&["gates"]).collect::<Vec<_>>(), ["web", "other one"]);
    assert_eq!(places.below(&["gates", "web", "tests", "quarantine"]).collect::<Vec<_>>(), ["0", "1"]);
    assert_eq!(places.below(&["gates", "nobody"]).count(), 0);
    assert_eq!(Places::read("a: [").of(&[]), None);
}

#[test]
fn a_fault_of_a_whole_gate_has_its_place() {
    for (text, place) in [
        ("gates:\n  web: {}\n", "stagegate.yaml:2:3: "),
        ("gates:\n  a: {sarif: {reports: [a]}}\n  b:\n    tests: {reports: []}\n", "stagegate.yaml:4:5: "),
        ("gates:\n  b:\n    provenance: {}\n    sarif: {reports: [a]}\n", "stagegate.yaml:3:5: "),
    ] {
        let error = Config::parse("stagegate.yaml", text).unwrap_err().to_string();
        assert!(error.starts_with(place), "{text} gave {error}");
    }
}
