//! What requests to REST services are called in the AWS model.

use http::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

/// The operation and the function of a path of Lambda; for other operations than `Invoke` the method stands for the
/// operation.
pub(super) fn lambda<'a>(method: &'a Method, path: &'a str) -> (&'a str, &'a str) {
    let rest = path.strip_prefix("/2015-03-31/functions/").unwrap_or_default();
    let (function, rest) = rest.split_once('/').unwrap_or((rest, ""));
    (if rest == "invocations" { "Invoke" } else { method.as_str() }, function)
}

/// A path without its escapes.
pub(super) fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// The operation of a request to S3 by its method, its path and its query (Amazon S3 API reference); the method itself
/// for those that the local S3 does not have.
pub(super) fn s3<'a>(method: &'a Method, uri: &Uri, headers: &HeaderMap, path: &str) -> &'a str {
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let query = uri.query().unwrap_or_default();
    let asks = |name: &str| form_urlencoded::parse(query.as_bytes()).any(|(found, _)| found == name);
    let copies = headers.contains_key("x-amz-copy-source");
    let is_part = asks("uploadId");
    match (method.as_str(), bucket.is_empty(), key.is_empty()) {
        ("GET", true, _) => "ListBuckets",
        ("GET", _, true) if asks("location") => "GetBucketLocation",
        ("GET", _, true) if asks("list-type") => "ListObjectsV2",
        ("GET", _, true) => "ListObjects",
        ("GET", _, false) if is_part => "ListParts",
        ("GET", _, false) => "GetObject",
        ("HEAD", _, true) => "HeadBucket",
        ("HEAD", _, false) => "HeadObject",
        ("PUT", _, true) => "CreateBucket",
        ("PUT", _, false) if is_part && copies => "UploadPartCopy",
        ("PUT", _, false) if is_part => "UploadPart",
        ("PUT", _, false) if copies => "CopyObject",
        ("PUT", _, false) => "PutObject",
        ("DELETE", _, true) => "DeleteBucket",
        ("DELETE", _, false) if is_part => "AbortMultipartUpload",
        ("DELETE", _, false) => "DeleteObject",
        ("POST", _, true) if asks("delete") => "DeleteObjects",
        ("POST", _, false) if asks("uploads") => "CreateMultipartUpload",
        ("POST", _, false) if is_part => "CompleteMultipartUpload",
        _ => method.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_to_s3_have_the_names_of_their_operations() {
        for (method, uri, expected) in [
            ("GET", "/", "ListBuckets"),
            ("GET", "/b?list-type=2&prefix=jobs%2F", "ListObjectsV2"),
            ("GET", "/b/", "ListObjects"),
            ("GET", "/b/jobs/1.json", "GetObject"),
            ("HEAD", "/b/jobs/1.json", "HeadObject"),
            ("PUT", "/b/jobs/1.json?x-id=PutObject", "PutObject"),
            ("PUT", "/b", "CreateBucket"),
            ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
            ("DELETE", "/b/k", "DeleteObject"),
            ("POST", "/b?delete", "DeleteObjects"),
            ("POST", "/b/k?uploads", "CreateMultipartUpload"),
            ("PATCH", "/b/k", "PATCH"),
        ] {
            let (method, uri): (Method, Uri) = (method.parse().unwrap(), uri.parse().unwrap());
            let path = decoded(uri.path());
            assert_eq!(s3(&method, &uri, &HeaderMap::new(), &path), expected, "{method} {uri}");
        }
        assert_eq!(decoded("/b/a%20b+c%2B/d=e&f"), "/b/a b+c+/d=e&f");
    }

    #[test]
    fn an_invocation_is_told_from_the_rest_of_lambda() {
        let path = "/2015-03-31/functions/stagegate-test-gate/invocations";
        assert_eq!(lambda(&Method::POST, path), ("Invoke", "stagegate-test-gate"));
        assert_eq!(lambda(&Method::GET, "/2015-03-31/functions/f"), ("GET", "f"));
        assert_eq!(lambda(&Method::GET, "/2015-03-31/functions"), ("GET", ""));
    }
}
