//! From the bytes of an entry in the archive to the bytes of the file, with every check on the way.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use flate2::{Decompress, FlushDecompress, Status};

use crate::error::Problem;
use crate::limits::{Budget, Limits};
use crate::zip::{Entry, EntryFault, LONGEST_DATA_DESCRIPTOR, LocalHeader, Method, check_data_descriptor};

/// Takes the bytes from the local header on, in chunks of any size.
#[derive(Debug)]
pub(crate) struct EntryDecoder {
    entry: Entry,
    limits: Arc<Limits>,
    budget: Arc<Budget>,
    state: State,
    /// The local header, or the data descriptor, as far as it has arrived.
    record: Vec<u8>,
    inflate: Option<Decompress>,
    compressed_left: u64,
    descriptor_bytes: usize,
    inflated: u64,
    crc32: crc32fast::Hasher,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    LocalHeader,
    Data,
    DataDescriptor,
    Verified,
}

/// What a call has led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many bytes of the file have been written.
    Inflated(usize),
    /// The input is used up.
    NeedsInput,
    /// The file is complete and verified.
    Verified,
}

impl EntryDecoder {
    /// The declared bytes of the file. More than these are never inflated.
    pub(crate) fn size(&self) -> u64 {
        self.entry.size
    }

    /// For an entry that is readable and whose declared sizes are within the limits.
    pub(crate) fn new(entry: Entry, limits: Arc<Limits>, budget: Arc<Budget>) -> Result<Self, Problem> {
        entry.check_readable()?;
        limits.check_entry(entry.compressed_size, entry.size)?;
        let inflate = match entry.method {
            Method::Deflated => Some(Decompress::new(false)),
            _ => None,
        };
        Ok(Self {
            compressed_left: entry.compressed_size,
            entry,
            limits,
            budget,
            state: State::LocalHeader,
            record: Vec::new(),
            inflate,
            descriptor_bytes: 0,
            inflated: 0,
            crc32: crc32fast::Hasher::new(),
        })
    }

    /// Whether all bytes of the file have been handed out, verified or not.
    pub(crate) fn has_inflated_all(&self) -> bool {
        matches!(self.state, State::DataDescriptor | State::Verified)
    }

    /// Goes on with `input`, which is advanced by what was used, and writes to `output`, which must not be empty before
    /// all bytes have been handed out.
    pub(crate) fn step(&mut self, input: &mut Bytes, output: &mut [u8]) -> Result<Step, Problem> {
        loop {
            match self.state {
                State::LocalHeader => {
                    if !self.take_local_header(input)? {
                        return Ok(Step::NeedsInput);
                    }
                    self.state = State::Data;
                }
                State::Data => {
                    let (step, is_end) = self.inflate(input, output)?;
                    if is_end {
                        self.check_content()?;
                        self.state =
                            if self.entry.has_data_descriptor() { State::DataDescriptor } else { State::Verified };
                    }
                    if step != Step::Inflated(0) {
                        return Ok(step);
                    }
                }
                State::DataDescriptor => {
                    if !self.take_data_descriptor(input)? {
                        return Ok(Step::NeedsInput);
                    }
                    self.state = State::Verified;
                }
                State::Verified => return Ok(Step::Verified),
            }
        }
    }

    /// What it means that the range of the entry has no more bytes although some are needed.
    pub(crate) fn fault_at_end_of_range(&self) -> Problem {
        EntryFault::Overlap.into()
    }

    fn take_local_header(&mut self, input: &mut Bytes) -> Result<bool, Problem> {
        const LONGEST: usize = 30 + 2 * u16::MAX as usize;
        let before = self.record.len();
        let taken = input.len().min(LONGEST - before);
        self.record.extend_from_slice(&input[..taken]);
        let Some(header) = LocalHeader::read(&self.record, &self.entry)? else {
            input.advance(taken);
            return Ok(false);
        };
        input.advance(header.length - before);
        self.record = Vec::new();
        let data_end = self.entry.header_offset + header.length as u64 + self.entry.compressed_size;
        let room = usize::try_from(self.entry.limit_offset - data_end).unwrap_or(usize::MAX);
        self.descriptor_bytes = room.min(LONGEST_DATA_DESCRIPTOR);
        Ok(true)
    }

    fn take_data_descriptor(&mut self, input: &mut Bytes) -> Result<bool, Problem> {
        let taken = input.len().min(self.descriptor_bytes - self.record.len());
        self.record.extend_from_slice(&input.split_to(taken));
        if self.record.len() < self.descriptor_bytes {
            return Ok(false);
        }
        check_data_descriptor(&self.record, &self.entry)?;
        Ok(true)
    }

    /// One step of the data, and whether it was the last one.
    fn inflate(&mut self, input: &mut Bytes, output: &mut [u8]) -> Result<(Step, bool), Problem> {
        let usable = input.len().min(usize::try_from(self.compressed_left).unwrap_or(usize::MAX));
        let (used, written, is_end) = match &mut self.inflate {
            None => {
                let length = usable.min(output.len());
                output[..length].copy_from_slice(&input[..length]);
                (length, length, self.compressed_left == length as u64)
            }
            Some(inflate) => {
                let (in_before, out_before) = (inflate.total_in(), inflate.total_out());
                let status = inflate
                    .decompress(&input[..usable], output, FlushDecompress::None)
                    .map_err(|_| EntryFault::Deflate { inflated: self.inflated })?;
                let progress = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
                let (used, written) =
                    (progress(inflate.total_in(), in_before), progress(inflate.total_out(), out_before));
                (used, written, status == Status::StreamEnd)
            }
        };
        input.advance(used);
        self.compressed_left -= used as u64;
        self.count(&output[..written])?;
        if is_end || written > 0 {
            return Ok((Step::Inflated(written), is_end));
        }
        if self.compressed_left == 0 {
            return Err(EntryFault::DeflateUnfinished { inflated: self.inflated, declared: self.entry.size }.into());
        }
        if used == 0 && usable > 0 {
            return Err(EntryFault::Deflate { inflated: self.inflated }.into());
        }
        Ok((Step::NeedsInput, false))
    }

    fn count(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.inflated += bytes.len() as u64;
        if self.inflated > self.entry.size {
            return Err(EntryFault::Larger { declared: self.entry.size, inflated: self.inflated }.into());
        }
        self.limits.check_entry(self.entry.compressed_size, self.inflated)?;
        self.budget.charge(bytes.len() as u64, &self.limits)?;
        self.crc32.update(bytes);
        Ok(())
    }

    fn check_content(&self) -> Result<(), EntryFault> {
        let Entry { size, crc32, .. } = self.entry;
        if self.compressed_left != 0 {
            return Err(EntryFault::DeflateTrailing { bytes: self.compressed_left });
        }
        if self.inflated != size {
            return Err(EntryFault::Smaller { declared: size, inflated: self.inflated });
        }
        let computed = self.crc32.clone().finalize();
        if computed != crc32 {
            return Err(EntryFault::Checksum { declared: crc32, computed });
        }
        Ok(())
    }
}
