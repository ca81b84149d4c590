//! Overrides hold for one gate and one execution, for a while.

use stagegate_release::Override;

use crate::at;

fn given() -> Override {
    Override {
        pipeline: "web".to_owned(),
        execution: "7cb1f2d4".to_owned(),
        gate: "web-release".to_owned(),
        who: "erin".to_owned(),
        why: "the fix for the outage".to_owned(),
        at: at("2026-11-25T12:00:00Z"),
        until: at("2026-11-25T13:00:00Z"),
    }
}

#[test]
fn an_override_holds_for_what_it_names_and_no_longer() {
    let now = at("2026-11-25T12:30:00Z");
    let fault = |given: &Override| given.fault("7cb1f2d4", "web-release", now);
    assert_eq!(fault(&given()), None);
    for (changed, part) in [
        (Override { execution: "another".to_owned(), ..given() }, "for the execution another"),
        (Override { gate: "other".to_owned(), ..given() }, "for the gate other"),
        (Override { who: " ".to_owned(), ..given() }, "who"),
        (Override { why: String::new(), ..given() }, "why"),
        (Override { until: now, ..given() }, "held until"),
    ] {
        let fault = fault(&changed).expect(part);
        assert!(fault.contains(part), "{fault}");
    }
}

#[test]
fn it_is_kept_and_audited_where_the_documentation_says() {
    let given = given();
    assert_eq!(Override::key("7cb1f2d4", "web-release").as_str(), "overrides/7cb1f2d4/web-release.json");
    let (key, entry) = given.audited("0b1c");
    assert_eq!(key.as_str(), "audit/2026-11-25/0b1c.json");
    assert_eq!(entry.given, given);
}
