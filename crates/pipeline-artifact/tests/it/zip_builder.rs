//! Archives built byte by byte, so that every field can lie.

use std::io::Write;

use flate2::{Compression, write::DeflateEncoder};

/// What both headers of an entry say.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc32: u32,
    pub(crate) compressed_size: u32,
    pub(crate) size: u32,
    pub(crate) extra: Vec<u8>,
}

#[derive(Clone)]
pub(crate) struct RawEntry {
    pub(crate) local: Header,
    pub(crate) central: Header,
    pub(crate) made_by: u16,
    pub(crate) attributes: u32,
    pub(crate) data: Vec<u8>,
    pub(crate) descriptor: Vec<u8>,
    pub(crate) offset: Option<u32>,
}

impl RawEntry {
    pub(crate) fn stored(name: impl AsRef<[u8]>, content: &[u8]) -> Self {
        Self::new(name.as_ref(), 0, content, content.to_vec())
    }

    pub(crate) fn deflated(name: impl AsRef<[u8]>, content: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        Self::new(name.as_ref(), 8, content, encoder.finish().unwrap())
    }

    fn new(name: &[u8], method: u16, content: &[u8], data: Vec<u8>) -> Self {
        let header = Header {
            name: name.to_vec(),
            flags: 0,
            method,
            crc32: crc32fast::hash(content),
            compressed_size: u32::try_from(data.len()).unwrap(),
            size: u32::try_from(content.len()).unwrap(),
            extra: Vec::new(),
        };
        Self {
            local: header.clone(),
            central: header,
            made_by: 0x031e,
            attributes: 0o100_644 << 16,
            data,
            descriptor: Vec::new(),
            offset: None,
        }
    }

    /// Changes both headers alike.
    pub(crate) fn both(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// As a writer does that cannot go back: zeros in front, the values behind.
    pub(crate) fn streamed(self, signature: bool, wide: bool) -> Self {
        let Header { crc32, compressed_size, size, .. } = self.central;
        let mut descriptor = Vec::new();
        if signature {
            descriptor.extend(b"PK\x07\x08");
        }
        descriptor.extend(crc32.to_le_bytes());
        for value in [compressed_size, size] {
            descriptor.extend(value.to_le_bytes());
            if wide {
                descriptor.extend([0; 4]);
            }
        }
        self.both(|header| header.flags |= 1 << 3).with(|entry| {
            entry.local.crc32 = 0;
            entry.local.compressed_size = 0;
            entry.local.size = 0;
            entry.descriptor = descriptor;
        })
    }

    /// Moves both sizes of the central header, and of the local one, to Zip64 extra fields.
    pub(crate) fn zip64(self) -> Self {
        self.both(|header| {
            let mut extra = vec![1, 0, 16, 0];
            extra.extend(u64::from(header.size).to_le_bytes());
            extra.extend(u64::from(header.compressed_size).to_le_bytes());
            header.extra = extra;
            header.size = u32::MAX;
            header.compressed_size = u32::MAX;
        })
    }
}

#[derive(Clone, Default)]
pub(crate) struct RawZip {
    pub(crate) prefix: Vec<u8>,
    pub(crate) entries: Vec<RawEntry>,
    pub(crate) comment: Vec<u8>,
    pub(crate) suffix: Vec<u8>,
    /// Added to what the end record announces.
    pub(crate) more_entries: i16,
    pub(crate) more_size: i32,
    pub(crate) more_offset: i32,
    pub(crate) zip64_end: bool,
    /// Bytes that the test inserts before the directory after building.
    pub(crate) zip64_gap: u64,
}

pub(crate) fn zip_of(entries: impl IntoIterator<Item = RawEntry>) -> RawZip {
    RawZip { entries: entries.into_iter().collect(), ..RawZip::default() }
}

impl RawZip {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut bytes = self.prefix.clone();
        let mut directory = Vec::new();
        for entry in &self.entries {
            let offset = entry.offset.unwrap_or_else(|| u32::try_from(bytes.len()).unwrap());
            bytes.extend(b"PK\x03\x04\x14\0");
            bytes.extend(common(&entry.local));
            bytes.extend(&entry.local.name);
            bytes.extend(&entry.local.extra);
            bytes.extend(&entry.data);
            bytes.extend(&entry.descriptor);
            directory.extend(b"PK\x01\x02");
            directory.extend(entry.made_by.to_le_bytes());
            directory.extend([0x14, 0]);
            directory.extend(common(&entry.central));
            directory.extend([0; 6]);
            directory.extend(entry.attributes.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(&entry.central.name);
            directory.extend(&entry.central.extra);
        }
        let offset = u32::try_from(bytes.len()).unwrap();
        bytes.extend(&directory);
        let count = u16::try_from(self.entries.len()).unwrap();
        let size = u32::try_from(directory.len()).unwrap();
        if self.zip64_end {
            bytes.extend(zip64_records(count.into(), size.into(), u64::from(offset) + self.zip64_gap));
        }
        let narrow = if self.zip64_end { u32::MAX } else { 0 };
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        let count = count.wrapping_add_signed(self.more_entries);
        bytes.extend(count.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend((size.wrapping_add_signed(self.more_size) | narrow).to_le_bytes());
        bytes.extend((offset.wrapping_add_signed(self.more_offset) | narrow).to_le_bytes());
        bytes.extend(u16::try_from(self.comment.len()).unwrap().to_le_bytes());
        bytes.extend(&self.comment);
        bytes.extend(&self.suffix);
        bytes
    }
}

fn common(header: &Header) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(header.flags.to_le_bytes());
    bytes.extend(header.method.to_le_bytes());
    bytes.extend([0, 0, 0x21, 0]);
    bytes.extend(header.crc32.to_le_bytes());
    bytes.extend(header.compressed_size.to_le_bytes());
    bytes.extend(header.size.to_le_bytes());
    bytes.extend(u16::try_from(header.name.len()).unwrap().to_le_bytes());
    bytes.extend(u16::try_from(header.extra.len()).unwrap().to_le_bytes());
    bytes
}

/// The Zip64 end record and its locator for a directory of `size` bytes that ends where they begin.
pub(crate) fn zip64_records(count: u64, size: u64, offset: u64) -> Vec<u8> {
    let mut bytes = b"PK\x06\x06".to_vec();
    bytes.extend(44u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for value in [count, count, size, offset] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend((offset + size).to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes
}
