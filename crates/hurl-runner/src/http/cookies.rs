//! The cookies of one file's run, kept and sent as curl does it (RFC 6265).

use std::time::{Duration, SystemTime};

use url::{Host, Url};

use super::url::host;

/// The most cookies that are kept; the oldest goes first.
const COOKIES_MAX: usize = 500;

/// The longest cookie that is kept, name and value, in bytes (as in curl).
const COOKIE_BYTES_MAX: usize = 4096;

#[derive(Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    includes_subdomains: bool,
    path: String,
    is_secure: bool,
    expires: Option<SystemTime>,
}

/// A cookie jar.
#[derive(Clone, Default)]
pub(crate) struct CookieJar {
    cookies: Vec<Cookie>,
}

impl CookieJar {
    pub(crate) fn clear(&mut self) {
        self.cookies.clear();
    }

    /// Adds a cookie in the format of Netscape's cookie file, seven fields separated by tabs or spaces.
    pub(crate) fn add_netscape(&mut self, line: &str) -> Result<(), &'static str> {
        let mut rest = line.trim();
        let mut field = || {
            let (field, after) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
            rest = after.trim_start();
            Some(field).filter(|field| !field.is_empty())
        };
        let flag = |field: Option<&str>| match field {
            Some("TRUE") => Ok(true),
            Some("FALSE") => Ok(false),
            _ => Err("expected TRUE or FALSE"),
        };
        let domain = field().ok_or("expected a domain")?;
        let domain = domain.strip_prefix("#HttpOnly_").unwrap_or(domain);
        let includes_subdomains = flag(field())?;
        let path = field().ok_or("expected a path")?.to_owned();
        let is_secure = flag(field())?;
        let expires: u64 = field().and_then(|field| field.parse().ok()).ok_or("expected a time of expiry")?;
        let name = field().ok_or("expected a name")?.to_owned();
        self.insert(Cookie {
            name,
            value: rest.to_owned(),
            domain: domain.trim_start_matches('.').to_ascii_lowercase(),
            includes_subdomains,
            path,
            is_secure,
            expires: (expires != 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(expires.min(1 << 40))),
        });
        Ok(())
    }

    /// Takes the value of a `Set-Cookie` header of a response from `url`.
    pub(crate) fn set(&mut self, url: &Url, header: &str) {
        if let Some(cookie) = parse(url, header) {
            self.insert(cookie);
        }
    }

    fn insert(&mut self, cookie: Cookie) {
        self.cookies
            .retain(|other| other.name != cookie.name || other.domain != cookie.domain || other.path != cookie.path);
        if cookie.expires.is_none_or(|expires| expires > SystemTime::now()) {
            if self.cookies.len() >= COOKIES_MAX {
                self.cookies.remove(0);
            }
            self.cookies.push(cookie);
        }
    }

    /// The cookies for a request, `name=value` each: the longest paths and domains first.
    pub(crate) fn for_url(&self, url: &Url) -> Vec<String> {
        let now = SystemTime::now();
        let mut cookies: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.expires.is_none_or(|expires| expires > now))
            .filter(|cookie| !cookie.is_secure || is_secure(url))
            .filter(|cookie| domain_matches(cookie, url) && path_matches(&cookie.path, url.path()))
            .collect();
        let lengths = |cookie: &Cookie| (cookie.path.len(), cookie.domain.len(), cookie.name.len());
        cookies.sort_by_key(|cookie| std::cmp::Reverse(lengths(cookie)));
        cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect()
    }
}

/// Whether a secure cookie may be taken from and sent to `url`: over TLS, or on this machine.
fn is_secure(url: &Url) -> bool {
    url.scheme() == "https" || matches!(host(url).as_str(), "localhost" | "127.0.0.1" | "::1")
}

