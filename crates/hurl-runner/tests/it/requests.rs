//! What goes over the wire.

use stagegate_hurl_runner::FileRoot;

use crate::server::Server;
use crate::support::{failures, options, passes, run, run_with};

#[tokio::test]
async fn bodies_and_their_content_types() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("body.txt"), "from a file").unwrap();
    for (request, content_type, body) in [
        ("{\"a\": {{n}}, \"b\": \"{{text}}\"}", Some("application/json"), "{\"a\": 1, \"b\": \"q\\\"q\"}"),
        ("<a>x</a>", Some("application/xml"), "<a>x</a>"),
        ("`one {{n}}`", None, "one 1"),
        ("```\nline {{n}}\nline 2\n```", None, "line 1\nline 2\n"),
        ("```json\n{\"n\": {{n}}}\n```", Some("application/json"), "{\"n\": 1}\n"),
        ("```raw\n{{n}}\n```", None, "{{n}}\n"),
        (
            "```graphql\n{ a }\n\nvariables {\"v\": {{n}}}\n```",
            Some("application/json"),
            "{\"query\":\"{ a }\",\"variables\":{\"v\":1}}",
        ),
        ("base64,SGVsbG8=;", None, "Hello"),
        ("hex,4869;", None, "Hi"),
        ("file,body.txt;", None, "from a file"),
        ("[Form]\nab: x&y\nc: é", Some("application/x-www-form-urlencoded"), "ab=x%26y&c=%C3%A9"),
    ] {
        let mut options = options();
        options.files = FileRoot::new(folder.path(), 1000);
        options.variables.set("n", 1);
        options.variables.set("text", "q\"q");
        let report = run_with(&server.base, &format!("POST {{{{base}}}}/echo\n{request}\nHTTP 200\n"), options).await;
        assert!(report.passed, "{request}: {:?}", failures(&report));
        let seen = server.last();
        assert_eq!(seen.body, body, "{request}");
        assert_eq!(seen.headers.get("content-type").map(|value| value.to_str().unwrap()), content_type, "{request}");
    }
}

#[tokio::test]
async fn heads_are_sent_as_they_are_written() {
    let server = Server::start().await;
    let source = "GET {{base}}/echo?a=1\nX-One: 1\nX-Two: é\nX-One: 2\nX-Empty:\n[Query]\nbc: x y\n\
        [Cookies]\nk: v\n[BasicAuth]\nbob: pass\nHTTP 200\n";
    passes(&server.base, source).await;
    let seen = server.last();
    assert_eq!(seen.head, "GET /echo?a=1&bc=x%20y HTTP/1.1");
    let ones: Vec<_> = seen.headers.get_all("x-one").iter().collect();
    assert_eq!(ones, ["1", "2"]);
    assert_eq!(seen.headers["x-two"].as_bytes(), "é".as_bytes());
    assert_eq!(seen.headers["x-empty"], "");
    assert_eq!(seen.headers["cookie"], "k=v");
    assert_eq!(seen.headers["authorization"], "Basic Ym9iOnBhc3M=");
    assert_eq!(seen.headers["accept"], "*/*");
    assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("hurl/"));
}

#[tokio::test]
async fn multipart_forms() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.html"), "<p>").unwrap();
    let mut options = options();
    options.files = FileRoot::new(folder.path(), 1000);
    let source = "POST {{base}}/echo\n[Multipart]\nkey: value\nf: file,a.html;\ng: file,a.html; text/x-g\nHTTP 200\n";
    let report = run_with(&server.base, source, options).await;
    assert!(report.passed, "{:?}", failures(&report));
    let seen = server.last();
    let content_type = seen.headers["content-type"].to_str().unwrap().to_owned();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let part =
        |head: &str, body: &str| format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
    let expected = part("name=\"key\"", "value")
        + &part("name=\"f\"; filename=\"a.html\"\r\nContent-Type: text/html", "<p>")
        + &part("name=\"g\"; filename=\"a.html\"\r\nContent-Type: text/x-g", "<p>")
        + &format!("--{boundary}--\r\n");
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn cookies_are_kept_and_asserted() {
    let server = Server::start().await;
    let source = "GET {{base}}/cookies\nHTTP 200\n[Captures]\nc: cookie \"a\"\n[Asserts]\n\
        cookie \"a\" == \"1\"\ncookie \"a[HttpOnly]\" exists\ncookie \"a[Secure]\" not exists\n\
        cookie \"a[Max-Age]\" == 60\ncookie \"b[Expires]\" daysAfterNow > 1000\ncookie \"b[SameSite]\" == \"Lax\"\n\
        cookie \"c[Path]\" == \"/elsewhere\"\ncookie \"x\" not exists\nvariable \"c\" == \"1\"\n\
        GET {{base}}/echo\nHTTP 200\n\
        # @cookie_storage_clear\nGET {{base}}/echo\nHTTP 200\n";
    passes(&server.base, source).await;
    let seen = server.seen.lock().unwrap().clone();
    assert_eq!(seen[1].headers["cookie"], "a=1; b=2");
    assert!(!seen[2].headers.contains_key("cookie"));
}

