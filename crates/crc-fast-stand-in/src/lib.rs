//! The part of the `crc-fast` crate that the SDK of S3 uses, without the tables of the checksums that S3 does not know.
//!
//! What Stagegate writes to S3 is small, and none of what it reads is checked in this way: a byte at a time is fast enough for
//! the two checksums that nothing in this repository asks for.

/// A checksum that S3 knows (Amazon S3 user guide, "Checking object integrity in Amazon S3"), by its name in `crc-fast`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// CRC32, as in a ZIP.
    Crc32IsoHdlc,
    /// CRC32C.
    Crc32Iscsi,
    /// CRC64NVME.
    Crc64Nvme,
}

/// A checksum as it is computed.
#[derive(Clone, Debug)]
pub struct Digest(State);

#[derive(Clone, Debug)]
enum State {
    Hasher(crc32fast::Hasher),
    Table(Table),
}

/// A reflected checksum of as many bits as `ones` has, which is where it starts and what it is inverted with at its end.
#[derive(Clone, Debug)]
struct Table {
    of_byte: &'static [u64; 256],
    ones: u64,
    crc: u64,
}

/// RFC 3720, 12.1; the polynomial is reflected.
static CASTAGNOLI: [u64; 256] = of_bytes(0x82F6_3B78);
/// NVM Command Set Specification 1.0, 5.2.1.3.4; the polynomial is reflected.
static NVME: [u64; 256] = of_bytes(0x9A6C_9329_AC4B_C9B5);

impl Digest {
    /// The checksum of no bytes.
    #[must_use]
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        let table = |of_byte, ones| State::Table(Table { of_byte, ones, crc: ones });
        Self(match algorithm {
            CrcAlgorithm::Crc32IsoHdlc => State::Hasher(crc32fast::Hasher::new()),
            CrcAlgorithm::Crc32Iscsi => table(&CASTAGNOLI, u64::from(u32::MAX)),
            CrcAlgorithm::Crc64Nvme => table(&NVME, u64::MAX),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Hasher(hasher) => hasher.update(bytes),
            State::Table(table) => {
                for byte in bytes {
                    let [low, ..] = table.crc.to_le_bytes();
                    table.crc = table.of_byte[usize::from(low ^ byte)] ^ (table.crc >> 8);
                }
            }
        }
    }

    /// The checksum of all bytes so far; one of 32 bits stands in the low half.
    #[must_use]
    pub fn finalize(&self) -> u64 {
        match &self.0 {
            State::Hasher(hasher) => u64::from(hasher.clone().finalize()),
            State::Table(table) => table.crc ^ table.ones,
        }
    }
}

const fn of_bytes(polynomial: u64) -> [u64; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut crc = index as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ polynomial } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(algorithm: CrcAlgorithm, parts: &[&[u8]]) -> u64 {
        let mut digest = Digest::new(algorithm);
        parts.iter().for_each(|part| digest.update(part));
        digest.finalize()
    }

    /// The check values of the catalogue of parametrised CRC algorithms (Greg Cook), and of RFC 3720, B.4.
    #[test]
    fn checksums_are_those_that_the_standards_give() {
        for (algorithm, bytes, expected) in [
            (CrcAlgorithm::Crc32IsoHdlc, &b"123456789"[..], 0xCBF4_3926),
            (CrcAlgorithm::Crc32Iscsi, b"123456789", 0xE306_9283),
            (CrcAlgorithm::Crc64Nvme, b"123456789", 0xAE8B_1486_0A79_9888),
            (CrcAlgorithm::Crc32Iscsi, &[0; 32], 0x8A91_36AA),
            (CrcAlgorithm::Crc32Iscsi, &[0xFF; 32], 0x62A8_AB43),
            (CrcAlgorithm::Crc32IsoHdlc, b"", 0),
            (CrcAlgorithm::Crc32Iscsi, b"", 0),
            (CrcAlgorithm::Crc64Nvme, b"", 0),
        ] {
            assert_eq!(of(algorithm, &[bytes]), expected, "{algorithm:?} of {bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_which_parts_bytes_come(bytes: Vec<u8>, at: prop::sample::Index) {
            for algorithm in [CrcAlgorithm::Crc32IsoHdlc, CrcAlgorithm::Crc32Iscsi, CrcAlgorithm::Crc64Nvme] {
                let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
                prop_assert_eq!(of(algorithm, &[first, second]), of(algorithm, &[&bytes]));
            }
        }
    }
}
