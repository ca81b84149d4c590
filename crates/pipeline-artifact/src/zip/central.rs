//! Central directory headers (APPNOTE 4.3.12), parsed while they arrive.

use super::entry::{Entry, EntryKind, Method, flag};
use super::extra::{Sizes, unicode_path};
use super::fault::ArchiveFault;
use super::fields::Fields;
use super::name::Name;

const SIGNATURE: u32 = 0x0201_4b50;

/// Takes the central directory in pieces of any size and keeps its entries only.
pub(crate) struct DirectoryParser {
    announced: u64,
    pending: Vec<u8>,
    entries: Vec<Entry>,
}

impl DirectoryParser {
    /// For a directory of `announced` entries, a number that has been checked against the limit.
    pub(crate) fn new(announced: u64) -> Self {
        Self { announced, pending: Vec::new(), entries: Vec::new() }
    }

    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), ArchiveFault> {
        self.pending.extend_from_slice(bytes);
        let mut used = 0;
        while let Some((entry, length)) = parse_header(&self.pending[used..], self.entries.len() as u64)? {
            if self.entries.len() as u64 == self.announced {
                return Err(ArchiveFault::EntryCount { announced: self.announced, found: self.announced + 1 });
            }
            self.entries.push(entry);
            used += length;
        }
        self.pending.drain(..used);
        Ok(())
    }

    /// All entries, folders included, once the whole directory has been pushed.
    pub(crate) fn finish(self) -> Result<Vec<Entry>, ArchiveFault> {
        let found = self.entries.len() as u64;
        if !self.pending.is_empty() {
            return Err(ArchiveFault::DirectoryHeader { index: found, detail: "it is incomplete" });
        }
        if found != self.announced {
            return Err(ArchiveFault::EntryCount { announced: self.announced, found });
        }
        Ok(self.entries)
    }
}

struct Header<'a> {
    made_by: u16,
    flags: u16,
    method: u16,
    crc32: u32,
    external_attributes: u32,
    sizes: Sizes,
    name: &'a [u8],
    extra: &'a [u8],
    length: usize,
}

/// `None`: the header is not complete yet.
fn parse_header(bytes: &[u8], index: u64) -> Result<Option<(Entry, usize)>, ArchiveFault> {
    let damaged = |detail| ArchiveFault::DirectoryHeader { index, detail };
    if Fields(bytes).u32().is_some_and(|signature| signature != SIGNATURE) {
        return Err(damaged("its signature is wrong"));
    }
    let Some(header) = split_header(bytes) else { return Ok(None) };
    if header.flags & flag::MASKED_HEADERS != 0 {
        return Err(ArchiveFault::DirectoryEncrypted);
    }
    let sizes = header.sizes.resolve(header.extra).map_err(damaged)?;
    if sizes.disk != 0 {
        return Err(ArchiveFault::MultiDisk);
    }
    let unicode = unicode_path(header.extra, header.name).map_err(damaged)?;
    let name = Name::read(header.name, header.flags, unicode)?;
    let raw_name = (name.path.as_bytes() != header.name).then(|| header.name.into());
    let entry = Entry {
        kind: kind(header.made_by, header.external_attributes, name.is_directory),
        path: name.path,
        raw_name,
        other_path: name.other.map(Box::new),
        method: Method::from_number(header.method),
        flags: header.flags,
        crc32: header.crc32,
        compressed_size: sizes.compressed_size,
        size: sizes.size,
        header_offset: sizes.header_offset,
        limit_offset: sizes.header_offset,
        run: None,
    };
    Ok(Some((entry, header.length)))
}

fn split_header(bytes: &[u8]) -> Option<Header<'_>> {
    let mut fields = Fields(bytes);
    let _signature = fields.u32()?;
    let (made_by, _needed, flags, method) = (fields.u16()?, fields.u16()?, fields.u16()?, fields.u16()?);
    let (_modified, crc32) = (fields.u32()?, fields.u32()?);
    let (compressed_size, size) = (fields.u32()?, fields.u32()?);
    let (name_length, extra_length, comment_length) = (fields.u16()?, fields.u16()?, fields.u16()?);
    let (disk, _internal_attributes) = (fields.u16()?, fields.u16()?);
    let (external_attributes, header_offset) = (fields.u32()?, fields.u32()?);
    let name = fields.bytes(name_length.into())?;
    let extra = fields.bytes(extra_length.into())?;
    let _comment = fields.bytes(comment_length.into())?;
    let sizes = Sizes {
        size: size.into(),
        compressed_size: compressed_size.into(),
        header_offset: header_offset.into(),
        disk: disk.into(),
    };
    let length = bytes.len() - fields.0.len();
    Some(Header { made_by, flags, method, crc32, external_attributes, sizes, name, extra, length })
}

/// What an entry stands for. Unix writers put the file's mode into the upper half of the external attributes.
fn kind(made_by: u16, external_attributes: u32, is_directory: bool) -> EntryKind {
    const UNIX: u16 = 3;
    const MACOS: u16 = 19;
    if is_directory {
        return EntryKind::Directory;
    }
    if !matches!(made_by >> 8, UNIX | MACOS) {
        return EntryKind::File;
    }
    match (external_attributes >> 16) & 0o170_000 {
        0 | 0o100_000 => EntryKind::File,
        0o120_000 => EntryKind::SymbolicLink,
        _ => EntryKind::SpecialFile,
    }
}
