//! Where ids, tokens and credentials come from, so that a test can foresee them.

use uuid::Uuid;

/// A source of ids. The engine asks it for everything that AWS makes up at random.
pub trait IdSource: Send {
    /// A UUID in lower-case hexadecimal, as the model's patterns want it.
    fn uuid(&mut self) -> String;

    /// A text of `length` characters out of `A-Z`, `a-z` and `0-9`.
    fn alphanumeric(&mut self, length: usize) -> String;
}

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Ids from the system's random source.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn uuid(&mut self) -> String {
        Uuid::new_v4().to_string()
    }

    fn alphanumeric(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let bytes = Uuid::new_v4().into_bytes();
            // The bytes 6 and 8 hold the version and the variant and are not random. Bytes from 248 on are left out,
            // so that every character is equally likely.
            let random = bytes.iter().enumerate().filter(|&(place, &byte)| place != 6 && place != 8 && byte < 248);
            let missing = length - text.len();
            text.extend(random.take(missing).map(|(_, &byte)| char::from(ALPHABET[usize::from(byte) % 62])));
        }
        text
    }
}

/// Ids that count up, for tests that name them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SequentialIds(u64);

impl SequentialIds {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

impl IdSource for SequentialIds {
    fn uuid(&mut self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.next())
    }

    fn alphanumeric(&mut self, length: usize) -> String {
        format!("{:0length$}", self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_texts_have_the_length_asked_for() {
        for length in [0, 1, 7, 20, 40, 200] {
            let text = RandomIds.alphanumeric(length);
            assert_eq!(text.len(), length);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
        }
        assert_ne!(RandomIds.alphanumeric(20), RandomIds.alphanumeric(20));
    }
}
