//! Extra fields (APPNOTE 4.5): Zip64 sizes and the Unicode path.

use super::fields::Fields;

const ZIP64: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;

/// Values that a header has no room for and that the Zip64 extra field gives instead (APPNOTE 4.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) size: u64,
    pub(super) compressed_size: u64,
    pub(super) header_offset: u64,
    pub(super) disk: u32,
}

impl Sizes {
    /// Replaces the values that say "see the Zip64 extra field", which stands in for them in this order.
    ///
    /// Fields that do not say so are not replaced, even where the extra field is longer: many writers always write it whole.
    pub(super) fn resolve(self, extra: &[u8]) -> Result<Self, &'static str> {
        let mut zip64 = find(extra, ZIP64)?.map(Fields);
        let mut wide = |value: u64| match (value, &mut zip64) {
            (value, _) if value != u64::from(u32::MAX) => Ok(value),
            (_, Some(fields)) => fields.u64().ok_or("Zip64 extra field too short"),
            (_, None) => Err("Zip64 extra field missing"),
        };
        let size = wide(self.size)?;
        let compressed_size = wide(self.compressed_size)?;
        let header_offset = wide(self.header_offset)?;
        let disk = match (self.disk, &mut zip64) {
            (0xFFFF, Some(fields)) => fields.u32().ok_or("Zip64 extra field too short")?,
            (disk, _) => disk,
        };
        Ok(Self { size, compressed_size, header_offset, disk })
    }
}

/// The UTF-8 name of the Info-ZIP Unicode path field (APPNOTE 4.6.9), where it belongs to `header_name`: a tool that knew
/// nothing of the field may have renamed the entry.
pub(super) fn unicode_path<'a>(extra: &'a [u8], header_name: &[u8]) -> Result<Option<&'a [u8]>, &'static str> {
    let Some(field) = find(extra, UNICODE_PATH)? else { return Ok(None) };
    let Some((1, rest)) = field.split_first() else { return Ok(None) };
    let mut fields = Fields(rest);
    let Some(crc32) = fields.u32() else { return Err("Unicode path field too short") };
    Ok((crc32 == crc32fast::hash(header_name)).then_some(fields.0))
}

/// The content of the field `id`. Padding that is no field may stand at the end (zipalign writes it).
fn find(extra: &[u8], id: u16) -> Result<Option<&[u8]>, &'static str> {
    let mut fields = Fields(extra);
    let mut found = None;
    while let (Some(current), Some(length)) = (fields.u16(), fields.u16()) {
        let Some(content) = fields.bytes(usize::from(length)) else { break };
        if current == id && found.replace(content).is_some() {
            return Err("an extra field stands twice");
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(id: u16, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap();
        [&id.to_le_bytes(), &length.to_le_bytes(), content].concat()
    }

    #[test]
    fn zip64_values_stand_in_for_marked_fields_in_order() {
        const MARK: u64 = 0xFFFF_FFFF;
        let values = [7u64.to_le_bytes(), 8u64.to_le_bytes(), 9u64.to_le_bytes()].concat();
        let cases = [
            ((1, 2, 3), vec![], Ok((1, 2, 3))),
            ((MARK, 2, 3), field(ZIP64, &values), Ok((7, 2, 3))),
            ((1, 2, MARK), field(ZIP64, &values), Ok((1, 2, 7))),
            ((MARK, MARK, MARK), field(ZIP64, &values), Ok((7, 8, 9))),
            ((MARK, MARK, 3), field(ZIP64, &values[..12]), Err("Zip64 extra field too short")),
            ((MARK, 2, 3), field(0x5455, &values), Err("Zip64 extra field missing")),
            ((MARK, 2, 3), [field(ZIP64, &values), field(ZIP64, &values)].concat(), Err("an extra field stands twice")),
            ((MARK, 2, 3), [field(0x5455, &[1]), field(ZIP64, &values), vec![0, 0]].concat(), Ok((7, 2, 3))),
        ];
        for ((size, compressed_size, header_offset), extra, expected) in cases {
            let resolved = Sizes { size, compressed_size, header_offset, disk: 0 }.resolve(&extra);
            assert_eq!(resolved.map(|r| (r.size, r.compressed_size, r.header_offset)), expected);
        }
    }

    #[test]
    fn a_unicode_path_counts_only_for_the_name_it_was_made_for() {
        let content = [&[1u8][..], &crc32fast::hash(b"r?sum").to_le_bytes(), "résum".as_bytes()].concat();
        let extra = field(UNICODE_PATH, &content);
        assert_eq!(unicode_path(&extra, b"r?sum"), Ok(Some("résum".as_bytes())));
        assert_eq!(unicode_path(&extra, b"renamed"), Ok(None));
        assert_eq!(unicode_path(&field(UNICODE_PATH, &[1, 2]), b"x"), Err("Unicode path field too short"));
        assert_eq!(unicode_path(&field(UNICODE_PATH, &[2, 2]), b"x"), Ok(None));
    }
}
