//! What comes back.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{DATE, HeaderMap, RETRY_AFTER};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use jiff::{Timestamp, fmt::rfc2822};

use crate::failure::causes;

/// The largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// The longest pause that a server is granted: a mistake in its answer must not silence a channel for good.
const LONGEST_WISH: Duration = Duration::from_secs(3600);

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long the server wants to be left alone, one hour at most.
    pub retry_after: Option<Duration>,
    /// The body, or why there is none: the status is certain, also where the body is cut off.
    pub body: Result<Bytes, String>,
}

impl Answer {
    pub(crate) async fn read(response: Response<Incoming>) -> Self {
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).map_err(|error| causes(&*error));
        Self { status, retry_after, body }
    }
}

/// Seconds, or a day and time (RFC 9110, 10.2.3), which counts from the server's own clock where it tells it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wish = text(RETRY_AFTER)?;
    let time = |text: &str| rfc2822::parse(text).ok().map(|time| time.timestamp());
    let is_number = !wish.is_empty() && wish.bytes().all(|byte| byte.is_ascii_digit());
    let pause = if is_number {
        // A number that is too large to be read is a long pause all the same.
        wish.parse().map_or(LONGEST_WISH, Duration::from_secs)
    } else {
        let now = text(DATE).and_then(time).unwrap_or_else(Timestamp::now);
        Duration::try_from(time(wish)?.duration_since(now)).unwrap_or(Duration::ZERO)
    };
    Some(pause.min(LONGEST_WISH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_until_a_time() {
        for (wish, date, expected) in [
            ("7", None, Some(7)),
            (" 0 ", None, Some(0)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", Some("Wed, 21 Oct 2026 07:27:30 GMT"), Some(30)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", Some("Wed, 21 Oct 2026 07:29:00 GMT"), Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", None, Some(0)),
            ("3600", None, Some(3600)),
            ("3601", None, Some(3600)),
            ("18446744073709551615", None, Some(3600)),
            ("99999999999999999999", None, Some(3600)),
            ("Thu, 21 Oct 2027 07:28:00 GMT", Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some(3600)),
            ("", None, None),
            ("-1", None, None),
            ("soon", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, wish.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{wish} {date:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
