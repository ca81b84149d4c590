//! The JUnit reader beside a bare pass of quick-xml that looks at every attribute, over the same report of 16 MB.
//!
//! The last line of the output is the ratio of their speeds, from runs that alternate between the two.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use quick_xml::Reader;
use quick_xml::events::Event;
use test_report::{Limits, Summary, read_report};

const CASES: usize = 120_000;

/// A report as Surefire writes it: one in forty tests failed, one in thirty skipped, some suites with output.
fn report() -> String {
    let mut xml = String::with_capacity(17 << 20);
    xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"all\">\n");
    for first in (0..CASES).step_by(100) {
        let suite = first / 100;
        let bad = (first..first + 100).filter(|case| case % 40 == 7).count();
        let skipped = (first..first + 100).filter(|case| case % 30 == 11 && case % 40 != 7).count();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"com.example.shop.checkout.Suite{suite}Test\" tests=\"100\" failures=\"{bad}\" errors=\"0\" \
             skipped=\"{skipped}\" time=\"1.204\" timestamp=\"2026-11-23T10:15:30\" hostname=\"build-7\">"
        );
        for case in first..first + 100 {
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
        if suite % 10 == 0 {
            xml.push_str("    <system-out><![CDATA[");
            for line in 0..20 {
                let _ = writeln!(xml, "10:15:30.{line:03} INFO  com.example.shop.checkout.Basket - total is {line}");
            }
            xml.push_str("]]></system-out>\n");
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn read(xml: &str) -> u64 {
    let mut summary = Summary::default();
    let facts = read_report("bench.xml", xml.as_bytes(), None, &Limits::default(), &mut summary).expect("is readable");
    assert_eq!((facts.cases, summary.problem_count()), (CASES as u64, 0));
    summary.tests().failed
}

fn bare(xml: &str) -> u64 {
    let mut reader = Reader::from_str(xml);
    let mut attributes = 0;
    loop {
        match reader.read_event().expect("is well formed") {
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    let attribute = attribute.expect("is well formed");
                    attributes += 1;
                    black_box((attribute.key, attribute.value));
                }
            }
            Event::Eof => return attributes,
            event => {
                black_box(event);
            }
        }
    }
}

fn time(pass: fn(&str) -> u64, xml: &str) -> Duration {
    let start = Instant::now();
    black_box(pass(black_box(xml)));
    start.elapsed()
}

/// The fastest of runs that alternate: what else the machine does can only make a run slower.
fn ratio(xml: &str) -> f64 {
    let [mut fastest_bare, mut fastest_read] = [Duration::MAX; 2];
    for _ in 0..40 {
        fastest_bare = fastest_bare.min(time(bare, xml));
        fastest_read = fastest_read.min(time(read, xml));
    }
    fastest_bare.as_secs_f64() / fastest_read.as_secs_f64()
}

fn main() {
    let xml = report();
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut group = criterion.benchmark_group("junit");
    group.throughput(Throughput::Bytes(xml.len() as u64));
    group.bench_function("bare quick-xml pass", |bencher| bencher.iter(|| bare(black_box(&xml))));
    group.bench_function("test-report", |bencher| bencher.iter(|| read(black_box(&xml))));
    group.finish();
    criterion.final_summary();
    println!("{:.1} MB, {CASES} tests; junit reader / bare pass = {:.2}", xml.len() as f64 / 1e6, ratio(&xml));
}
