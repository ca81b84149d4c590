//! Queries, filters, predicates and captures, and the words of their failures.

use crate::server::Server;
use crate::support::{failures, options, passes, run, run_with};

#[tokio::test]
async fn asserts_that_hold() {
    let server = Server::start().await;
    for (path, asserts) in [
        (
            "/json",
            "status == 200\nversion == \"1.1\"\nurl endsWith \"/json\"\nip == \"127.0.0.1\"\nheader \"content-type\" contains \"json\"\n\
             header \"X-None\" not exists\nbody contains \"Bob\"\nbytes count > 10\nrawbytes count > 10\nduration < 10000\n\
             regex \"\\\"name\\\":\\\"(\\\\w+)\\\"\" == \"Bob\"\nregex /\"name\":\"(\\w+)\"/ == \"Bob\"\nregex /x(y)/ not exists\n\
             redirects count == 0\ncertificate \"Subject\" not exists\nvariable \"base\" startsWith \"http\"\nsha256 count == 32\nmd5 count == 16",
        ),
        (
            "/json",
            "jsonpath \"$.age\" == 30\njsonpath \"$.age\" == 30.0\njsonpath \"$.age\" != 31\njsonpath \"$.age\" > 29\njsonpath \"$.age\" <= 30\n\
             jsonpath \"$.big\" == 12345678901234567890\njsonpath \"$.score\" isFloat\njsonpath \"$.age\" isInteger\njsonpath \"$.big\" isNumber\n\
             jsonpath \"$.ok\" == true\njsonpath \"$.ok\" isBoolean\njsonpath \"$.none\" == null\njsonpath \"$.none\" exists\n\
             jsonpath \"$.missing\" not exists\njsonpath \"$.tags\" isCollection\njsonpath \"$.tags\" isList\njsonpath \"$.tags\" contains \"a\"\n\
             jsonpath \"$.tags\" includes \"b\"\njsonpath \"$.empty\" isEmpty\njsonpath \"$\" isObject\njsonpath \"$.name\" isString\n\
             jsonpath \"$.name\" matches /^B/\njsonpath \"$.name\" matches \"^B\"\njsonpath \"$.id\" isUuid\njsonpath \"$.date\" isIsoDate\n\
             jsonpath \"$.ip\" isIpv4\njsonpath \"$.ip6\" isIpv6\njsonpath \"$.ip\" not isIpv6\njsonpath \"$..tags[*]\" count == 2",
        ),
        (
            "/json",
            "jsonpath \"$.tags\" count == 2\njsonpath \"$.tags\" first == \"a\"\njsonpath \"$.tags\" last == \"b\"\njsonpath \"$.tags\" nth -1 == \"b\"\n\
             jsonpath \"$.html\" htmlUnescape == \"a < b\"\njsonpath \"$.html\" htmlUnescape htmlEscape == \"a &lt; b\"\n\
             jsonpath \"$.enc\" urlDecode == \"a b\"\njsonpath \"$.enc\" urlDecode urlEncode == \"a%20b\"\n\
             jsonpath \"$.b64\" base64Decode utf8Decode == \"Hi\"\njsonpath \"$.b64\" base64Decode toHex == \"4869\"\n\
             jsonpath \"$.b64\" base64Decode base64Encode == \"SGk=\"\njsonpath \"$.b64\" base64Decode base64UrlSafeEncode == \"SGk\"\n\
             jsonpath \"$.name\" utf8Encode == hex,426f62;\njsonpath \"$.url\" urlQueryParam \"q\" == \"x y\"\n\
             jsonpath \"$.name\" replace \"B\" \"R\" == \"Rob\"\njsonpath \"$.name\" replaceRegex /[ob]/ \"x\" == \"Bxx\"\n\
             jsonpath \"$.name\" split \"o\" nth 1 == \"b\"\njsonpath \"$.name\" regex /(o)/ == \"o\"\njsonpath \"$.age\" toString == \"30\"\n\
             jsonpath \"$.age\" toFloat == 30\njsonpath \"$.score\" toInt == 1\n\
             jsonpath \"$.date\" toDate \"%Y-%m-%dT%H:%M:%S%.fZ\" dateFormat \"%d.%m.%y\" == \"03.02.24\"\n\
             jsonpath \"$.date\" toDate \"%+\" daysBeforeNow > 300\nbody jsonpath \"$.age\" == 30\nbytes charsetDecode \"utf-8\" contains \"Bob\"",
        ),
        (
            "/xml",
            "xpath \"string(//n:a[@id='2'])\" == \"y\"\nxpath \"//n:a\" count == 2\nxpath \"boolean(//n:b)\" == false\nxpath \"//x\" not exists\nxpath \"count(//n:a)\" == 2",
        ),
        (
            "/html",
            "xpath \"string(/html/head/title)\" == \"T\"\nxpath \"//table/tr/td\" count == 2\nbody xpath \"string(//td[2])\" == \"2\"",
        ),
        ("/latin1", "body == \"café\"\nbytes == hex,636166e9;"),
        (
            "/bytes",
            "bytes == hex,0102ff;\nbytes startsWith hex,01;\nbytes contains hex,02;\nbytes endsWith base64,/w==;",
        ),
        ("/gzip", "body == \"compressed\"\nbytes utf8Decode == \"compressed\"\nrawbytes startsWith hex,1f8b;"),
    ] {
        passes(&server.base, &format!("GET {{{{base}}}}{path}\nHTTP 200\n[Asserts]\n{asserts}\n")).await;
    }
}

