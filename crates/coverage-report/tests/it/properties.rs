//! What holds for every report.

use std::fmt::Write;

use coverage_report::{Count, Coverage, Format, Limits, Merged, Merger, read_coverage};
use proptest::prelude::*;

/// A report about a few small files, so that reports overlap.
#[derive(Debug, Clone)]
struct Report {
    lines: Vec<(u8, u8, bool)>,
    branches: Vec<(u8, u8, u8, bool)>,
}

fn report() -> impl Strategy<Value = Report> {
    let lines = prop::collection::vec((0u8..3, 1u8..12, any::<bool>()), 0..30);
    let branches = prop::collection::vec((0u8..3, 1u8..12, 0u8..3, any::<bool>()), 0..20);
    (lines, branches).prop_map(|(mut lines, branches)| {
        // A line with branches is a line.
        lines.extend(branches.iter().map(|(file, line, ..)| (*file, *line, false)));
        Report { lines, branches }
    })
}

impl Report {
    fn lcov(&self) -> String {
        let mut text = String::from("TN:\n");
        for file in 0..3 {
            writeln!(text, "SF:src/{file}.c").unwrap();
            for (_, line, covered) in self.lines.iter().filter(|(of, ..)| *of == file) {
                writeln!(text, "DA:{line},{}", u8::from(*covered)).unwrap();
            }
            for (_, line, branch, covered) in self.branches.iter().filter(|(of, ..)| *of == file) {
                writeln!(text, "BRDA:{line},0,{branch},{}", u8::from(*covered)).unwrap();
            }
            text.push_str("end_of_record\n");
        }
        text
    }

    fn cobertura(&self) -> String {
        let mut text = String::from("<coverage><packages>");
        for file in 0..3 {
            write!(text, "<class filename='src/{file}.c'><lines>").unwrap();
            for (_, line, covered) in self.lines.iter().filter(|(of, ..)| *of == file) {
                let branches: Vec<_> = self.branches.iter().filter(|(of, at, ..)| of == &file && at == line).collect();
                write!(text, "<line number='{line}' hits='{}'", u8::from(*covered)).unwrap();
                if !branches.is_empty() {
                    let covered = branches.iter().filter(|(.., covered)| *covered).count();
                    let total = branches.len();
                    write!(text, " branch='true' condition-coverage='0% ({covered}/{total})'").unwrap();
                }
                text.push_str("/>");
            }
            text.push_str("</lines></class>");
        }
        text.push_str("</packages></coverage>");
        text
    }

    fn go(&self) -> String {
        let mut text = String::from("mode: count\n");
        for (file, line, covered) in &self.lines {
            writeln!(text, "src/{file}.go:{line}.1,{line}.9 {line} {}", u8::from(*covered)).unwrap();
        }
        text
    }

    fn in_all_formats(&self) -> [String; 3] {
        [self.lcov(), self.cobertura(), self.go()]
    }
}

fn merger(reports: &[&str]) -> Merger {
    let mut merger = Merger::default();
    for report in reports {
        read_coverage("report", report.as_bytes(), None, &Limits::default(), &mut merger).unwrap();
    }
    merger
}

fn told(merged: &Merged) -> (Coverage, Vec<(String, Coverage, Vec<u32>)>) {
    let files = merged.files().map(|file| (file.path().to_owned(), file.coverage(), file.uncovered_lines().collect()));
    (merged.coverage(), files.collect())
}

fn is_greener(one: Count, other: Count) -> bool {
    u128::from(one.covered) * u128::from(other.total) > u128::from(other.covered) * u128::from(one.total)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn merging_is_commutative_associative_and_idempotent(a in report(), b in report(), c in report()) {
        for ((a, b), c) in a.in_all_formats().iter().zip(&b.in_all_formats()).zip(&c.in_all_formats()) {
            let all = told(&merger(&[a, b, c]).finish());
            prop_assert_eq!(&all, &told(&merger(&[c, a, b]).finish()));
            prop_assert_eq!(&all, &told(&merger(&[a, b, c, b, a]).finish()));
            let (mut left, right) = (merger(&[a]), merger(&[b, c]));
            left.absorb(&right);
            prop_assert_eq!(&all, &told(&left.finish()));
        }
    }

    /// Whatever is the union of two reports has at least what each of them has covered, and no more than both.
    #[test]
    fn a_union_lies_between_its_parts_and_their_sum(a in report(), b in report()) {
        for (a, b) in a.in_all_formats().iter().zip(&b.in_all_formats()) {
            let [a, b, both] = [merger(&[a]), merger(&[b]), merger(&[a, b])].map(|merger| merger.finish().coverage());
            for of in [|coverage: Coverage| coverage.line, |coverage: Coverage| coverage.branch] {
                let (a, b, both) = (of(a), of(b), of(both));
                prop_assert!(both.covered >= a.covered.max(b.covered) && both.covered <= a.covered + b.covered);
                prop_assert!(both.total >= a.total.max(b.total) && both.total <= a.total + b.total);
                prop_assert!(both.covered <= both.total);
            }
        }
    }

    #[test]
    fn more_that_is_not_covered_is_never_greener(given in report(), file in 0u8..3, line in 1u8..12) {
        let mut more = given.clone();
        more.lines.push((file, line, false));
        more.branches.push((file, line, 1, false));
        for (given, more) in given.in_all_formats().iter().zip(&more.in_all_formats()) {
            let (given, more) = (merger(&[given]).finish().coverage(), merger(&[more]).finish().coverage());
            prop_assert!(!is_greener(more.line, given.line), "{more:?} {given:?}");
            prop_assert!(!is_greener(more.branch, given.branch), "{more:?} {given:?}");
        }
    }

}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), format in prop::sample::select(Format::ALL)) {
        let _ = read_coverage("report", &bytes[..], Some(format), &Limits::default(), &mut Merger::default());
        let _ = read_coverage("report", &bytes[..], None, &Limits::default(), &mut Merger::default());
    }

    /// Fixtures with a few bytes changed reach deeper than noise does.
    #[test]
    fn damage_never_panics(
        fixture in prop::sample::select(FIXTURES),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (format, text) = fixture;
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut merger = Merger::default();
        let _ = read_coverage("report", &bytes[..], Some(format), &Limits::default(), &mut merger);
        let coverage = merger.finish().coverage();
        prop_assert!(coverage.line.covered <= coverage.line.total && coverage.branch.covered <= coverage.branch.total);
    }
}

const FIXTURES: &[(Format, &str)] = &[
    (Format::Lcov, include_str!("fixtures/lcov/v2.info")),
    (Format::Cobertura, include_str!("fixtures/cobertura/inner-classes.xml")),
    (Format::JaCoCo, include_str!("fixtures/jacoco/one-module.xml")),
    (Format::Clover, include_str!("fixtures/clover/openclover.xml")),
    (Format::SimpleCov, include_str!("fixtures/simplecov/resultset.json")),
    (Format::Istanbul, include_str!("fixtures/istanbul/by-hand.json")),
    (Format::IstanbulSummary, include_str!("fixtures/istanbul-summary/two-files.json")),
    (Format::LlvmCov, include_str!("fixtures/llvm-cov/export.json")),
    (Format::OpenCover, include_str!("fixtures/opencover/opencover.xml")),
    (Format::GoCover, include_str!("fixtures/go-cover/set.out")),
];
