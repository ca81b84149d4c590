//! Whether a request comes from Slack: HMAC-SHA256 over the time and the raw body.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::SigningSecret;

/// The header with the time of the request, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-slack-request-timestamp";

/// The header with the signature, `v0=` and 64 hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "x-slack-signature";

/// How far the time of a request may lie from now, in seconds, to either side.
pub const WINDOW_SECONDS: i64 = 300;

const VERSION: &str = "v0";

/// What is signed and how, as it arrived.
///
/// The body is that of the HTTP request: where a gateway handed it over in base64, it is decoded first.
#[derive(Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The header [`TIMESTAMP_HEADER`].
    pub timestamp: Option<&'a str>,
    /// The header [`SIGNATURE_HEADER`].
    pub signature: Option<&'a str>,
    /// The raw body.
    pub body: &'a [u8],
}

/// A body whose signature was verified. There is no other way to make one.
#[derive(Clone, Copy)]
pub struct VerifiedBody<'a>(&'a [u8]);

impl<'a> VerifiedBody<'a> {
    /// The raw body.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Why a request is not believed. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Without a secret nobody passes.
    #[error("verify the request: no signing secret is configured, so nothing can be verified")]
    NoSecret,
    /// A header is missing.
    #[error("verify the request: the header {0} is missing")]
    MissingHeader(&'static str),
    /// The time is not a number.
    #[error("verify the request: the header {TIMESTAMP_HEADER} is not a number of seconds")]
    TimestampNotANumber,
    /// The request is too old, as a replayed one would be.
    #[error("verify the request: it is {age_seconds} s old, and {WINDOW_SECONDS} s are allowed")]
    Stale {
        /// Its age.
        age_seconds: i64,
    },
    /// The request comes from the future.
    #[error("verify the request: its time lies {ahead_seconds} s ahead, and {WINDOW_SECONDS} s are allowed")]
    Future {
        /// How far ahead it is.
        ahead_seconds: i64,
    },
    /// The signature has another form.
    #[error("verify the request: the header {SIGNATURE_HEADER} is not {VERSION}= and 64 hexadecimal digits")]
    Malformed,
    /// The signature is not that of this body at this time with this secret.
    #[error("verify the request: the signature does not match; check the app's signing secret")]
    Mismatch,
}

/// Verifies that Slack signed the request, within five minutes of `now`. The comparison takes constant time.
///
/// # Errors
///
/// If any part of that does not hold, which one.
pub fn verify<'a>(
    secret: &SigningSecret,
    request: SignedRequest<'a>,
    now: Timestamp,
) -> Result<VerifiedBody<'a>, SignatureError> {
    if secret.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let timestamp = request.timestamp.ok_or(SignatureError::MissingHeader(TIMESTAMP_HEADER))?;
    let signature = request.signature.ok_or(SignatureError::MissingHeader(SIGNATURE_HEADER))?;
    let age_seconds = now.as_second().saturating_sub(seconds(timestamp)?);
    if age_seconds > WINDOW_SECONDS {
        return Err(SignatureError::Stale { age_seconds });
    }
    if age_seconds < -WINDOW_SECONDS {
        return Err(SignatureError::Future { ahead_seconds: age_seconds.saturating_neg() });
    }
    let claimed = digest(signature).ok_or(SignatureError::Malformed)?;
    let verified = mac(secret, timestamp, request.body).verify_slice(&claimed);
    verified.map(|()| VerifiedBody(request.body)).map_err(|_| SignatureError::Mismatch)
}

/// The value of the header [`SIGNATURE_HEADER`] for a body at a time, which is what Slack itself sends.
pub fn sign(secret: &SigningSecret, timestamp: Timestamp, body: &[u8]) -> String {
    let digest = mac(secret, &timestamp.as_second().to_string(), body).finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{VERSION}={hex}")
}

fn mac(secret: &SigningSecret, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let keyed = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
    let mut mac = keyed.expect("HMAC takes keys of every length");
    for part in [VERSION.as_bytes(), b":", timestamp.as_bytes(), b":", body] {
        mac.update(part);
    }
    mac
}

/// Only digits: neither a sign nor blanks nor a fraction stand there.
fn seconds(text: &str) -> Result<i64, SignatureError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = is_number.then(|| text.parse().ok()).flatten();
    seconds.ok_or(SignatureError::TimestampNotANumber)
}

fn digest(signature: &str) -> Option<[u8; 32]> {
    let hex = signature.strip_prefix(VERSION)?.strip_prefix('=')?.as_bytes();
    let (pairs, rest) = hex.as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(digest)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