/// A path, what an entry expects of it, and the failure.
const FAILING: &[(&str, &str, &str)] = &[
    ("/json", "HTTP 201", "2: Assert status code: actual value is <200>"),
    ("/json", "HTTP/1.0 200", "2: Assert HTTP version: actual value is <HTTP/1.1>"),
    ("/json", "HTTP 200\nContent-Type: text/plain", "3: Assert header value: actual value is <application/json>"),
    ("/json", "HTTP 200\nX-None: 1", "3: Header not found: this header has not been found in the response"),
    ("/echo", "HTTP 200\n`other`", "3: Assert body value: actual value is <echo>"),
    ("/echo", "HTTP 200\n```\nea\n```", "4: Assert body value: -ea\n+echo"),
    (
        "/json",
        "HTTP 200\n[Asserts]\njsonpath \"$.age\" == 31",
        "4: Assert failure: actual:   integer <30>\nexpected: integer <31>",
    ),
    (
        "/json",
        "HTTP 200\n[Asserts]\njsonpath \"$.age\" not == 30",
        "4: Assert failure: actual:   integer <30>\nexpected: not integer <30>",
    ),
    (
        "/json",
        "HTTP 200\n[Asserts]\njsonpath \"$.age\" > \"a\"",
        "4: Assert failure: actual:   integer <30>\nexpected: greater than string <a>\n>>> types between actual and expected are not consistent",
    ),
    (
        "/json",
        "HTTP 200\n[Asserts]\njsonpath \"$.age\" not startsWith \"a\"",
        "4: Assert failure: actual:   integer <30>\nexpected: not starts with string <a>\n>>> types between actual and expected are not consistent",
    ),
    (
        "/json",
        "HTTP 200\n[Asserts]\njsonpath \"$.missing\" == 1",
        "4: Assert failure: actual:   none\nexpected: integer <1>",
    ),
    (
        "/json",
        "HTTP 200\n[Asserts]\njsonpath \"$.age\" exists\njsonpath \"$.missing\" count == 1",
        "5: Filter error: missing value to apply filter",
    ),
    (
        "/json",
        "HTTP 200\n[Asserts]\njsonpath \"$.tags\" nth 2 == 1",
        "4: Filter error: invalid filter input: out of bound - size is 2",
    ),
    (
        "/json",
        "HTTP 200\n[Asserts]\njsonpath \"$.age\" first == 1",
        "4: Filter error: invalid filter input type\n   actual:   integer\n   expected: list",
    ),
    ("/echo", "HTTP 200\n[Asserts]\njsonpath \"$\" exists", "4: Invalid JSON: HTTP response is not a valid JSON"),
    ("/echo", "HTTP 200\n[Asserts]\nxpath \"//a\" exists", "4: Invalid XML: HTTP response is not a valid XML"),
    (
        "/bytes",
        "HTTP 200\n[Asserts]\nbody == \"x\"",
        "4: Invalid decoding: could not decode response body with charset 'UTF-8'",
    ),
    (
        "/bomb",
        "HTTP 200\n[Asserts]\nbytes count == 1",
        "4: Decompression error: the decompressed response is longer than 33554432 bytes",
    ),
    ("/json", "HTTP 200\n[Captures]\nx: jsonpath \"$.missing\"", "4: No query result: query didn't return any result"),
    (
        "/json",
        "HTTP 200\n[Captures]\nx: jsonpath \"$.age\" redact",
        "4: Invalid secret type: secret must be string, actual value is <integer>",
    ),
    ("/{{nope}}", "HTTP 200", "1: Undefined variable: you must set the variable nope"),
    ("/json", "HTTP 200\n[Asserts]\nstatus == {{nope}}", "4: Undefined variable: you must set the variable nope"),
];

