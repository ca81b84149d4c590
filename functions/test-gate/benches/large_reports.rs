//! What large reports cost: memory from 1 MB to 1 GB of report, and what judging adds to reading.
//!
//! `cargo bench -p test-gate --bench large_reports` prints a table; its last lines are the ratios. The reports are made
//! while they are read, so that nothing of them is in memory or on the disk. Each size is read in a process of its own,
//! whose peak of resident memory belongs to that size alone. With the argument `judging`, only the second part runs.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::fmt::Write as _;
use std::io::{self, BufReader, Read};
use std::process::Command;
use std::time::{Duration, Instant};

use coverage_report::Merger;
use jiff::Timestamp;
use jiff::civil::Date;
use sarif_report::Which;
use stagegate_config::{Config, TestGate};
use stagegate_verdict::Outcome;
use test_gate::{Circumstances, Evidence, Judged, Kind, Reading, judge};
use test_report::{Limits, Summary};

const SIZES: [(u64, &str); 4] =
    [(1_000_000, "1 MB"), (16_000_000, "16 MB"), (128_000_000, "128 MB"), (1_000_000_000, "1 GB")];
const CASES: u64 = 120_000;
const TODAY: Date = Date::constant(2026, 11, 23);

/// A format, and how a report of it is made.
struct Shape {
    name: &'static str,
    kind: Kind,
    head: &'static str,
    /// Writes what stands between head and foot again and again, with a number that rises.
    item: fn(&mut String, u64),
    foot: &'static str,
    /// Tests, lines or results in an item.
    per_item: u64,
}

const SHAPES: [Shape; 5] = [
    Shape {
        name: "JUnit XML",
        kind: Kind::Tests,
        head: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"all\">\n",
        item: junit_suite,
        foot: "</testsuites>\n",
        per_item: 100,
    },
    Shape { name: "Cucumber JSON", kind: Kind::Tests, head: "[\n", item: cucumber_feature, foot: "]\n", per_item: 100 },
    Shape { name: "go test -json", kind: Kind::Tests, head: "", item: go_package, foot: "", per_item: 1000 },
    Shape { name: "LCOV", kind: Kind::Coverage, head: "TN:\n", item: lcov_file, foot: "", per_item: 200 },
    Shape {
        name: "SARIF",
        kind: Kind::Sarif,
        head: "{\"version\": \"2.1.0\", \"runs\": [{\"tool\": {\"driver\": {\"name\": \"lint\"}}, \"results\": [\n",
        item: sarif_results,
        foot: "]}]}\n",
        per_item: 100,
    },
];

/// As Surefire writes it: one in forty tests failed, one in thirty skipped, some suites with output.
fn junit_suite(xml: &mut String, suite: u64) {
    let cases = suite * 100..suite * 100 + 100;
    let bad = cases.clone().filter(|case| case % 40 == 7).count();
    let skipped = cases.clone().filter(|case| case % 30 == 11 && case % 40 != 7).count();
    let _ = writeln!(
        xml,
        "  <testsuite name=\"com.example.shop.checkout.Suite{suite}Test\" tests=\"100\" failures=\"{bad}\" errors=\"0\" \
         skipped=\"{skipped}\" time=\"1.204\" timestamp=\"2026-11-23T10:15:30\" hostname=\"build-7\">"
    );
    for case in cases {
        let _ = write!(
            xml,
            "    <testcase classname=\"com.example.shop.checkout.Suite{suite}Test\" name=\"keeps_the_total_of_the_basket_{case}\" \
             time=\"0.0{}\"",
            case % 97
        );
        if case % 40 == 7 {
            let _ = writeln!(
                xml,
                ">\n      <failure message=\"expected &lt;3&gt; but was &lt;{case}&gt;\" \
                 type=\"org.opentest4j.AssertionFailedError\"><![CDATA[org.opentest4j.AssertionFailedError: expected\n\
                 \tat com.example.shop.checkout.Suite{suite}Test.keeps(Suite{suite}Test.java:42)\n]]></failure>\n    </testcase>"
            );
        } else if case % 30 == 11 {
            xml.push_str(">\n      <skipped message=\"not on this machine\"/>\n    </testcase>\n");
        } else {
            xml.push_str("/>\n");
        }
    }
    if suite.is_multiple_of(10) {
        xml.push_str("    <system-out><![CDATA[");
        for line in 0..20 {
            let _ = writeln!(xml, "10:15:30.{line:03} INFO  com.example.shop.checkout.Basket - total is {line}");
        }
        xml.push_str("]]></system-out>\n");
    }
    xml.push_str("  </testsuite>\n");
}

