//! The end of central directory record and its Zip64 relatives (APPNOTE 4.3.14 to 4.3.16).

use super::fault::ArchiveFault;
use super::fields::Fields;

const SIGNATURE: &[u8; 4] = b"PK\x05\x06";
const ZIP64_LOCATOR_SIGNATURE: u32 = 0x0706_4b50;
const ZIP64_RECORD_SIGNATURE: u32 = 0x0606_4b50;
const RECORD_BYTES: usize = 22;
const ZIP64_LOCATOR_BYTES: u64 = 20;
const ZIP64_RECORD_BYTES: u64 = 56;
/// A Zip64 record may carry an extensible part, for which no known writer has a use.
const LONGEST_ZIP64_RECORD: u64 = 64 * 1024;

/// Where the central directory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) entries: u64,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// The end record, found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndRecord {
    offset: u64,
    entries: u16,
    directory_size: u32,
    directory_offset: u32,
    zip64_record_offset: Option<u64>,
}

impl EndRecord {
    /// Looks for the end record in `tail`, the last bytes of an object of `object_size` bytes. `None`: there is none.
    ///
    /// Only a record whose comment ends with the object counts. A second candidate, be it hidden in the comment of the
    /// first, makes the archive ambiguous: readers differ in which one they take.
    pub(crate) fn find(tail: &[u8], object_size: u64) -> Result<Option<Self>, ArchiveFault> {
        let Some(last_start) = tail.len().checked_sub(RECORD_BYTES) else { return Ok(None) };
        let mut last_signature = None;
        let mut exact = None;
        for start in (0..=last_start).filter(|&start| tail[start..].starts_with(SIGNATURE)) {
            last_signature = Some(start);
            if record_end(tail, start) == Some(tail.len()) && exact.replace(start).is_some() {
                return Err(ArchiveFault::SeveralEnds);
            }
        }
        let start = match (exact, last_signature) {
            (None, None) => return Ok(None),
            (Some(exact), Some(last)) if exact == last => exact,
            (Some(_), _) => return Err(ArchiveFault::SeveralEnds),
            (None, Some(last)) => {
                return Err(match record_end(tail, last) {
                    Some(end) if end < tail.len() => ArchiveFault::TrailingData { bytes: (tail.len() - end) as u64 },
                    _ => ArchiveFault::Truncated,
                });
            }
        };
        Self::parse(tail, start, object_size).map(Some)
    }

    fn parse(tail: &[u8], start: usize, object_size: u64) -> Result<Self, ArchiveFault> {
        let offset = object_size - (tail.len() - start) as u64;
        let mut fields = Fields(&tail[start + SIGNATURE.len()..]);
        let record = (|| {
            let disks = (fields.u16()?, fields.u16()?);
            Some((disks, fields.u16()?, fields.u16()?, fields.u32()?, fields.u32()?))
        })();
        let Some(((disk, directory_disk), entries_here, entries, directory_size, directory_offset)) = record else {
            return Err(ArchiveFault::Truncated);
        };
        // A Zip64 archive may mark the disk numbers as "see the Zip64 record".
        let is_first = |disk: u16| disk == 0 || disk == u16::MAX;
        if !is_first(disk) || !is_first(directory_disk) || entries_here != entries {
            return Err(ArchiveFault::MultiDisk);
        }
        let zip64_record_offset = match start.checked_sub(20) {
            Some(locator) => Self::parse_locator(&tail[locator..start], offset)?,
            None => None,
        };
        if zip64_record_offset.is_none() && (disk != 0 || directory_disk != 0) {
            return Err(ArchiveFault::MultiDisk);
        }
        Ok(Self { offset, entries, directory_size, directory_offset, zip64_record_offset })
    }

