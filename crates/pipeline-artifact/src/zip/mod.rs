//! The ZIP format, read strictly: end record, central directory, local headers.
//!
//! Offsets and names of fields are those of PKWARE's APPNOTE.TXT 6.3.10, whose sections are named where a rule is taken
//! from there.

mod central;
mod end;
mod entry;
mod extra;
mod fault;
mod fields;
mod layout;
mod local;
mod name;
mod sniff;

pub(crate) use central::DirectoryParser;
pub(crate) use end::EndRecord;
pub use entry::{Entry, Method};
pub use fault::{ArchiveFault, EntryFault, EntryRefusal};
pub(crate) use layout::arrange;
pub(crate) use local::{LONGEST_DATA_DESCRIPTOR, LocalHeader, check_data_descriptor};
pub(crate) use name::check_written_path;
pub(crate) use sniff::{SNIFFED_BYTES, looks_like};