fn cucumber_feature(json: &mut String, feature: u64) {
    let comma = if feature > 0 { ",\n" } else { "" };
    let _ = write!(
        json,
        r#"{comma}{{"uri": "features/basket{feature}.feature", "id": "basket-{feature}", "keyword": "Feature", "name": "Basket {feature}", "elements": ["#
    );
    for scenario in 0..100 {
        let comma = if scenario > 0 { ",\n" } else { "" };
        let status = if scenario % 40 == 7 { "failed" } else { "passed" };
        let _ = write!(
            json,
            r#"{comma}{{"id": "basket-{feature};{scenario}", "type": "scenario", "keyword": "Scenario", "name": "keeps the total {scenario}",
            "line": {scenario}, "steps": [{{"keyword": "Given ", "name": "a basket", "line": 4, "result": {{"status": "passed", "duration": 1200}}}},
            {{"keyword": "Then ", "name": "the total is right", "line": 5, "result": {{"status": "{status}", "duration": 3400}}}}]}}"#
        );
    }
    json.push_str("]}");
}

/// With `-v`: a package of a thousand tests that print a little.
fn go_package(lines: &mut String, package: u64) {
    let mut event = |action: &str, test: &str, more: &str| {
        let _ = writeln!(
            lines,
            r#"{{"Time":"2026-11-23T10:15:30Z","Action":"{action}","Package":"example.com/shop/p{package}"{test}{more}}}"#
        );
    };
    event("start", "", "");
    for case in 0..1000 {
        let test = format!(r#","Test":"TestBasket{case}""#);
        event("run", &test, "");
        for line in ["=== RUN   TestBasket", "    basket_test.go:42: the total is right", "--- DONE: TestBasket"] {
            event("output", &test, &format!(r#","Output":"{line}\n""#));
        }
        event(if case == 7 { "fail" } else { "pass" }, &test, r#","Elapsed":0.01"#);
    }
    event("fail", "", r#","Elapsed":1.2"#);
}

/// As geninfo writes it for each test: the same files again and again.
fn lcov_file(text: &mut String, item: u64) {
    let _ = writeln!(text, "SF:/web/src/module{}/basket.c", item % 500);
    for line in 1..=200 {
        let _ = writeln!(text, "DA:{line},{}", (item + line) % 3);
    }
    text.push_str("end_of_record\n");
}

fn sarif_results(json: &mut String, item: u64) {
    for result in item * 100..item * 100 + 100 {
        if result > 0 {
            json.push_str(",\n");
        }
        let _ = write!(
            json,
            r#"{{"ruleId": "L{}", "level": "warning", "message": {{"text": "rather not {result}"}}, "locations": [{{
             "physicalLocation": {{"artifactLocation": {{"uri": "src/a.c"}}, "region": {{"startLine": {}}}}}}}]}}"#,
            result % 200,
            result % 1000 + 1
        );
    }
}

/// A report that is made while it is read.
struct Generated<'a> {
    shape: &'a Shape,
    /// Items are added until there are so many bytes.
    bytes: u64,
    part: String,
    given_of_part: usize,
    made: u64,
    items: u64,
    ended: bool,
}

impl<'a> Generated<'a> {
    fn new(shape: &'a Shape, bytes: u64) -> Self {
        let part = shape.head.to_owned();
        Generated { shape, bytes, made: part.len() as u64, part, given_of_part: 0, items: 0, ended: false }
    }

