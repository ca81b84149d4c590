//! Signatures, checked by an implementation of HMAC that was written from its definition (RFC 2104).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use stagegate_channel::signature::{BadKey, Key, id_of};

use crate::server::{Reply, Server};
use crate::world::{KEY, channels, http_channels, send};

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<_>>();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

fn expected(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    format!("v1,{}", STANDARD.encode(hmac(key, &signed)))
}

#[tokio::test]
async fn a_receiver_can_check_a_delivery_and_knows_a_repetition() {
    let server = Server::start([Reply::status(503), Reply::HangUp, Reply::status(200)]).await;
    let channels = channels(&server).await;
    let [.., (_, webhook)] = http_channels();
    assert!(send(&channels, &webhook).await.is_delivered());
    assert!(send(&channels, &webhook).await.is_delivered());
    let received = server.received();
    assert_eq!(received.len(), 4);
    let key = STANDARD.decode(KEY.strip_prefix("whsec_").unwrap()).unwrap();
    for request in &received {
        let header = |name| request.header(name).unwrap();
        let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
        assert_eq!(id, received[0].header("webhook-id").unwrap());
        assert!(timestamp.parse::<i64>().unwrap() > 1_700_000_000);
        assert_eq!(header("webhook-signature"), expected(&key, id, timestamp, &request.body));
        assert_eq!(header("content-type"), "application/json; charset=utf-8");
        assert_eq!((&request.json()["kind"], &request.json()["pipeline"]), (&"failed".into(), &"web".into()));
    }
}

/// The example of the specification (Standard Webhooks, "Signature scheme").
#[test]
fn the_example_of_the_specification_is_signed_as_it_says() {
    let key = Key::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let body = br#"{"test": 2432232314}"#;
    let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn a_key_that_can_be_guessed_is_not_taken() {
    assert_eq!(Key::read("whsec_c2hvcnQ=").unwrap_err(), BadKey::TooShort);
    assert_eq!(Key::read("whsec_%%%").unwrap_err(), BadKey::NotBase64);
    assert_eq!(Key::read("").unwrap_err(), BadKey::TooShort);
    let key = Key::read("0123456789012345678901234567").unwrap();
    assert_eq!(format!("{key:?}"), "Key(redacted)");
}

proptest! {
    #[test]
    fn signatures_are_those_of_the_definition(
        key in prop::collection::vec(any::<u8>(), 24..200), letter in ".{0,40}", timestamp in 0i64..4_000_000_000,
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let read = Key::read(&format!("whsec_{}", STANDARD.encode(&key))).unwrap();
        let id = id_of(&letter);
        prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        prop_assert_eq!(read.sign(&id, timestamp, &body), expected(&key, &id, &timestamp.to_string(), &body));
    }
}
