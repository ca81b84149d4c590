//! Event patterns: what matches, what does not, and what is refused.

use proptest::prelude::*;
use serde_json::{Value, json};
use stagegate_local_events::{Dialect, EventPattern};

fn matches(pattern: &Value, event: &Value) -> bool {
    EventPattern::parse(pattern, Dialect::EventBridge).unwrap().matches(event)
}

#[test]
fn patterns_match_as_the_guide_says() {
    let failed = json!({
        "source": "aws.codepipeline",
        "resources": ["arn:a", "arn:b"],
        "detail": {
            "state": "FAILED", "version": 6.0, "attempt": 1, "done": true, "why": null, "empty": "", "none": [],
            "type": {"category": "Approval"},
            "artifacts": [{"name": "Code", "bucket": "one"}, {"name": "Site", "bucket": "two"}],
        },
    });
    let detail = |pattern: Value| json!({"detail": pattern});
    for (pattern, expected) in [
        (json!({"source": ["aws.codebuild", "aws.codepipeline"]}), true),
        (json!({"source": ["aws.codebuild"]}), false),
        (json!({"source": ["aws.codepipeline"], "detail": {"state": ["STARTED"]}}), false),
        (json!({"resources": ["arn:b"]}), true),
        (json!({"resources": ["arn:c"]}), false),
        (detail(json!({"type": {"category": ["Approval"]}})), true),
        (detail(json!({"type": {"category": ["Build"]}})), false),
        (detail(json!({"type": ["Approval"]})), false),
        (detail(json!({"state": {"name": ["FAILED"]}})), false),
        // Numbers are compared as they are written.
        (detail(json!({"version": [6.0]})), true),
        (detail(json!({"version": [6]})), false),
        (detail(json!({"attempt": [1]})), true),
        (detail(json!({"attempt": ["1"]})), false),
        (detail(json!({"done": [true], "why": [null], "empty": [""]})), true),
        (detail(json!({"done": ["true"]})), false),
        (detail(json!({"missing": [null]})), false),
        // One object of an array must satisfy all that a pattern says of it.
        (detail(json!({"artifacts": {"name": ["Code"], "bucket": ["one"]}})), true),
        (detail(json!({"artifacts": {"name": ["Code"], "bucket": ["two"]}})), false),
        (detail(json!({"state": [{"prefix": "FAI"}]})), true),
        (detail(json!({"state": [{"prefix": "fai"}]})), false),
        (detail(json!({"state": [{"prefix": {"equals-ignore-case": "fai"}}]})), true),
        (detail(json!({"state": [{"suffix": "LED"}]})), true),
        (detail(json!({"state": [{"suffix": {"equals-ignore-case": "led"}}]})), true),
        (detail(json!({"state": [{"equals-ignore-case": "failed"}]})), true),
        (detail(json!({"state": [{"wildcard": "F*L*D"}]})), true),
        (detail(json!({"state": [{"wildcard": "F*X*"}]})), false),
        (detail(json!({"state": [{"wildcard": "*"}]})), true),
        (detail(json!({"state": [{"wildcard": "FAILE"}]})), false),
        (detail(json!({"state": [{"anything-but": "FAILED"}]})), false),
        (detail(json!({"state": [{"anything-but": ["STARTED", "STOPPED"]}]})), true),
        (detail(json!({"state": [{"anything-but": {"prefix": "FA"}}]})), false),
        (detail(json!({"state": [{"anything-but": {"suffix": ["X", "Y"]}}]})), true),
        (detail(json!({"state": [{"anything-but": {"wildcard": "*LE*"}}]})), false),
        (detail(json!({"missing": [{"anything-but": "x"}]})), false),
        (detail(json!({"attempt": [{"anything-but": [2, 3]}]})), true),
        // An array has something else as soon as one element is it.
        (json!({"resources": [{"anything-but": "arn:a"}]}), true),
        (detail(json!({"state": [{"exists": true}]})), true),
        (detail(json!({"state": [{"exists": false}]})), false),
        (detail(json!({"missing": [{"exists": false}]})), true),
        (detail(json!({"missing": [{"exists": true}]})), false),
        (json!({"other": {"deep": [{"exists": false}]}}), true),
        // Only leaves exist.
        (detail(json!({"type": [{"exists": true}]})), false),
        (detail(json!({"none": [{"exists": true}]})), false),
        (detail(json!({"why": [{"exists": true}]})), true),
        (detail(json!({"version": [{"numeric": ["=", 6]}]})), true),
        (detail(json!({"version": [{"numeric": [">", 6]}]})), false),
        (detail(json!({"version": [{"numeric": [">", 5, "<=", 6]}]})), true),
        (detail(json!({"state": [{"numeric": [">", 0]}]})), false),
        (detail(json!({"state": ["STARTED", {"prefix": "F"}]})), true),
        (json!({"$or": [{"source": ["x"]}, {"detail": {"state": ["FAILED"]}}]}), true),
        (json!({"$or": [{"source": ["x"]}, {"source": ["y"]}]}), false),
        (json!({"detail": {"state": ["FAILED"], "$or": [{"attempt": [2]}, {"done": [true]}]}}), true),
        (json!({"source": ["x"], "$or": [{"detail": {"done": [true]}}, {"source": ["y"]}]}), false),
    ] {
        assert_eq!(matches(&pattern, &failed), expected, "{pattern}");
    }
}

