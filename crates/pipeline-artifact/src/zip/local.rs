//! Local headers (APPNOTE 4.3.7) and data descriptors (4.3.9), which must repeat what the central directory says.

use super::entry::{Entry, Method, flag};
use super::extra::Sizes;
use super::fault::EntryFault;
use super::fields::Fields;

const SIGNATURE: u32 = 0x0403_4b50;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;

/// Bytes of a local header before the name and the extra field.
pub(crate) const LOCAL_HEADER_BYTES: u64 = 30;
/// Signature, CRC-32 and two 64-bit sizes.
pub(crate) const LONGEST_DATA_DESCRIPTOR: usize = 24;

/// What a local header says about where the data begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalHeader {
    /// Bytes of the header with its name and its extra field.
    pub(crate) length: usize,
}

impl LocalHeader {
    /// Parses the header of `entry` at the start of `bytes` and compares it. `None`: it is not complete yet.
    pub(crate) fn read(bytes: &[u8], entry: &Entry) -> Result<Option<Self>, EntryFault> {
        let mut fields = Fields(bytes);
        if fields.u32().is_some_and(|signature| signature != SIGNATURE) {
            return Err(EntryFault::NoLocalHeader { offset: entry.header_offset });
        }
        let Some(header) = split(fields) else { return Ok(None) };
        let length = bytes.len() - header.rest;
        header.compare(entry)?;
        if entry.header_offset + length as u64 + entry.compressed_size > entry.limit_offset {
            return Err(EntryFault::Overlap);
        }
        Ok(Some(Self { length }))
    }
}

struct Fixed<'a> {
    flags: u16,
    method: u16,
    crc32: u32,
    compressed_size: u32,
    size: u32,
    name: &'a [u8],
    extra: &'a [u8],
    rest: usize,
}

fn split(mut fields: Fields<'_>) -> Option<Fixed<'_>> {
    let (_needed, flags, method, _modified) = (fields.u16()?, fields.u16()?, fields.u16()?, fields.u32()?);
    let (crc32, compressed_size, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
    let (name_length, extra_length) = (fields.u16()?, fields.u16()?);
    let name = fields.bytes(name_length.into())?;
    let extra = fields.bytes(extra_length.into())?;
    Some(Fixed { flags, method, crc32, compressed_size, size, name, extra, rest: fields.0.len() })
}

impl Fixed<'_> {
    fn compare(&self, entry: &Entry) -> Result<(), EntryFault> {
        let agree = |holds: bool, field| if holds { Ok(()) } else { Err(EntryFault::HeadersDisagree { field }) };
        agree(self.name == entry.raw_name(), "name")?;
        agree(Method::from_number(self.method) == entry.method, "method")?;
        let mut meaning = flag::ENCRYPTED | flag::DATA_DESCRIPTOR | flag::PATCHED | flag::STRONG_ENCRYPTION;
        meaning |= flag::MASKED_HEADERS;
        if !self.name.is_ascii() {
            meaning |= flag::UTF8;
        }
        agree((self.flags ^ entry.flags) & meaning == 0, "flags")?;
        let sizes =
            Sizes { size: self.size.into(), compressed_size: self.compressed_size.into(), header_offset: 0, disk: 0 };
        let sizes = sizes.resolve(self.extra).map_err(|_| EntryFault::HeadersDisagree { field: "size" })?;
        // A writer that cannot go back leaves zeros here and puts the values behind the data.
        let later = entry.has_data_descriptor();
        let same = |local: u64, central: u64| local == central || (later && local == 0);
        agree(same(sizes.size, entry.size), "size")?;
        agree(same(sizes.compressed_size, entry.compressed_size), "compressed size")?;
        agree(same(self.crc32.into(), entry.crc32.into()), "CRC-32")
    }
}

/// Whether a data descriptor in one of its four forms stands at the start of `bytes` and repeats the central directory.
/// `bytes` is cut at what follows the entry.
pub(crate) fn check_data_descriptor(bytes: &[u8], entry: &Entry) -> Result<(), EntryFault> {
    let fits = |signature: bool, wide: bool| {
        let mut fields = Fields(bytes);
        if signature && fields.u32() != Some(DESCRIPTOR_SIGNATURE) {
            return false;
        }
        let crc32 = fields.u32();
        let mut size = || if wide { fields.u64() } else { fields.u32().map(u64::from) };
        crc32 == Some(entry.crc32) && size() == Some(entry.compressed_size) && size() == Some(entry.size)
    };
    if [(true, false), (true, true), (false, false), (false, true)].iter().any(|&(signed, wide)| fits(signed, wide)) {
        return Ok(());
    }
    Err(EntryFault::DataDescriptor)
}