    fn parse_locator(bytes: &[u8], end_offset: u64) -> Result<Option<u64>, ArchiveFault> {
        let mut fields = Fields(bytes);
        if fields.u32() != Some(ZIP64_LOCATOR_SIGNATURE) {
            return Ok(None);
        }
        let (Some(disk), Some(record_offset), Some(disks)) = (fields.u32(), fields.u64(), fields.u32()) else {
            return Err(ArchiveFault::Truncated);
        };
        if disk != 0 || disks > 1 {
            return Err(ArchiveFault::MultiDisk);
        }
        let length = end_offset.checked_sub(ZIP64_LOCATOR_BYTES).and_then(|locator| locator.checked_sub(record_offset));
        match length {
            Some(ZIP64_RECORD_BYTES..=LONGEST_ZIP64_RECORD) => Ok(Some(record_offset)),
            _ => Err(ArchiveFault::Zip64 { detail: "it is not where its locator says" }),
        }
    }

    /// The bytes of the Zip64 end record, which [`EndRecord::directory`] needs where there is one.
    pub(crate) fn zip64_record(&self) -> Option<std::ops::Range<u64>> {
        self.zip64_record_offset.map(|offset| offset..self.offset - ZIP64_LOCATOR_BYTES)
    }

    /// Where the central directory lies, with every contradiction refused.
    pub(crate) fn directory(&self, zip64_record: Option<&[u8]>) -> Result<Directory, ArchiveFault> {
        let (directory, end) = match (self.zip64_record_offset, zip64_record) {
            (Some(offset), Some(record)) => (self.resolve_zip64(record)?, offset),
            _ => {
                let (offset, size) = (u64::from(self.directory_offset), u64::from(self.directory_size));
                (Directory { entries: u64::from(self.entries), offset, size }, self.offset)
            }
        };
        let Directory { offset, size, .. } = directory;
        if offset.checked_add(size) != Some(end) {
            return Err(ArchiveFault::DirectoryPlace { offset, size, end });
        }
        Ok(directory)
    }

    fn resolve_zip64(&self, record: &[u8]) -> Result<Directory, ArchiveFault> {
        let mut fields = Fields(record);
        let parsed = (|| {
            let (signature, record_size) = (fields.u32()?, fields.u64()?);
            let _versions = fields.u32()?;
            let disks = (fields.u32()?, fields.u32()?);
            let entries = (fields.u64()?, fields.u64()?);
            Some((signature, record_size, disks, entries, fields.u64()?, fields.u64()?))
        })();
        let Some((ZIP64_RECORD_SIGNATURE, record_size, disks, (entries_here, entries), size, offset)) = parsed else {
            return Err(ArchiveFault::Zip64 { detail: "it is not where its locator says" });
        };
        if record_size.checked_add(12) != Some(record.len() as u64) {
            return Err(ArchiveFault::Zip64 { detail: "its length is wrong" });
        }
        if disks != (0, 0) || entries_here != entries {
            return Err(ArchiveFault::MultiDisk);
        }
        let agree = |narrow: u64, mark: u64, wide: u64| narrow == mark || narrow == wide;
        if !agree(self.entries.into(), u16::MAX.into(), entries) {
            return Err(ArchiveFault::Zip64 { detail: "the number of entries differs" });
        }
        if !agree(self.directory_size.into(), u32::MAX.into(), size)
            || !agree(self.directory_offset.into(), u32::MAX.into(), offset)
        {
            return Err(ArchiveFault::Zip64 { detail: "the place of the central directory differs" });
        }
        Ok(Directory { entries, offset, size })
    }
}

