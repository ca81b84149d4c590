//! Small files that lie side by side are fetched by one request: a build writes its reports one after the other, and a
//! request each would take longer than everything else.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Mutex;

use crate::error::Problem;
use crate::object::{ArtifactObject, RangeStream};
use crate::select::SelectedFile;
use crate::zip::Entry;

/// Bytes fetched together at most; one run is kept in memory.
const LONGEST_RUN: u64 = 512 * 1024;
/// Bytes between two wanted files that cost less than a request of their own.
const LONGEST_GAP: u64 = 16 * 1024;

/// Notes in each of `files`, which are in the order of the archive, with which others it is to be fetched.
pub(crate) fn plan(files: &mut [SelectedFile], tail_start: u64) {
    let mut rest = files;
    while let Some(first) = rest.first() {
        let mut run = first.entry.range();
        let length = 1 + rest[1..]
            .iter()
            .take_while(|file| {
                let next = file.entry.range();
                let is_near = next.start.saturating_sub(run.end) <= LONGEST_GAP;
                // What begins in the tail is in memory already.
                let joins = is_near && next.end - run.start <= LONGEST_RUN && next.start < tail_start;
                if joins {
                    run.end = run.end.max(next.end);
                }
                joins
            })
            .count();
        let (together, others) = rest.split_at_mut(length);
        if length > 1 {
            together.iter_mut().for_each(|file| file.entry.run = Some(run.clone()));
        }
        rest = others;
    }
}

/// The run that was fetched last.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastRun(Arc<Mutex<Option<Run>>>);

#[derive(Debug)]
struct Run {
    range: Range<u64>,
    bytes: Bytes,
}

impl LastRun {
    /// The bytes of `entry`, from the last run, from a new one, or by a request of its own.
    pub(crate) async fn stream(&self, object: &ArtifactObject, entry: &Entry) -> Result<RangeStream, Problem> {
        let range = entry.range();
        let Some(run) = &entry.run else { return Ok(object.stream(range)) };
        let mut last = self.0.lock().await;
        let bytes = match &*last {
            Some(fetched) if fetched.range == *run => fetched.bytes.clone(),
            _ => {
                *last = None;
                let bytes = object.stream(run.clone()).collect().await?;
                last.insert(Run { range: run.clone(), bytes }).bytes.clone()
            }
        };
        let place = |offset: u64| usize::try_from(offset - run.start).unwrap_or(usize::MAX).min(bytes.len());
        Ok(object.in_memory(bytes.slice(place(range.start)..place(range.end))))
    }
}
