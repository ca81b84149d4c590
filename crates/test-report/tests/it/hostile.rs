//! What a report may try: each is answered by a clear error, soon and in little memory.

use std::io::{BufReader, Read};
use std::time::{Duration, Instant};

use test_report::{ErrorKind, Limits, Summary, read_report};

/// A beginning, a part that is repeated, and an end; never in memory as a whole.
struct Endless<'a> {
    parts: [&'a [u8]; 3],
    repeat: u64,
    part: usize,
    at: usize,
}

fn endless<'a>(start: &'a str, repeated: &'a str, repeat: u64, end: &'a str) -> Endless<'a> {
    Endless { parts: [start.as_bytes(), repeated.as_bytes(), end.as_bytes()], repeat, part: 0, at: 0 }
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && self.part < 3 {
            let rest = &self.parts[self.part][self.at..];
            let length = rest.len().min(buffer.len() - filled);
            buffer[filled..filled + length].copy_from_slice(&rest[..length]);
            filled += length;
            self.at += length;
            if self.at == self.parts[self.part].len() {
                self.at = 0;
                if self.part == 1 && self.repeat > 1 {
                    self.repeat -= 1;
                } else {
                    self.part += 1;
                }
            }
        }
        Ok(filled)
    }
}

/// The time is generous for unoptimised code on a busy machine; the bound is 5 s for optimised code.
fn check(what: &str, input: Endless<'_>, expected: Result<u64, (ErrorKind, &str)>) {
    let start = Instant::now();
    let mut summary = Summary::default();
    let read = read_report("hostile.xml", BufReader::new(input), None, &Limits::default(), &mut summary);
    match (read, expected) {
        (Ok(facts), Ok(cases)) => assert_eq!(facts.cases, cases, "{what}"),
        (Err(error), Err((kind, part))) => {
            assert_eq!(error.kind(), kind, "{what}: {error}");
            assert!(error.to_string().contains(part), "{what}: {error}");
            assert!(error.to_string().len() < 400, "{what}: {error}");
        }
        (read, _) => panic!("{what}: {read:?}"),
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(60), "{what} took {took:?}");
}

#[test]
fn depth_and_width() {
    use ErrorKind::{Forbidden, Limit};
    check(
        "nested suites",
        endless("<testsuites>", "<testsuite name='a'>", 1_000_000, ""),
        Err((Limit, "nested more than 100 deep")),
    );
    check(
        "nested unknown elements",
        endless("<testsuites>", "<a>", 1_000_000, ""),
        Err((Limit, "nested more than 100 deep")),
    );
    check("one attribute 80,000 times", endless("<testsuite", " a='1'", 80_000, "/>"), {
        Err((ErrorKind::Malformed, "`a` stands twice"))
    });
    let mut attributes = String::new();
    for number in 0..80_000 {
        attributes.push_str(&format!(" a{number}='{number}'"));
    }
    check(
        "80,000 attributes",
        endless("<testsuite>", &format!("<testcase{attributes}/>"), 1, "</testsuite>"),
        Err((Limit, "more than 256 attributes")),
    );
    check(
        "a tag without end",
        endless("<testsuite><testcase name='", "0123456789", 10_000_000, "'/></testsuite>"),
        Err((Limit, "a tag or declaration of more than 4194304 bytes")),
    );
    check(
        "an entity bomb",
        endless(
            "<!DOCTYPE a [<!ENTITY l0 'lol'>",
            "<!ENTITY l1 '&l0;&l0;&l0;&l0;'>",
            9,
            "]><testsuite>&l1;</testsuite>",
        ),
        Err((Forbidden, "declares entities")),
    );
    check(
        "an external entity",
        endless("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>", "<testsuite name='&x;'/>", 1, ""),
        Err((Forbidden, "declares entities")),
    );
    check(
        "parameter entities",
        endless("<!DOCTYPE a [", "<!ENTITY % x SYSTEM 'http://127.0.0.1/'> %x;", 1, "]><testsuite/>"),
        Err((Forbidden, "declares entities")),
    );
    check(
        "a document type without end",
        endless("<testsuite/>", "<!DOCTYPE a [ <!ELEMENT a ANY>", 1, "    "),
        Err((ErrorKind::Truncated, "within the document type")),
    );
}