    fn make_part(&mut self) {
        self.part.clear();
        self.given_of_part = 0;
        if self.made < self.bytes {
            (self.shape.item)(&mut self.part, self.items);
            self.items += 1;
        } else if !std::mem::replace(&mut self.ended, true) {
            self.part.push_str(self.shape.foot);
        }
        self.made += self.part.len() as u64;
    }
}

impl Read for Generated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given_of_part == self.part.len() {
            self.make_part();
        }
        let mut rest = &self.part.as_bytes()[self.given_of_part..];
        let read = rest.read(buffer)?;
        self.given_of_part += read;
        Ok(read)
    }
}

/// What one process has measured.
struct Measured {
    entries: u64,
    bytes: u64,
    seconds: f64,
    peak_kb: u64,
}

/// Reads one report as the gate does and prints what it took.
fn measure_here(shape: &Shape, bytes: u64) {
    let start = Instant::now();
    let mut making = Generated::new(shape, bytes);
    io::copy(&mut making, &mut io::sink()).expect("memory does not fail");
    let making = start.elapsed();
    let mut report = Generated::new(shape, bytes);
    let start = Instant::now();
    match shape.kind {
        Kind::Tests => {
            let mut summary = Summary::default();
            test_report::read_report(
                "report",
                BufReader::with_capacity(64 << 10, &mut report),
                None,
                &Limits::default(),
                &mut summary,
            )
            .expect("is readable");
        }
        Kind::Coverage => {
            let (limits, mut merger) = (coverage_report::Limits::default(), Merger::default());
            coverage_report::read_coverage(
                "report",
                BufReader::with_capacity(64 << 10, &mut report),
                None,
                &limits,
                &mut merger,
            )
            .expect("is readable");
            assert_eq!(merger.finish().problem_count(), 0);
        }
        Kind::Sarif => {
            let (limits, mut summary) =
                (sarif_report::Limits::default(), sarif_report::Summary::keeping(Which::All, 50));
            sarif_report::read_sarif("report", BufReader::with_capacity(64 << 10, &mut report), &limits, &mut summary)
                .expect("is readable");
        }
    }
    let seconds = start.elapsed().saturating_sub(making).as_secs_f64();
    println!("{} {} {seconds} {}", report.items * shape.per_item, report.made, peak_kb());
}

/// The peak of this process's resident memory so far.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the system is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux states the peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn measure_apart(shape: usize, bytes: u64) -> Measured {
    let program = std::env::current_exe().expect("this program has a path");
    let output =
        Command::new(program).args(["--measure", &shape.to_string(), &bytes.to_string()]).output().expect("starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let fields: Vec<&str> = text.split_whitespace().collect();
    let number = |at: usize| fields[at].parse::<u64>().expect("a number");
    Measured { entries: number(0), bytes: number(1), seconds: fields[2].parse().expect("a number"), peak_kb: number(3) }
}

/// Policies for tests, from the plainest to the one in which every rule has something to do.
const POLICIES: [(&str, &str); 4] = [
    ("the default rules", "max_failed: {limit: 0, shadow: true}"),
    (
        "required and quarantined tests",
        "max_failed: {limit: 0, shadow: true},
        required: ['keeps_the_total_of_the_basket_3', '*.Suite1Test::keeps_the_total_of_the_basket_102'],
        quarantine: [{test: 'com.example.shop.checkout.Suite2Test::*', owner: web, reason: clock, until: 2030-01-01}]",
    ),
    ("a baseline", "max_failed: {limit: 0, shadow: true}, max_newly_failed: 0, max_vanished: 0, max_skipped_growth: 0"),
    (
        "every rule",
        "min_total: 100, max_failed: {limit: 0, shadow: true}, max_skipped: 10000,
        max_flaky: 5, min_pass_rate: 50, max_duration: 10h, infrastructure_failure_above: 50,
        required: ['keeps_the_total_of_the_basket_3', '*.Suite1Test::keeps_the_total_of_the_basket_102'],
        quarantine: [{test: 'com.example.shop.checkout.Suite2Test::*', owner: web, reason: clock, until: 2030-01-01}],
        max_newly_failed: 0, max_vanished: 0, max_skipped_growth: 0",
    ),
];

