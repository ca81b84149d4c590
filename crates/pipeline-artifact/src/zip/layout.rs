//! How entries lie in the archive and how their paths relate: nothing shared, nothing twice.

use super::entry::Entry;
use super::fault::ArchiveFault;
use super::local::LOCAL_HEADER_BYTES;

/// Checks that entries do not overlap and that paths are unambiguous, notes what follows each entry, and sorts by path.
pub(crate) fn arrange(mut entries: Vec<Entry>, directory_offset: u64) -> Result<Vec<Entry>, ArchiveFault> {
    entries.sort_unstable_by_key(|entry| entry.header_offset);
    let leading = entries.first().map_or(directory_offset, |first| first.header_offset);
    if leading != 0 {
        return Err(ArchiveFault::LeadingData { bytes: leading });
    }
    let mut limit = directory_offset;
    for entry in entries.iter_mut().rev() {
        let least = LOCAL_HEADER_BYTES + entry.raw_name().len() as u64;
        let end = entry.header_offset.checked_add(least).and_then(|start| start.checked_add(entry.compressed_size));
        if end.is_none_or(|end| end > limit) {
            return Err(ArchiveFault::Overlap { path: entry.path.clone() });
        }
        entry.limit_offset = limit;
        limit = entry.header_offset;
    }
    entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    check_paths(&entries)?;
    Ok(entries)
}

fn check_paths(entries: &[Entry]) -> Result<(), ArchiveFault> {
    if let Some(folder) = entries.iter().find(|entry| entry.is_directory() && entry.size != 0) {
        // A damaged name could make a folder of a file, which would then be missing without a trace.
        return Err(ArchiveFault::UnsafePath { path: folder.path.clone(), problem: "is a folder and has content" });
    }
    for pair in entries.windows(2) {
        // A folder may be listed twice: that changes nothing.
        if pair[0].path == pair[1].path && !(pair[0].is_directory() && pair[1].is_directory()) {
            return Err(ArchiveFault::DuplicatePath { path: pair[0].path.clone() });
        }
    }
    for entry in entries {
        for (slash, _) in entry.path.match_indices('/') {
            let folder = &entry.path[..slash];
            let found = entries.binary_search_by(|other| other.path.as_str().cmp(folder));
            if found.is_ok_and(|index| !entries[index].is_directory()) {
                return Err(ArchiveFault::FileAndFolder { path: folder.to_owned() });
            }
        }
    }
    Ok(())
}
