//! What is added to messages and modals alike, split so that each block is within its limits.

use super::{Actions, Block, limits};
use crate::{Plain, Text};

pub(crate) fn header(blocks: &mut Vec<Block>, text: Plain) {
    if !text.as_str().trim().is_empty() {
        blocks.push(Block::Header(text));
    }
}

pub(crate) fn section(blocks: &mut Vec<Block>, text: &Text) {
    blocks.extend(text.split(limits::SECTION).into_iter().map(Block::Section));
}

/// Slack shows fields in two columns.
pub(crate) fn fields(blocks: &mut Vec<Block>, fields: impl IntoIterator<Item = Text>) {
    let fields: Vec<_> =
        fields.into_iter().filter(|field| !field.is_empty()).map(|field| field.cut(limits::FIELD)).collect();
    blocks.extend(fields.chunks(limits::FIELDS).map(|chunk| Block::Fields(chunk.to_vec())));
}

pub(crate) fn context(blocks: &mut Vec<Block>, texts: impl IntoIterator<Item = Text>) {
    let texts: Vec<_> = texts.into_iter().flat_map(|text| text.split(limits::CONTEXT_TEXT)).collect();
    blocks.extend(texts.chunks(limits::CONTEXT_ELEMENTS).map(|chunk| Block::Context(chunk.to_vec())));
}

pub(crate) fn actions(blocks: &mut Vec<Block>, actions: Actions) {
    if !actions.is_empty() {
        blocks.push(Block::Actions(actions));
    }
}
