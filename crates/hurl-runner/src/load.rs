//! Reads a Hurl file, and refuses at once what can not be run as it is written.

use std::fmt;
use std::path::Path;

use hurl_core::ast::{
    BooleanOption, Entry, Filter, FilterValue, HurlFile as Ast, OptionKind, PredicateFuncValue, PredicateValue, Query,
    QueryValue, RegexValue, SourceInfo, Template, TemplateElement, VersionValue, Whitespace,
};
use hurl_core::error::DisplaySourceError as _;
use hurl_core::reader::Pos;
use hurl_core::text::Format;

use crate::jsonpath;
use crate::xpath;

/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The deepest nesting of brackets. The parser of JSON bodies recurses, and the file is not trusted.
const DEPTH_MAX: usize = 128;

/// A Hurl file that can be run.
#[derive(Clone, Debug)]
pub struct HurlFile {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) ast: Ast,
}

impl HurlFile {
    /// Reads a file from disk. It is reported under its path.
    ///
    /// # Errors
    ///
    /// [`LoadError`] where the file can not be read or is longer than 1 MiB, and as [`Self::parse`].
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        use std::io::Read as _;
        let name = path.display().to_string();
        let failed = |message: String| LoadError::new(&name, vec![Problem::without_place("File read access", message)]);
        let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
        Self::parse(&name, &bytes)
    }

    /// Reads a file from memory; `name` is what it is called in reports.
    ///
    /// # Errors
    ///
    /// [`LoadError`] where the file is longer than 1 MiB, is not UTF-8, is not a Hurl file, or asks for something that
    /// is not supported. It names every line that is.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        let failed =
            |title, message: &str| LoadError::new(name, vec![Problem::without_place(title, message.to_owned())]);
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(failed("File too long", "the file is longer than 1 MiB"));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let source = match std::str::from_utf8(bytes) {
            Ok(source) => source.to_owned(),
            Err(error) => {
                let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
                let problem =
                    Problem { line, ..Problem::without_place("Invalid UTF-8", "the file is not UTF-8".to_owned()) };
                return Err(LoadError::new(name, vec![problem]));
            }
        };
        if let Some(line) = too_deep(&source) {
            let message = format!("brackets nest more than {DEPTH_MAX} levels deep");
            let problem = Problem { line, ..Problem::without_place("Too much nesting", message) };
            return Err(LoadError::new(name, vec![problem]));
        }
        let ast = hurl_core::parser::parse_hurl_file(&source).map_err(|error| {
            let lines: Vec<&str> = source.lines().collect();
            let hint = error.fixme(&lines).to_string(Format::Plain);
            let hint = hint.trim_start_matches([' ', '\n', '^']).trim_end().to_owned();
            LoadError::new(name, vec![Problem::new(&source, error.pos, error.description(), hint)])
        })?;
        let mut check = Check { source: &source, problems: Vec::new() };
        ast.entries.iter().for_each(|entry| check.entry(entry));
        if check.problems.is_empty() {
            Ok(Self { name: name.to_owned(), source, ast })
        } else {
            Err(LoadError::new(name, check.problems))
        }
    }

    /// The name under which the file is reported.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of entries.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.ast.entries.len()
    }
}

/// The line at which brackets nest too deeply. Each entry begins anew, since brackets in text need not be closed.
fn too_deep(source: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, line) in source.lines().enumerate() {
        let is_head = line.split_once(' ').is_some_and(|(word, _)| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'/' | b'.' | b'1' | b'2'))
        });
        if is_head {
            depth = 0;
        }
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEPTH_MAX {
                return Some(index + 1);
            }
        }
    }
    None
}

/// What is wrong with one place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; 0 where the problem is with the file as a whole.
    pub line: usize,
    /// The column, from 1; 0 where the problem is with the line as a whole.
    pub column: usize,
    /// The headline: `Parsing XML`.
    pub title: String,
    /// What to do about it.
    pub message: String,
    /// The line of the file.
    pub source: String,
}

impl Problem {
    fn new(source: &str, at: Pos, title: String, message: String) -> Self {
        let line = source.lines().nth(at.line.saturating_sub(1)).unwrap_or_default().to_owned();
        Self { line: at.line, column: at.column, title, message, source: line }
    }

    fn without_place(title: &str, message: String) -> Self {
        Self { line: 0, column: 0, title: title.to_owned(), message, source: String::new() }
    }
}

/// A file that can not be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The name of the file.
    pub file: String,
    /// What is wrong, in the order of the file; at least one problem.
    pub problems: Vec<Problem>,
}