#[tokio::test]
async fn redirects_change_the_method_as_curl_does() {
    let server = Server::start().await;
    for (status, method, body) in
        [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "b"), (308, "POST", "b")]
    {
        let source = format!(
            "POST {{{{base}}}}/redirect/{status}/echo\n[Options]\nlocation: true\n`b`\nHTTP 200\n[Asserts]\nredirects count == 1\nredirects nth 0 location endsWith \"/echo\"\nurl endsWith \"/echo\"\n"
        );
        passes(&server.base, &source).await;
        let seen = server.last();
        assert_eq!((seen.head.split(' ').next().unwrap(), seen.body.as_str()), (method, body), "{status}");
    }
    let report = run(&server.base, "GET {{base}}/loop\n[Options]\nlocation: true\nmax-redirs: 3\nHTTP 200\n").await;
    assert_eq!(failures(&report), ["1: HTTP connection: too many redirect"]);
    assert_eq!(report.requests(), 4);
}

#[tokio::test]
async fn credentials_stay_with_their_origin() {
    let server = Server::start().await;
    let other = Server::start().await;
    let head = "Authorization: Bearer t\nCookie: s=1\n[BasicAuth]\nu: p\n[Cookies]\nk: v\n";
    for (option, target, is_sent) in
        [("location: true", &other, false), ("location-trusted: true", &other, true), ("location: true", &server, true)]
    {
        let source = format!(
            "GET {{{{base}}}}/redirect/302/http/127.0.0.1:{}/echo\n{head}[Options]\n{option}\nuser: a:b\nheader: Authorization: x\nHTTP 200\n",
            target.port
        );
        passes(&server.base, &source).await;
        let headers = target.last().headers;
        assert_eq!(headers.contains_key("authorization"), is_sent, "{option} {}", target.port);
        assert_eq!(headers.contains_key("cookie"), is_sent, "{option} {}", target.port);
    }
}

#[tokio::test]
async fn signed_requests_have_the_signature_of_aws() {
    let server = Server::start().await;
    let source = "POST {{base}}/echo\n[Options]\naws-sigv4: aws:amz:eu-west-1:execute-api\nuser: AKID:secret\n[Form]\na: b\nHTTP 200\n";
    passes(&server.base, source).await;
    let headers = server.last().headers;
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"), "{authorization}");
    assert!(authorization.contains("/eu-west-1/execute-api/aws4_request, SignedHeaders="), "{authorization}");
    assert!(headers.contains_key("x-amz-date"));
}

#[tokio::test]
async fn versions_of_http() {
    let server = Server::start().await;
    for (option, seen, response) in [
        ("http1.0: true", "HTTP/1.0", "HTTP/1.0"),
        ("http1.1: true", "HTTP/1.1", "HTTP/1.1"),
        ("http2: true", "HTTP/1.1", "HTTP/1.1"),
        ("http2-prior-knowledge: true", "HTTP/2.0", "HTTP/2"),
    ] {
        let source = format!("GET {{{{base}}}}/echo\n[Options]\n{option}\n{response} 200\n`echo`\n");
        passes(&server.base, &source).await;
        assert!(server.last().head.ends_with(seen), "{option} {:?}", server.last());
    }
}
