//! URLs: `http` and `https` only, as Hurl has it.

use url::Url;

/// Reads a URL; the error is the reason why it is none.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        return Url::parse(text).map_err(|error| error.to_string());
    }
    let has_scheme = text
        .split_once("://")
        .is_some_and(|(scheme, _)| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_lowercase()));
    Err(if has_scheme {
        "Only <http://> and <https://> schemes are supported".to_owned()
    } else {
        "Missing scheme <http://> or <https://>".to_owned()
    })
}

/// The host, without the brackets of an IPv6 address.
pub(crate) fn host(url: &Url) -> String {
    stagegate_network_policy::normalized(url.host_str().unwrap_or_default())
}

/// The port, by default that of the scheme.
pub(crate) fn port(url: &Url) -> u16 {
    url.port_or_known_default().unwrap_or(80)
}

/// The value of a `Host` header.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether two URLs have scheme, host and port in common.
pub(crate) fn same_origin(left: &Url, right: &Url) -> bool {
    left.scheme() == right.scheme() && host(left) == host(right) && port(left) == port(right)
}

/// The path and query as they are requested. With `as_is`, the dots in the path stay as they were written.
pub(crate) fn path_and_query(url: &Url, written: &str, as_is: bool) -> String {
    let written = written.split_once("://").map_or(written, |(_, rest)| rest);
    let path = written.find(['/', '?', '#']).map_or("", |index| &written[index..]);
    let path = path.split('#').next().unwrap_or_default();
    if as_is && path.starts_with('/') && path.is_ascii() && !path.contains(|c: char| c.is_ascii_control() || c == ' ') {
        return path.to_owned();
    }
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// The URL without user name and password, as it may be reported.
pub(crate) fn reported(url: &Url) -> String {
    let mut url = url.clone();
    if !url.username().is_empty() || url.password().is_some() {
        // Both fail for a URL without a host only, which has no user either.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_is_spoken() {
        for (text, expected) in [
            ("http://a/", Ok("http://a/")),
            ("https://A.b:443/x", Ok("https://a.b/x")),
            ("ftp://a", Err("Only <http://> and <https://> schemes are supported")),
            ("file:///etc/passwd", Err("Only <http://> and <https://> schemes are supported")),
            ("localhost:8000", Err("Missing scheme <http://> or <https://>")),
            ("http://", Err("empty host")),
            ("http://0x7f.1/", Ok("http://127.0.0.1/")),
            ("http://2130706433/", Ok("http://127.0.0.1/")),
            ("http://0251.0376.0251.0376/", Ok("http://169.254.169.254/")),
        ] {
            let parsed = parse(text).map(|url| url.to_string());
            assert_eq!(parsed.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn dots_in_a_path_stay_where_they_are_asked_to() {
        for (text, as_is, expected) in [
            ("http://a/b/../c?d#e", false, "/c?d"),
            ("http://a/b/../c?d#e", true, "/b/../c?d"),
            ("http://a", true, "/"),
            ("http://a?b", true, "/?b"),
            ("http://a/b c", true, "/b%20c"),
        ] {
            assert_eq!(path_and_query(&parse(text).unwrap(), text, as_is), expected, "{text}");
        }
    }

    #[test]
    fn credentials_are_not_reported() {
        assert_eq!(reported(&parse("http://user:secret@a/b").unwrap()), "http://a/b");
    }
}