impl LoadError {
    fn new(file: &str, problems: Vec<Problem>) -> Self {
        Self { file: file.to_owned(), problems }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}", self.file)?;
            if problem.line > 0 {
                write!(f, ":{}", problem.line)?;
            }
            if problem.column > 0 {
                write!(f, ":{}", problem.column)?;
            }
            write!(f, ": {}: {}", problem.title, problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

/// Collects what the runner does not support, and expressions that can never be evaluated.
struct Check<'s> {
    source: &'s str,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn refuse(&mut self, at: SourceInfo, title: &str, message: String) {
        self.problems.push(Problem::new(self.source, at.start, title.to_owned(), message));
    }

    fn entry(&mut self, entry: &Entry) {
        let options = entry.request.options();
        let has_netrc = options.iter().any(|option| matches!(option.kind, OptionKind::NetRcFile(_)));
        for option in options {
            if let Some(reason) = unsupported(&option.kind, has_netrc) {
                let message = format!("the option {} is not supported: {reason}", option.kind.identifier());
                self.refuse(option.space0.source_info, "Unsupported option", message);
            }
        }
        let Some(response) = &entry.response else { return };
        if response.version.value == VersionValue::Version3 {
            let message = "HTTP/3 is not supported: no response can have this version".to_owned();
            self.refuse(response.version.source_info, "Unsupported version", message);
        }
        for capture in response.captures() {
            self.query(&capture.query);
            self.filters(&capture.filters);
        }
        for assert in response.asserts() {
            self.query(&assert.query);
            self.filters(&assert.filters);
            if let PredicateFuncValue::Match { value: PredicateValue::String(pattern), .. } =
                &assert.predicate.predicate_func.value
            {
                self.regex_text(pattern);
            }
        }
    }

    fn query(&mut self, query: &Query) {
        match &query.value {
            QueryValue::Xpath { expr, .. } => self.xpath(expr),
            QueryValue::Jsonpath { expr, .. } => self.jsonpath(expr),
            QueryValue::Regex { value, .. } => self.regex(value),
            _ => {}
        }
    }

    fn filters(&mut self, filters: &[(Whitespace, Filter)]) {
        for (_, filter) in filters {
            match &filter.value {
                FilterValue::XPath { expr, .. } => self.xpath(expr),
                FilterValue::JsonPath { expr, .. } => self.jsonpath(expr),
                FilterValue::Regex { value, .. } | FilterValue::ReplaceRegex { pattern: value, .. } => {
                    self.regex(value)
                }
                _ => {}
            }
        }
    }

    fn xpath(&mut self, template: &Template) {
        if let Some(Err(reason)) = literal(template).map(|text| xpath::check(&text)) {
            self.refuse(template.source_info, "Invalid XPath expression", reason);
        }
    }

    fn jsonpath(&mut self, template: &Template) {
        if let Some(Err(error)) = literal(template).map(|text| jsonpath::Path::parse(&text)) {
            self.refuse(template.source_info, "Invalid JSONPath", error.to_string());
        }
    }

    fn regex(&mut self, value: &RegexValue) {
        if let RegexValue::Template(template) = value {
            self.regex_text(template);
        }
    }

    fn regex_text(&mut self, template: &Template) {
        if literal(template).is_some_and(|text| regex::Regex::new(&text).is_err()) {
            self.refuse(template.source_info, "Invalid regex", "regex expression is not valid".to_owned());
        }
    }
}

/// The text of a template without placeholders.
fn literal(template: &Template) -> Option<String> {
    let texts = template.elements.iter().map(|element| match element {
        TemplateElement::String { value, .. } => Some(value.as_str()),
        TemplateElement::Placeholder(_) => None,
    });
    texts.collect()
}

/// Why an option can not be followed.
fn unsupported(option: &OptionKind, has_netrc: bool) -> Option<&'static str> {
    let unless_false = |value: &BooleanOption, reason| (*value != BooleanOption::Literal(false)).then_some(reason);
    match option {
        OptionKind::Digest(value) | OptionKind::Ntlm(value) | OptionKind::Negotiate(value) => {
            unless_false(value, "use basic authentication, a bearer token or aws-sigv4")
        }
        OptionKind::Http3(value) => unless_false(value, "use http2"),
        // With netrc-file, both say nothing more.
        OptionKind::NetRc(value) | OptionKind::NetRcOptional(value) if !has_netrc => {
            unless_false(value, "there is no home folder; name the file with netrc-file")
        }
        OptionKind::PinnedPublicKey(_) => Some("trust the certificate with cacert, or assert on the certificate"),
        OptionKind::Proxy(_) => Some("connections are opened directly, so that their addresses can be checked"),
        OptionKind::UnixSocket(_) => Some("connections are opened to addresses only"),
        _ => None,
    }
}