fn domain_matches(cookie: &Cookie, url: &Url) -> bool {
    let host = host(url);
    host == cookie.domain || (cookie.includes_subdomains && is_below(&host, &cookie.domain))
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn path_matches(cookie_path: &str, path: &str) -> bool {
    match path.strip_prefix(cookie_path) {
        Some(rest) => rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

fn parse(url: &Url, header: &str) -> Option<Cookie> {
    let mut parts = header.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let has_control = |text: &str| text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t');
    if name.is_empty() || name.len() + value.len() > COOKIE_BYTES_MAX || has_control(name) || has_control(value) {
        return None;
    }
    let default_path = url.path().rsplit_once('/').map_or("/", |(folder, _)| folder);
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: host(url),
        includes_subdomains: false,
        path: if default_path.is_empty() { "/".to_owned() } else { default_path.to_owned() },
        is_secure: false,
        expires: None,
    };
    let mut max_age = None;
    for attribute in parts {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "secure" => cookie.is_secure = true,
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "domain" if !value.trim_matches('.').is_empty() => set_domain(&mut cookie, url, value)?,
            "expires" => cookie.expires = cookie.expires.or_else(|| parse_expires(value)),
            "max-age" => max_age = value.trim_matches('"').parse::<i64>().ok(),
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        let lifetime = u64::try_from(seconds).map(|seconds| Duration::from_secs(seconds.min(1 << 40)));
        cookie.expires = Some(lifetime.map_or(SystemTime::UNIX_EPOCH, |lifetime| SystemTime::now() + lifetime));
    }
    (!cookie.is_secure || is_secure(url)).then_some(cookie)
}

/// A server may name its own host or a domain above it, and no address and no top-level domain.
fn set_domain(cookie: &mut Cookie, url: &Url, value: &str) -> Option<()> {
    let domain = value.trim_start_matches('.').to_ascii_lowercase();
    let host = host(url);
    if domain == host {
        cookie.includes_subdomains = matches!(url.host(), Some(Host::Domain(_)));
        return Some(());
    }
    let is_name = matches!(url.host(), Some(Host::Domain(_)));
    if !is_name || !is_below(&host, &domain) || !domain.contains('.') {
        return None;
    }
    cookie.domain = domain;
    cookie.includes_subdomains = true;
    Some(())
}

/// Reads a date of a cookie in the forms that are in use.
pub(crate) fn parse_date(text: &str) -> Option<chrono::DateTime<chrono::Utc>> {
    if let Ok(date) = chrono::DateTime::parse_from_rfc2822(text) {
        return Some(date.with_timezone(&chrono::Utc));
    }
    let formats = [
        "%a, %d-%b-%Y %H:%M:%S GMT",
        "%a, %d-%b-%Y %H:%M:%S%.3f GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ];
    formats
        .into_iter()
        .find_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok())
        .map(|date| date.and_utc())
}

fn parse_expires(text: &str) -> Option<SystemTime> {
    parse_date(text).map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn cookies_go_where_they_belong() {
        for (set_at, header, get_at, expected) in [
            ("http://a.example.com/x/y", "k=v", "http://a.example.com/x/z", true),
            ("http://a.example.com/x/y", "k=v", "http://a.example.com/x", true),
            ("http://a.example.com/x/y", "k=v", "http://a.example.com/xy", false),
            ("http://a.example.com/x/y", "k=v; Path=/", "http://a.example.com/", true),
            ("http://a.example.com/", "k=v", "http://b.a.example.com/", false),
            ("http://a.example.com/", "k=v; Domain=example.com", "http://b.example.com/", true),
            ("http://a.example.com/", "k=v; Domain=.example.com", "http://example.com/", true),
            ("http://a.example.com/", "k=v; Domain=other.com", "http://a.example.com/", false),
            ("http://a.example.com/", "k=v; Domain=com", "http://b.com/", false),
            ("http://a.example.com/", "k=v; Domain=ample.com", "http://a.example.com/", false),
            ("http://10.0.0.1/", "k=v; Domain=0.0.1", "http://10.0.0.1/", false),
            ("http://a.example.com/", "k=v; Secure", "https://a.example.com/", false),
            ("https://a.example.com/", "k=v; Secure", "https://a.example.com/", true),
            ("https://a.example.com/", "k=v; Secure", "http://a.example.com/", false),
            ("http://localhost:1/", "k=v; Secure", "http://localhost:1/", true),
            ("http://a.example.com/", "k=v; Max-Age=0", "http://a.example.com/", false),
            (
                "http://a.example.com/",
                "k=v; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                "http://a.example.com/",
                true,
            ),
            ("http://a.example.com/", "k=v; Expires=Wed, 13-Jan-2021 22:23:01 GMT", "http://a.example.com/", false),
            ("http://a.example.com/", "novalue", "http://a.example.com/", false),
        ] {
            let mut jar = CookieJar::default();
            jar.set(&url(set_at), header);
            assert_eq!(!jar.for_url(&url(get_at)).is_empty(), expected, "{set_at} {header} {get_at}");
        }
    }

    #[test]
    fn cookies_are_replaced_expired_and_ordered() {
        let mut jar = CookieJar::default();
        let at = url("http://localhost/a/b");
        for header in ["a=1; Path=/", "long=2; Path=/a/b", "a=3; Path=/", "b=4; Path=/a", "x=; Path=/"] {
            jar.set(&at, header);
        }
        assert_eq!(jar.for_url(&at), ["long=2", "b=4", "a=3", "x="]);
        jar.set(&at, "a=; Path=/; Max-Age=-1");
        assert_eq!(jar.for_url(&at), ["long=2", "b=4", "x="]);
        jar.clear();
        jar.add_netscape("localhost\tFALSE\t/\tFALSE\t0\tcookie1\tvalueA").unwrap();
        jar.add_netscape("#HttpOnly_.example.com TRUE / FALSE 4102444800 c d e").unwrap();
        assert_eq!(jar.for_url(&at), ["cookie1=valueA"]);
        assert_eq!(jar.for_url(&url("http://x.example.com/")), ["c=d e"]);
        for line in ["", "a", "a TRUE", "a x / FALSE 0 n", "a TRUE / FALSE x n", "a TRUE / FALSE 0"] {
            assert!(jar.add_netscape(line).is_err(), "{line}");
        }
    }
}
