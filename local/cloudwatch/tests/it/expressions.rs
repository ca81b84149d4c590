//! Metric math alone.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stagegate_local_cloudwatch::math::{Quantity, Series, evaluate};

fn known() -> BTreeMap<String, Quantity> {
    let series = |points: &[(i64, f64)]| Quantity::Series(points.iter().copied().collect::<Series>());
    BTreeMap::from([
        ("m1".to_owned(), series(&[(0, 1.0), (60, 2.0), (120, 3.0)])),
        ("m2".to_owned(), series(&[(0, 10.0), (60, 0.0), (180, 30.0)])),
        ("gaps".to_owned(), series(&[(0, 1.0), (60, 1.0), (240, 1.0)])),
        ("none".to_owned(), series(&[])),
    ])
}

#[test]
fn expressions_mean_what_the_guide_says() {
    let series = |points: &[(i64, f64)]| Ok(Quantity::Series(points.iter().copied().collect()));
    let scalar = |number| Ok(Quantity::Scalar(number));
    for (expression, expected) in [
        ("1 + 2 * 3", scalar(7.0)),
        ("(1 + 2) * 3", scalar(9.0)),
        ("8 / 2 / 2", scalar(2.0)),
        ("5 - 3 - 1", scalar(1.0)),
        ("--2 - -1", scalar(3.0)),
        ("m1 * 2", series(&[(0, 2.0), (60, 4.0), (120, 6.0)])),
        ("m1 / m2", series(&[(0, 0.1)])),
        ("m1 + m2", series(&[(0, 11.0), (60, 2.0)])),
        ("m1 > 1", series(&[(0, 0.0), (60, 1.0), (120, 1.0)])),
        ("IF(m1 > 1, m1, 0)", series(&[(0, 0.0), (60, 2.0), (120, 3.0)])),
        ("IF(m1 > 1, m2)", series(&[(60, 0.0)])),
        ("IF(1 >= 2, 3, 4)", scalar(4.0)),
        ("SUM(m1)", scalar(6.0)),
        ("avg(m1)", scalar(2.0)),
        ("MAX([m1, m2])", series(&[(0, 10.0), (60, 2.0), (120, 3.0), (180, 30.0)])),
        ("MIN([m1, 2])", series(&[(0, 1.0), (60, 2.0), (120, 2.0)])),
        ("m1 / MAX([m2, 1])", series(&[(0, 0.1), (60, 2.0)])),
        ("FILL(gaps, 0)", series(&[(0, 1.0), (60, 1.0), (120, 0.0), (180, 0.0), (240, 1.0)])),
        // What counts errors has no value where there was none, and is filled where there was something else.
        ("100 * none / m1", series(&[])),
        ("100 * FILL(none, 0) / m1", series(&[(0, 0.0), (60, 0.0), (120, 0.0)])),
        ("CEIL(ABS(0 - 1.2)) + FLOOR(1.8)", scalar(3.0)),
    ] {
        assert_eq!(evaluate(expression, &known()), expected, "{expression}");
    }
}

#[test]
fn bad_expressions_are_explained() {
    for (expression, part) in [
        ("", "too early"),
        ("1 +", "too early"),
        ("1 2", "not expected"),
        ("(1", "\")\" is missing"),
        ("m3", "no query \"m3\""),
        ("NOPE(m1)", "no function NOPE"),
        ("ABS(1, 2)", "other arguments"),
        ("[m1, m2]", ""),
        ("[m1] + 1", "a list"),
        ("1.2.3", "no number"),
        ("1 $ 2", "not expected"),
    ] {
        match evaluate(expression, &known()) {
            Ok(Quantity::List(_)) if expression == "[m1, m2]" => {}
            Ok(other) => panic!("{expression}: {other:?}"),
            Err(reason) => assert!(reason.contains(part), "{expression}: {reason}"),
        }
    }
    assert!(evaluate(&"(".repeat(100_000), &known()).is_err());
}

proptest! {
    #[test]
    fn no_expression_is_too_much(expression in "[0-9m12gaps ()\\[\\],+*/<>=.IFSUMAX-]{0,40}") {
        let _ = evaluate(&expression, &known());
    }

    #[test]
    fn numbers_are_added_and_multiplied_as_numbers_are(a in 0_u32..1000, b in 0_u32..1000, c in 1_u32..1000) {
        let made = evaluate(&format!("{a} + {b} * {c} - {a} / {c}"), &BTreeMap::new());
        let [a, b, c] = [a, b, c].map(f64::from);
        prop_assert_eq!(made, Ok(Quantity::Scalar(a + b * c - a / c)));
    }
}
