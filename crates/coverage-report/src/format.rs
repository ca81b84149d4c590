//! The formats by name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

macro_rules! formats {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal $(| $alias:literal)*,)+) => {
        /// A format of coverage reports.
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
    /// LCOV tracefiles, versions 1 and 2 (geninfo, llvm-cov, Istanbul, coverage.py, ...).
    Lcov = "lcov",
    /// Cobertura XML.
    Cobertura = "cobertura" | "COBERTURAXML",
    /// JaCoCo XML.
    JaCoCo = "jacoco" | "JACOCOXML",
    /// Clover XML (OpenClover, Istanbul, PHPUnit).
    Clover = "clover" | "CLOVERXML",
    /// SimpleCov: `.resultset.json`, `coverage.json`, and the older simplecov-json.
    SimpleCov = "simplecov" | "SIMPLECOV",
    /// Istanbul's `coverage-final.json`.
    Istanbul = "istanbul" | "nyc",
    /// Istanbul's `coverage-summary.json`: counters only.
    IstanbulSummary = "istanbul-summary" | "json-summary",
    /// JSON of `llvm-cov export`.
    LlvmCov = "llvm-cov" | "llvm",
    /// OpenCover XML (OpenCover, coverlet).
    OpenCover = "opencover",
    /// Go cover profiles.
    GoCover = "go-cover" | "gocover" | "coverprofile",
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no format's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("know the coverage format `{name}`; known are {}", known())]
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
        let error = "gcov".parse::<Format>().unwrap_err().to_string();
        assert!(error.starts_with("know the coverage format `gcov`; known are lcov, cobertura,"), "{error}");
    }
}
