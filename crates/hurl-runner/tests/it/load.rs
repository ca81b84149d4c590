//! What is refused when a file is loaded, and where.

use stagegate_hurl_runner::HurlFile;

fn problems(source: &str) -> Vec<(usize, String)> {
    match HurlFile::parse("f.hurl", source.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems.into_iter().map(|problem| (problem.line, problem.title)).collect(),
    }
}

#[test]
fn what_is_not_supported_is_refused_with_its_line() {
    for (text, line, title) in [
        ("[Options]\nproxy: localhost:3128\nHTTP 200", 3, "Unsupported option"),
        ("[Options]\ndigest: true\nHTTP 200", 3, "Unsupported option"),
        ("[Options]\nntlm: true\nHTTP 200", 3, "Unsupported option"),
        ("[Options]\nnegotiate: {{x}}\nHTTP 200", 3, "Unsupported option"),
        ("[Options]\nnetrc: true\nHTTP 200", 3, "Unsupported option"),
        ("[Options]\nnetrc-optional: true\nHTTP 200", 3, "Unsupported option"),
        ("[Options]\nhttp3: true\nHTTP 200", 3, "Unsupported option"),
        ("[Options]\npinnedpubkey: a\nHTTP 200", 3, "Unsupported option"),
        ("[Options]\nunix-socket: a\nHTTP 200", 3, "Unsupported option"),
        ("HTTP/3 200", 2, "Unsupported version"),
        ("HTTP 200\n[Asserts]\nxpath \"//a[\" exists", 4, "Invalid XPath expression"),
        ("HTTP 200\n[Asserts]\nxpath \"matches(//a, 'x')\" exists", 4, "Invalid XPath expression"),
        ("HTTP 200\n[Captures]\nx: body xpath \"$v\"", 4, "Invalid XPath expression"),
        ("HTTP 200\n[Asserts]\njsonpath \"$.a[\" exists", 4, "Invalid JSONPath"),
        ("HTTP 200\n[Asserts]\nregex \"(\" exists", 4, "Invalid regex"),
        ("HTTP 200\n[Asserts]\nbody matches \"(\"", 4, "Invalid regex"),
        ("HTTP 200\n[Asserts]\nbody == ", 4, "Parsing predicate value"),
        ("<a><b></a>\nHTTP 200", 2, "Parsing XML"),
    ] {
        assert_eq!(problems(&format!("GET http://a\n{text}\n")), [(line, title.to_owned())], "{text}");
    }
}

#[test]
fn every_refusal_is_told() {
    let source = "GET http://a\n[Options]\nproxy: b\nHTTP 200\n[Asserts]\nxpath \"//[\" exists\n";
    let error = HurlFile::parse("smoke/a.hurl", source.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "smoke/a.hurl:3:1: Unsupported option: the option proxy is not supported: connections are opened directly, so that \
         their addresses can be checked\nsmoke/a.hurl:6:7: Invalid XPath expression: expected a name or a node test"
    );
}

#[test]
fn options_that_switch_off_what_is_not_supported_are_accepted() {
    for option in [
        "digest: false",
        "http3: false",
        "netrc: false",
        "netrc: true\nnetrc-file: a",
        "verbose: true",
        "fail-with-body: true",
    ] {
        assert_eq!(problems(&format!("GET http://a\n[Options]\n{option}\nHTTP 200\n")), [], "{option}");
    }
}

#[test]
fn hostile_files_are_refused() {
    for (source, line) in [
        (format!("POST http://a\n{}", "[".repeat(100_000)), 2),
        (format!("POST http://a\n{}1{}\nHTTP 200", "{\"a\":".repeat(5000), "}".repeat(5000)), 2),
        ("x".repeat(2 * 1024 * 1024), 0),
        (format!("POST http://a\n{}", "<a>".repeat(100_000)), 2),
    ] {
        assert_eq!(problems(&source)[0].0, line);
    }
    let nested = format!("POST http://a\n{}1{}\nHTTP 200\n", "[".repeat(100), "]".repeat(100));
    assert_eq!(problems(&nested), []);
    let error = HurlFile::parse("f", b"GET http://a\nX: \xff\n").unwrap_err();
    assert_eq!(error.problems[0].line, 2);
    assert_eq!(HurlFile::parse("f", b"\xef\xbb\xbfGET http://a\n").unwrap().entries(), 1);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in "(?s)(GET|POST|HTTP|\\[Asserts\\]|xpath|jsonpath|body|\"|'|\\$|/|\\{|\\}|\\[|\\]|<a>|&|;|```|[a-z0-9 .:\n]){0,60}") {
        let _ = HurlFile::parse("f", format!("GET http://a\n{text}").as_bytes());
    }
}