#[tokio::test]
async fn asserts_that_do_not_hold_are_told_in_the_words_of_hurl() {
    let server = Server::start().await;
    for (path, expected, failure) in FAILING {
        let source = format!("GET {{{{base}}}}{path}\n{expected}\n");
        let report = run(&server.base, &source).await;
        assert_eq!(failures(&report), [*failure], "{source}");
        assert!(!report.passed);
    }
}

#[tokio::test]
async fn every_failure_of_an_entry_is_told_and_the_rest_is_not_run() {
    let server = Server::start().await;
    let source = "GET {{base}}/json\nHTTP 200\n[Asserts]\nstatus == 1\nstatus == 200\nstatus == 2\n\nGET {{base}}/echo\nHTTP 200\n";
    let report = run(&server.base, source).await;
    assert_eq!(failures(&report).len(), 2);
    assert_eq!((report.entries.len(), report.not_run, report.requests()), (1, 1, 1));
    let mut options = options();
    options.continue_on_error = true;
    let report = run_with(&server.base, source, options).await;
    assert_eq!((report.passed, report.entries.len(), report.not_run), (false, 2, 0));
}

#[tokio::test]
async fn captures_reach_later_entries_and_secrets_leave_nowhere() {
    let server = Server::start().await;
    let source = "GET {{base}}/json\nHTTP 200\n[Captures]\ntoken: jsonpath \"$.token\" redact\nage: jsonpath \"$.age\"\n\
        [Asserts]\nbody == \"x\"\n\nGET {{base}}/echo?t={{token}}&a={{age}}&k={{key}}\nAuthorization: {{key}}\nHTTP 200\n\
        [Asserts]\nurl == \"{{token}}{{key}}\"\nbytes == \"{{token}}\"\n";
    let mut options = options();
    options.continue_on_error = true;
    options.variables.set_secret("key", "top secret");
    let report = run_with(&server.base, source, options).await;
    assert!(server.last().head.contains("t=s3cr3t&a=30"), "{}", server.last().head);
    assert_eq!(report.entries[0].captures[0].value, "***");
    assert_eq!(report.entries[0].captures[1].value, "30");
    let text = serde_json::to_string(&report).unwrap();
    for secret in ["s3cr3t", "top secret", "top%20secret", "733363723374"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let read: stagegate_hurl_runner::FileReport = serde_json::from_str(&text).unwrap();
    assert_eq!(read, report);
}