fn policy(rules: &str) -> TestGate {
    let text = format!("gates: {{g: {{tests: {{reports: ['*.xml'], {rules}}}}}}}");
    let config = Config::parse("stagegate.yaml", &text).expect("is valid");
    config.gate("g").expect("is there").test().expect("is there").clone()
}

fn judge_report(policy: &TestGate, report: &[u8], around: Circumstances<'_>) -> Judged {
    let mut evidence = Evidence::new(policy, TODAY).expect("knows its formats");
    evidence.matched(Kind::Tests, 0);
    let reading = evidence.read(Kind::Tests, Some(0), "report".to_owned(), None, report);
    assert_eq!(reading, Reading::Done);
    judge("g", policy, evidence, around, Timestamp::UNIX_EPOCH)
}

/// Prints how long reading the report of 120,000 tests takes, and judging it by each policy: the fastest of runs that
/// alternate.
fn compare_judging_with_reading() {
    let (shape, mut report) = (&SHAPES[0], String::from(SHAPES[0].head));
    (0..CASES / shape.per_item).for_each(|suite| (shape.item)(&mut report, suite));
    report.push_str(shape.foot);
    let policies = POLICIES.map(|(_, rules)| policy(rules));
    let before = policies.each_ref().map(|policy| judge_report(policy, report.as_bytes(), Circumstances::default()));
    let (mut judging, mut reading) = ([Duration::MAX; POLICIES.len()], Duration::MAX);
    for _ in 0..20 {
        for (number, policy) in policies.iter().enumerate() {
            let around = Circumstances { baseline: Some(&before[number].baseline), ..Circumstances::default() };
            let start = Instant::now();
            let judged = judge_report(policy, report.as_bytes(), around);
            judging[number] = judging[number].min(start.elapsed());
            assert_eq!(judged.verdict.outcome(), Outcome::Passed, "{}", judged.verdict.summary());
        }
        let start = Instant::now();
        let mut summary = Summary::default();
        test_report::read_report("report", report.as_bytes(), None, &Limits::default(), &mut summary)
            .expect("is readable");
        reading = reading.min(start.elapsed());
        assert_eq!(summary.tests().total, CASES);
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{CASES} tests in {:.1} MB: reading takes {:.1} ms", report.len() as f64 / 1e6, ms(reading));
    for ((name, _), judging) in POLICIES.iter().zip(judging) {
        println!("by {name}: {:.1} ms; judging / reading = {:.2}", ms(judging), ms(judging) / ms(reading));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [flag, shape, bytes] = &arguments[..]
        && flag == "--measure"
    {
        measure_here(&SHAPES[shape.parse::<usize>().expect("a number")], bytes.parse().expect("a number"));
        return;
    }
    if arguments.iter().any(|argument| argument == "judging") {
        compare_judging_with_reading();
        return;
    }
    println!("| report | size | tests, lines or results | seconds | MB/s | peak MB |");
    println!("|---|---:|---:|---:|---:|---:|");
    let mut ratios = Vec::new();
    for (number, shape) in SHAPES.iter().enumerate() {
        let mut peaks = Vec::new();
        for (bytes, size) in SIZES {
            let Measured { entries, bytes, seconds, peak_kb } = measure_apart(number, bytes);
            let (speed, peak) = (bytes as f64 / 1e6 / seconds, peak_kb as f64 / 1024.0);
            println!("| {} | {size} | {entries} | {seconds:.3} | {speed:.0} | {peak:.1} |", shape.name);
            peaks.push(peak);
        }
        ratios.push((shape.name, peaks[peaks.len() - 1] / peaks[0]));
    }
    for (name, ratio) in ratios {
        println!("{name}: peak at 1 GB / peak at 1 MB = {ratio:.2}");
    }
    compare_judging_with_reading();
}
