//! Signatures of webhooks, as "Standard Webhooks" 1.0 has them (symmetric, `v1`), so that receivers need no code of their
//! own to check them.
//!
//! Signed is `<id>.<timestamp>.<body>` with HMAC-SHA256; the three headers are `webhook-id`, `webhook-timestamp` (seconds
//! since 1970) and `webhook-signature` (`v1,` and the signature in Base64).

use std::fmt;
use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Before a key that is written in Base64.
const PREFIX: &str = "whsec_";
/// The shortest key that is taken, in bytes (Standard Webhooks: 24 to 64).
const SHORTEST: usize = 24;

/// A key. Nothing shows it.
#[derive(Clone)]
pub struct Key(Vec<u8>);

/// A key is not taken. Reads after "failed to"; does not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// What follows `whsec_` is no Base64.
    #[error("use the key of the webhook: what follows whsec_ is not Base64")]
    NotBase64,
    /// It could be guessed.
    #[error(
        "use the key of the webhook: it is shorter than 24 bytes; make one with `openssl rand -base64 32` and write whsec_ before it"
    )]
    TooShort,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

impl Key {
    /// Reads a key: `whsec_` and Base64, or any text, which stands for its bytes.
    ///
    /// # Errors
    ///
    /// If it is none, or too short.
    pub fn read(text: &str) -> Result<Self, BadKey> {
        let key = match text.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| BadKey::NotBase64)?,
            None => text.as_bytes().to_vec(),
        };
        if key.len() < SHORTEST { Err(BadKey::TooShort) } else { Ok(Self(key)) }
    }

    /// The header `webhook-signature` of a delivery.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The header `webhook-id` of a letter: the same for the same letter, of characters that a header takes.
pub fn id_of(letter: &str) -> String {
    let mut id = "msg_".to_owned();
    for byte in Sha256::digest(letter.as_bytes()).iter().take(16) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}
