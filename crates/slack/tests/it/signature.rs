//! Who is believed.

use jiff::Timestamp;
use proptest::prelude::*;
use stagegate_slack::SigningSecret;
use stagegate_slack::signature::{SignatureError, SignedRequest, sign, verify};

/// The example of Slack's documentation.
const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const TIMESTAMP: &str = "1531420618";
const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn check(
    secret: &str,
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &str,
    now: i64,
) -> Option<SignatureError> {
    let request = SignedRequest { timestamp, signature, body: body.as_bytes() };
    match verify(&SigningSecret::new(secret), request, at(now)) {
        Ok(verified) => {
            assert_eq!(verified.bytes(), body.as_bytes());
            None
        }
        Err(error) => Some(error),
    }
}

#[test]
fn slacks_own_example_passes() {
    let now = TIMESTAMP.parse().unwrap();
    assert_eq!(check(SECRET, Some(TIMESTAMP), Some(SIGNATURE), BODY, now), None);
    assert_eq!(sign(&SigningSecret::new(SECRET), at(now), BODY.as_bytes()), SIGNATURE);
    // A secret is often stored with a line end.
    assert_eq!(check(&format!("{SECRET}\n"), Some(TIMESTAMP), Some(SIGNATURE), BODY, now), None);
}

#[test]
fn everything_else_is_refused_with_its_reason() {
    use SignatureError as E;
    let (ts, sig, now) = (Some(TIMESTAMP), Some(SIGNATURE), 1_531_420_618);
    let upper = SIGNATURE.to_uppercase();
    let other = SIGNATURE.replace("a2114d", "a2114e");
    let number = |text| (SECRET, Some(text), sig, BODY, now, Some(E::TimestampNotANumber));
    let form = |text| (SECRET, ts, Some(text), BODY, now, Some(E::Malformed));
    let cases = [
        ("", ts, sig, BODY, now, Some(E::NoSecret)),
        (" \n", ts, sig, BODY, now, Some(E::NoSecret)),
        (SECRET, None, sig, BODY, now, Some(E::MissingHeader("x-slack-request-timestamp"))),
        (SECRET, ts, None, BODY, now, Some(E::MissingHeader("x-slack-signature"))),
        number(""),
        number("NaN"),
        number("inf"),
        number("-1531420618"),
        number("+1531420618"),
        number(" 1531420618"),
        number("1531420618.0"),
        number("0x5b479a8a"),
        number("99999999999999999999"),
        number("１５３１４２０６１８"),
        (SECRET, ts, sig, BODY, now + 300, None),
        (SECRET, ts, sig, BODY, now + 301, Some(E::Stale { age_seconds: 301 })),
        (SECRET, ts, sig, BODY, now - 300, None),
        (SECRET, ts, sig, BODY, now - 301, Some(E::Future { ahead_seconds: 301 })),
        (SECRET, Some("9223372036854775807"), sig, BODY, now, Some(E::Future { ahead_seconds: i64::MAX - now })),
        form(""),
        form("v0="),
        form(&SIGNATURE[..66]),
        form(&SIGNATURE[3..]),
        form(&upper),
        (SECRET, ts, Some(&other), BODY, now, Some(E::Mismatch)),
        (SECRET, ts, sig, &BODY[1..], now, Some(E::Mismatch)),
        (SECRET, ts, sig, "", now, Some(E::Mismatch)),
        // A time within the window that is not the one that was signed.
        (SECRET, Some("1531420619"), sig, BODY, now, Some(E::Mismatch)),
        (SECRET, Some("01531420618"), sig, BODY, now, Some(E::Mismatch)),
        ("another secret", ts, sig, BODY, now, Some(E::Mismatch)),
    ];
    for (secret, timestamp, signature, body, now, expected) in cases {
        let found = check(secret, timestamp, signature, body, now);
        assert_eq!(found, expected, "{timestamp:?} {signature:?} at {now}");
    }
}

#[test]
fn secrets_are_not_in_debug_output() {
    let shown = format!("{:?}", SigningSecret::new(SECRET));
    assert_eq!(shown, "SigningSecret(redacted)");
}

proptest! {
    #[test]
    fn any_change_is_noticed(body in proptest::collection::vec(any::<u8>(), 0..200), at_byte in any::<prop::sample::Index>(), bit in 0..8, second in 0i64..4_000_000_000) {
        let secret = SigningSecret::new("secret");
        let signature = sign(&secret, at(second), &body);
        let timestamp = second.to_string();
        let request = |body| SignedRequest { timestamp: Some(&timestamp), signature: Some(&signature), body };
        prop_assert!(verify(&secret, request(&body), at(second)).is_ok());
        let mut changed = body.clone();
        if changed.is_empty() { changed.push(0) } else {
            let place = at_byte.index(changed.len());
            changed[place] ^= 1u8 << bit;
        }
        prop_assert_eq!(verify(&secret, request(&changed), at(second)).err(), Some(SignatureError::Mismatch));
    }
}