#[test]
fn depth_of_json_and_length_of_lines() {
    use ErrorKind::{Limit, Unrecognised};
    let deep = Err((Limit, "values are nested more than 100 deep"));
    check("arrays in CTRF", endless(r#"{"results": {"tool": {"name": "a"}, "tests": "#, "[", 1_000_000, ""), deep);
    check(
        "arrays that nobody reads",
        endless(r#"{"results": {"tool": {"name": "a"}, "x": "#, "[", 1_000_000, "]"),
        deep,
    );
    check("objects", endless("", "{\"a\":", 1_000_000, ""), Err((Unrecognised, "no known report format")));
    let long = Err((Limit, "a line of more than 4194304 bytes"));
    let gigabyte = 100_000_000;
    check("a line of 1 GB in TAP", endless("TAP version 14\n1..1\nok 1 - ", "0123456789", gigabyte, "\n"), long);
    let event = "{\"Action\":\"start\",\"Package\":\"p\"}\n{\"Action\":\"output\",\"Package\":\"p\",\"Output\":\"";
    check("a line of 1 GB of go test", endless(event, "0123456789", gigabyte, "\"}\n"), long);
    let tag = Err((Limit, "a tag or declaration of more than 4194304 bytes"));
    check("an attribute of 1 GB", endless("<testsuite><testcase name='", "0123456789", gigabyte, "'/>"), tag);
}

/// An error goes into the summary of a job, which has little room.
#[test]
fn errors_do_not_repeat_long_names() {
    let name = "n".repeat(60_000);
    for report in [format!("<{name}/>"), format!("<testsuite><{name}></testsuite>"), format!("<testsuite>&{name};")] {
        let error = read_report("report", report.as_bytes(), None, &Limits::default(), &mut Summary::default());
        let error = error.unwrap_err().to_string();
        assert!(error.len() < 1100, "{} bytes: {error}", error.len());
    }
}

#[test]
fn long_texts_are_read_and_not_kept() {
    check(
        "a long output",
        endless(
            "<testsuite><system-out>",
            "0123456789 &amp;\n",
            2_000_000,
            "</system-out><testcase name='a'/></testsuite>",
        ),
        Ok(1),
    );
    check(
        "a long CDATA section",
        endless(
            "<testsuite><system-out><![CDATA[",
            "]] > <![CDATA[ &\n",
            2_000_000,
            "]]></system-out><testcase/></testsuite>",
        ),
        Ok(1),
    );
    let start = format!("<testsuite><system-out>{}<![CDATA[", "\n ".repeat(400_000));
    check(
        "a long CDATA section behind much white space",
        endless(&start, "0123456789\n", 1_000_000, "]]></system-out><testcase/></testsuite>"),
        Ok(1),
    );
    check("a long comment", endless("<testsuite><!--", "- <a> ", 4_000_000, "--><testcase/></testsuite>"), Ok(1));
    check(
        "a long comment that is none",
        endless("<testsuite><!--", "- -- ", 400_000, "--><testcase/></testsuite>"),
        Err((ErrorKind::Malformed, "`--` inside a comment")),
    );
    check(
        "a CDATA section without end",
        endless("<testsuite><system-out><![CDATA[", "]] > \n", 4_000_000, ""),
        Err((ErrorKind::Truncated, "ends before `]]>`")),
    );
    check(
        "a text that ends with brackets at every place",
        endless("<testsuite><system-out>", "]", 3_000_000, "</system-out><testcase/></testsuite>"),
        Ok(1),
    );
    check(
        "a reference without end",
        endless("<testsuite>&", "a", 30_000_000, ""),
        Err((ErrorKind::Malformed, "an `&` that begins no reference")),
    );
    check("white space before the root", endless("", " ", 10_000_000, "<testsuite/>"), {
        Err((ErrorKind::Unrecognised, "no known report format"))
    });
}

#[test]
fn limits_are_obeyed() {
    let read = |limits: Limits| {
        let xml = "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>";
        read_report("r.xml", xml.as_bytes(), None, &limits, &mut Summary::default())
    };
    let exact = Limits { bytes: 63, depth: 2, attributes: 1, tests: 2, ..Limits::default() };
    assert_eq!(read(exact).unwrap().bytes, 63);
    for (limits, part) in [
        (Limits { bytes: 62, ..exact }, "more than 62 bytes"),
        (Limits { depth: 1, ..exact }, "nested more than 1 deep"),
        (Limits { attributes: 0, ..exact }, "more than 0 attributes"),
        (Limits { tests: 1, ..exact }, "more than 1 tests"),
    ] {
        let error = read(limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn a_failing_input_is_an_error() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    for start in ["", "<testsuite>"] {
        let input = BufReader::new(start.as_bytes().chain(Failing));
        let error = read_report("r.xml", input, None, &Limits::default(), &mut Summary::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert_eq!(error.to_string(), "read r.xml: the disk is gone");
    }
}
