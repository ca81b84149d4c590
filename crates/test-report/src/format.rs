//! The formats by name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

macro_rules! formats {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal $(| $alias:literal)*,)+) => {
        /// A format of test reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Format {
            /// Every format, in the order of the documentation.
            pub const ALL: &'static [Format] = &[$(Format::$variant,)+];

            /// The name of the format in configuration and output.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Format::$variant => $name,)+ }
            }

            fn names(self) -> &'static [&'static str] {
                match self { $(Format::$variant => &[$name $(, $alias)*],)+ }
            }
        }
    };
}

// The aliases in capitals are the values of `file-format` in a CodeBuild buildspec (AWS CodeBuild guide).
formats! {
    /// JUnit XML in all its dialects (Ant, Surefire, Gradle, pytest, jest-junit, googletest, PHPUnit, ...).
    JUnit = "junit" | "JUNITXML" | "junit-xml" | "phpunit" | "surefire",
    /// NUnit 2 XML.
    NUnit2 = "nunit2" | "NUNITXML" | "nunit",
    /// NUnit 3 XML.
    NUnit3 = "nunit3" | "NUNIT3XML",
    /// TestNG XML (`testng-results.xml`).
    TestNg = "testng" | "TESTNGXML",
    /// Visual Studio test results (TRX).
    Trx = "trx" | "VISUALSTUDIOTRX",
    /// xUnit.net XML, versions 1 to 3.
    XUnit = "xunit" | "xunit.net",
    /// Cucumber JSON.
    Cucumber = "cucumber" | "CUCUMBERJSON",
    /// Common Test Report Format (CTRF) JSON.
    Ctrf = "ctrf",
    /// Test Anything Protocol, versions 12 to 14.
    Tap = "tap",
    /// Events of `go test -json` (test2json), as gotestsum keeps them too.
    GoTest = "go-test" | "test2json" | "gotestsum",
    /// JSON events of Rust's libtest, as cargo-nextest writes them too.
    Libtest = "libtest",
    /// JSON events of the Dart and Flutter test runner.
    Dart = "dart" | "flutter",
    /// JSON of mocha's `json` reporter.
    Mocha = "mocha",
    /// JSON of RSpec's `json` formatter.
    RSpec = "rspec",
    /// JSON of googletest (`--gtest_output=json`). Its XML is read as JUnit.
    GoogleTest = "googletest" | "gtest",
    /// CTest dashboard XML (`Test.xml`).
    CTest = "ctest",
    /// Boost.Test XML, log or report.
    Boost = "boost",
    /// CppUnit XML.
    CppUnit = "cppunit",
    /// CUnit XML (`CUnitAutomated-Results.xml`).
    CUnit = "cunit",
    /// Qt Test XML.
    QtTest = "qttest" | "qtest",
    /// TestDox XML of PHPUnit. Its ordinary log is read as JUnit.
    PhpUnit = "phpunit-testdox",
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no format's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("know the report format `{name}`; known are {}", known())]
pub struct UnknownFormat {
    /// The name as given.
    pub name: String,
}

fn known() -> String {
    Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Format {
    type Err = UnknownFormat;

    /// Reads a format's name or alias, without regard to case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Format::ALL
            .iter()
            .copied()
            .find(|format| format.names().iter().any(|known| known.eq_ignore_ascii_case(name)))
            .ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_belongs_to_one_format() {
        for format in Format::ALL {
            for name in format.names() {
                assert_eq!(name.parse(), Ok(*format), "{name}");
                assert_eq!(name.to_ascii_uppercase().parse(), Ok(*format), "{name}");
            }
        }
        let error = "junit5".parse::<Format>().unwrap_err().to_string();
        assert!(error.starts_with("know the report format `junit5`; known are junit, nunit2,"), "{error}");
    }
}