#[test]
fn wildcards_take_stars_literally_behind_a_backslash() {
    for (wildcard, text, expected) in [
        (r"a\*b", "a*b", true),
        (r"a\*b", "axb", false),
        (r"a\\b", r"a\b", true),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("*ab*ab", "abab", true),
        ("*ab*ab", "xab", false),
        ("*.js", "a.js.js", true),
    ] {
        let pattern = json!({"a": [{"wildcard": wildcard}]});
        assert_eq!(matches(&pattern, &json!({"a": text})), expected, "{wildcard} {text}");
    }
}

#[test]
fn mistakes_are_refused_with_their_place() {
    for (pattern, expected) in [
        (json!([]), "a pattern must be an object"),
        (json!({}), "without any key"),
        (json!({"a": {}}), "`a`: an object without any key"),
        (json!({"a": "b"}), "`a`: write a list of what it may be: [\"b\"]"),
        (json!({"a": {"b": []}}), "`a.b`: an empty list"),
        (json!({"a": [["b"]]}), "a list in a list"),
        (json!({"a": [{"cidr": "10.0.0.0/24"}]}), "the operator `cidr` is not supported here"),
        (json!({"a": [{"Prefix": "x"}]}), "the operator `Prefix`"),
        (json!({"a": [{"prefix": "x", "suffix": "y"}]}), "an object with one operator"),
        (json!({"a": [{"prefix": ""}]}), "`prefix` takes a text"),
        (json!({"a": [{"prefix": 1}]}), "`prefix` takes a text"),
        (json!({"a": [{"exists": "yes"}]}), "`exists` takes true or false"),
        (json!({"a": [{"wildcard": "a**b"}]}), "two stars"),
        (json!({"a": [{"wildcard": r"a\b"}]}), "a backslash"),
        (json!({"a": [{"anything-but": [1, "x"]}]}), "one kind of them"),
        (json!({"a": [{"anything-but": []}]}), "`anything-but` takes"),
        (json!({"a": [{"anything-but": {"numeric": [">", 1]}}]}), "the operator `numeric`"),
        (json!({"a": [{"numeric": []}]}), "`numeric` takes one comparison or a range"),
        (json!({"a": [{"numeric": [">"]}]}), "`numeric` takes"),
        (json!({"a": [{"numeric": ["<", 5, ">", 0]}]}), "`numeric` takes"),
        (json!({"a": [{"numeric": [">", 5, "<", 0]}]}), "`numeric` takes"),
        (json!({"a": [{"numeric": [">", 6e9]}]}), "numbers from"),
        (json!({"$or": [{"a": ["b"]}]}), "`$or`: must be a list of two objects or more"),
        (json!({"a": ["x".repeat(5000)]}), "4096 are allowed"),
    ] {
        let error = EventPattern::parse(&pattern, Dialect::EventBridge).unwrap_err().to_string();
        assert!(error.contains(expected), "{pattern}: {error}");
    }
    let policy = json!({"a": [{"wildcard": "x*"}]});
    assert!(EventPattern::parse(&policy, Dialect::Sns).is_err(), "SNS has no such operator");
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof!["[ab]", Just("$or".to_owned()), Just("prefix".to_owned()), Just("exists".to_owned())];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        "[ab*\\\\]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn no_pattern_and_no_event_panics(pattern in any_json(), event in any_json()) {
        if let Ok(pattern) = EventPattern::parse(&pattern, Dialect::EventBridge) {
            let _ = pattern.matches(&event);
        }
    }

    /// `anything-but` and the exact value are opposites for a single string.
    #[test]
    fn a_string_is_something_or_something_else(wanted in "[ab]{1,3}", given in "[ab]{1,3}") {
        let event = json!({"a": given});
        let is = matches(&json!({"a": [wanted]}), &event);
        prop_assert_eq!(is, !matches(&json!({"a": [{"anything-but": wanted}]}), &event));
    }

    /// A wildcard made of parts of a text matches the text.
    #[test]
    fn what_is_left_out_of_a_text_may_be_a_star(parts in prop::collection::vec("[abc]{0,3}", 1..5), gaps in prop::collection::vec("[abc]{0,2}", 4)) {
        let wildcard: Vec<&str> = parts.iter().map(String::as_str).collect();
        let wildcard = wildcard.join("*");
        prop_assume!(!wildcard.is_empty() && !wildcard.contains("**"));
        let mut text = String::new();
        for (index, part) in parts.iter().enumerate() {
            text.push_str(part);
            if index + 1 < parts.len() {
                text.push_str(&gaps[index]);
            }
        }
        prop_assert!(matches(&json!({"a": [{"wildcard": wildcard}]}), &json!({"a": text})), "{} {}", wildcard, text);
    }
}