/// Where the record at `start` and its comment end; may be past the end of `tail`.
fn record_end(tail: &[u8], start: usize) -> Option<usize> {
    let mut comment_length = Fields(tail.get(start + RECORD_BYTES - 2..)?);
    Some(start + RECORD_BYTES + usize::from(comment_length.u16()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_record(entries: u16, size: u32, offset: u32, comment: &[u8]) -> Vec<u8> {
        let mut record = SIGNATURE.to_vec();
        record.extend([0; 4]);
        record.extend(entries.to_le_bytes());
        record.extend(entries.to_le_bytes());
        record.extend(size.to_le_bytes());
        record.extend(offset.to_le_bytes());
        record.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
        record.extend(comment);
        record
    }

    fn place(tail: &[u8]) -> Result<Option<Directory>, ArchiveFault> {
        match EndRecord::find(tail, tail.len() as u64)? {
            Some(end) => end.directory(None).map(Some),
            None => Ok(None),
        }
    }

    #[test]
    fn exactly_one_end_record_at_the_end_is_accepted() {
        let empty = end_record(0, 0, 0, b"");
        let inner = end_record(0, 0, 0, b"");
        let longer_comment = {
            let mut record = end_record(0, 0, 0, b"abc");
            record.truncate(record.len() - 1);
            record
        };
        let nowhere = Directory { entries: 0, offset: 0, size: 0 };
        let cases = [
            ("nothing", vec![], Ok(None)),
            ("text", b"just a text that is longer than the record".to_vec(), Ok(None)),
            ("empty archive", empty.clone(), Ok(Some(nowhere))),
            ("comment", end_record(0, 0, 0, b"built by 42"), Ok(Some(nowhere))),
            ("record in the comment", end_record(0, 0, 0, &inner), Err(ArchiveFault::SeveralEnds)),
            (
                "signature in the comment",
                end_record(0, 0, 0, &[SIGNATURE, &[7; 30][..]].concat()),
                Err(ArchiveFault::SeveralEnds),
            ),
            ("trailing data", [empty.clone(), b"junk".to_vec()].concat(), Err(ArchiveFault::TrailingData { bytes: 4 })),
            ("cut comment", longer_comment, Err(ArchiveFault::Truncated)),
            (
                "data in front",
                [b"#!".to_vec(), empty].concat(),
                Err(ArchiveFault::DirectoryPlace { offset: 0, size: 0, end: 2 }),
            ),
        ];
        for (name, tail, expected) in cases {
            assert_eq!(place(&tail), expected, "{name}");
        }
    }

    #[test]
    fn other_disks_are_refused() {
        for position in [4, 6, 8] {
            let mut record = end_record(0, 0, 0, b"");
            record[position] = 1;
            assert_eq!(place(&record), Err(ArchiveFault::MultiDisk), "{position}");
        }
    }

    fn zip64(entries: u64, size: u64, offset: u64, end: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(size).unwrap()];
        let record_offset = bytes.len() as u64;
        bytes.extend(ZIP64_RECORD_SIGNATURE.to_le_bytes());
        bytes.extend(44u64.to_le_bytes());
        bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for value in [entries, entries, size, offset] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(ZIP64_LOCATOR_SIGNATURE.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        bytes.extend(record_offset.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(end);
        bytes
    }

    #[test]
    fn zip64_must_agree_with_the_end_record() {
        let marked = end_record(u16::MAX, u32::MAX, u32::MAX, b"");
        let cases = [
            (zip64(70_000, 10, 0, &marked), Ok(Directory { entries: 70_000, offset: 0, size: 10 })),
            (zip64(3, 10, 0, &end_record(3, 10, 0, b"c")), Ok(Directory { entries: 3, offset: 0, size: 10 })),
            (
                zip64(3, 10, 0, &end_record(4, 10, 0, b"")),
                Err(ArchiveFault::Zip64 { detail: "the number of entries differs" }),
            ),
            (
                zip64(3, 10, 0, &end_record(3, 11, 0, b"")),
                Err(ArchiveFault::Zip64 { detail: "the place of the central directory differs" }),
            ),
            (zip64(3, 10, 5, &marked), Err(ArchiveFault::DirectoryPlace { offset: 5, size: 10, end: 10 })),
        ];
        for (bytes, expected) in cases {
            let end = EndRecord::find(&bytes, bytes.len() as u64).unwrap().unwrap();
            let range = end.zip64_record().unwrap();
            let record = &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
            assert_eq!(end.directory(Some(record)), expected);
        }
    }
}
