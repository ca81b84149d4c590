//! What people read about a failing test: its id, and why it failed.

use crate::fixtures::read;

fn failing(report: &str) -> Vec<(String, String)> {
    let summary = read("r.xml", report.as_bytes(), None).expect("is well formed");
    summary.failing().iter().map(|failing| (failing.id.clone(), failing.message.clone())).collect()
}

#[test]
fn junit_failures_say_the_message_else_the_text_else_the_class() {
    for (result, expected) in [
        ("<failure message='m' type='T'>text</failure>", "m"),
        ("<failure message=' ' type='T'>text</failure>", "text"),
        ("<failure type='T'>\n  text\n  more\n</failure>", "text\n  more"),
        ("<failure type='T'/>", "T"),
        ("<failure type='T'> \n </failure>", "T"),
        ("<failure/>", ""),
        ("<failure type='P'>N\\ATest::testB\nFailed asserting that 1 is 2.</failure>", "Failed asserting that 1 is 2."),
        ("<failure type='P'>N\\ATest::testB\n</failure>", "N\\ATest::testB"),
        ("<failure type='P'>Other::testC\nFailed.</failure>", "Other::testC\nFailed."),
        ("<failure message='N\\ATest::testB\nFailed.' type='P'/>", "N\\ATest::testB Failed."),
        ("<failure type='F'>f</failure><error type='E'/>", "E"),
        ("<error type='PHPUnit\\Framework\\Error'/><failure message='m'/>", "PHPUnit\\Framework\\Error"),
        ("<warning type='PHPUnit\\Framework\\Warning'>No tests found.</warning>", "No tests found."),
    ] {
        let xml = format!("<testsuite><testcase classname='N.ATest' name='testB'>{result}</testcase></testsuite>");
        assert_eq!(failing(&xml), [("N.ATest::testB".to_owned(), expected.to_owned())], "{result}");
    }
}

#[test]
fn junit_failures_of_suites_have_a_name_and_the_same_message() {
    for (result, expected) in [
        ("<error message='m' type='T'>text</error>", "m"),
        ("<failure type='T'>text</failure>", "text"),
        ("<error type='T'/>", "T"),
    ] {
        let xml = format!("<testsuites><testsuite name='s'>{result}</testsuite></testsuites>");
        assert_eq!(failing(&xml), [("s::(outside of any test)".to_owned(), expected.to_owned())], "{result}");
    }
}

#[test]
fn testng_rows_are_named_by_their_parameters() {
    for (values, expected) in [
        ("", "c::a"),
        ("<value><![CDATA[1]]></value>", "c::a(1)"),
        ("<value>\n <![CDATA[ x y ]]>\n </value><value is-null='true'/><value/>", "c::a(x y, null, )"),
        (
            "<value>shop.Basket@1b6d3586</value><value>[Ljava.lang.String;@4554617c</value>",
            "c::a(shop.Basket, [Ljava.lang.String;)",
        ),
        (
            "<value>ann@acade.example</value><value>@beefed</value><value>a@b</value>",
            "c::a(ann@acade.example, @beefed, a@b)",
        ),
    ] {
        let params: String =
            values.split_inclusive("</value>").map(|value| format!("<param>{value}</param>")).collect();
        let xml = format!(
            "<testng-results><suite><test><class name='c'><test-method name='a' status='FAIL'><params>{params}</params>\
             <exception class='E'><message>m</message></exception></test-method></class></test></suite></testng-results>"
        );
        assert_eq!(failing(&xml), [(expected.to_owned(), "E: m".to_owned())], "{values}");
    }
}

#[test]
fn a_failed_configuration_method_is_an_errored_test_of_its_name() {
    let xml = "<testng-results total='1' skipped='1'><suite name='s'><test name='t'><class name='c'>\
        <test-method is-config='true' name='setUp' status='FAIL'><exception class='E'/></test-method>\
        <test-method name='a' status='SKIP'/></class></test></suite></testng-results>";
    assert_eq!(failing(xml), [("c::setUp".to_owned(), "E:".to_owned())]);
}

/// Of what is told apart by names, nothing is one test because only the beginning of the names is kept.
#[test]
fn tests_whose_names_differ_behind_what_is_kept_are_different() {
    let long = "x".repeat(1_500);
    let junit = |first: &str, second: &str| {
        format!("<testsuite name='s'><testcase {first}><failure/></testcase><testcase {second}/></testsuite>")
    };
    let event =
        |action: &str, test: &str| format!("{{\"Action\":\"{action}\",\"Package\":\"p\",\"Test\":\"{test}\"}}\n");
    let turn = |action: &str, tests: &[&str]| {
        let tests: String = tests.iter().map(|test| event("run", test) + &event(action, test)).collect();
        format!("{tests}{{\"Action\":\"{action}\",\"Package\":\"p\"}}\n")
    };
    let attempt = |status: &str, retried: &str, value: &str| {
        format!(
            "<test-method name='a' status='{status}' {retried}><params><param><value>{value}</value></param></params>\
             </test-method>"
        )
    };
    let testng = |first: &str, second: &str| {
        let methods = attempt("FAIL", "retried='true'", first) + &attempt("PASS", "", second);
        format!("<testng-results><suite><test><class name='c'>{methods}</class></test></suite></testng-results>")
    };
    let [one, two] = ["1", "2"].map(|end| format!("{long}{end}"));
    let far = "x".repeat(100_000);
    for (report, flaky, bad, problems) in [
        (junit(&format!("name='{one}'"), &format!("name='{one}'")), 1, 0, 0),
        (junit(&format!("name='{one}'"), &format!("name='{two}'")), 0, 1, 0),
        (junit(&format!("classname='{one}' name='a'"), &format!("classname='{one}' name='a'")), 1, 0, 0),
        (junit(&format!("classname='{one}' name='a'"), &format!("classname='{two}' name='a'")), 0, 1, 0),
        (turn("fail", &[&one]) + &turn("pass", &[&one]), 1, 0, 0),
        (turn("fail", &[&one, &two]) + &turn("pass", &[&one]), 1, 1, 0),
        (testng(&one, &one), 1, 0, 0),
        // An attempt whose test is not there.
        (testng(&one, &two), 0, 0, 1),
        (testng(&format!("{far}1"), &format!("{far}1")), 1, 0, 0),
        (testng(&format!("{far}1"), &format!("{far}2")), 0, 0, 1),
        // The addresses of objects say nothing about which test it is.
        (testng(&format!("{long} shop.Basket@1b6d3586"), &format!("{long} shop.Basket@2c7e4697")), 1, 0, 0),
    ] {
        let summary = read("r.xml", report.as_bytes(), None).expect("is well formed");
        let tests = summary.tests();
        let found = (tests.flaky, tests.failed + tests.errored, summary.problem_count());
        assert_eq!(found, (flaky, bad, problems), "{}...: {:?}", &report[..60], summary.problems());
    }
}
