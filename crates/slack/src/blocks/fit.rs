//! Making a list of blocks fit: text is left out from its end, with a word about it; buttons and inputs stay.

use serde_json::Value;

use super::Block;
use crate::Text;
use crate::length::length;

/// What a list of blocks may be.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) blocks: usize,
    /// Characters of JSON.
    pub(crate) size: usize,
}

/// The blocks as JSON, as many of them as there is room for.
pub(crate) fn fit(blocks: &[Block], room: Room) -> Vec<Value> {
    let mut shown: Vec<(bool, Value, usize)> = blocks.iter().map(measured).collect();
    let mut size: usize = shown.iter().map(|(_, _, size)| size + 1).sum();
    if shown.len() <= room.blocks && size <= room.size {
        return shown.into_iter().map(|(_, json, _)| json).collect();
    }
    let note = measured(&note());
    size += note.2 + 1;
    let mut place = shown.len();
    while shown.len() >= room.blocks || size > room.size {
        // The first block stays: it says what the message is about.
        let Some(last) = shown.iter().rposition(|(may_go, _, _)| *may_go).filter(|last| *last > 0) else { break };
        size -= shown.remove(last).2 + 1;
        place = last;
    }
    shown.insert(place.min(shown.len()), note);
    shown.truncate(room.blocks);
    shown.into_iter().map(|(_, json, _)| json).collect()
}

fn measured(block: &Block) -> (bool, Value, usize) {
    let json = block.to_json();
    let size = length(&json.to_string());
    (block.may_be_left_out(), json, size)
}

fn note() -> Block {
    Block::Context(vec![Text::literal("_The rest is too long for Slack and is not shown._")])
}
