//! Slack's limits, in characters where they are of texts.

pub(crate) const BLOCKS_PER_MESSAGE: usize = 50;
pub(crate) const BLOCKS_PER_MODAL: usize = 100;
/// Undocumented: beyond about 13000 characters of blocks Slack answers `msg_blocks_too_long`.
pub(crate) const MESSAGE_BLOCKS_SIZE: usize = 12_000;
/// A view may have 250 KB.
pub(crate) const MODAL_BLOCKS_SIZE: usize = 100_000;
/// Slack advises at most 4000 and cuts at 40000.
pub(crate) const MESSAGE_TEXT: usize = 4000;
pub(crate) const HEADER: usize = 150;
pub(crate) const SECTION: usize = 3000;
pub(crate) const FIELD: usize = 2000;
pub(crate) const FIELDS: usize = 10;
pub(crate) const CONTEXT_ELEMENTS: usize = 10;
/// Not documented for elements of a context; the limit of a section holds for every text object.
pub(crate) const CONTEXT_TEXT: usize = 3000;
pub(crate) const ACTIONS_ELEMENTS: usize = 25;
pub(crate) const BUTTON_TEXT: usize = 75;
pub(crate) const BUTTON_VALUE: usize = 2000;
pub(crate) const URL: usize = 3000;
pub(crate) const ID: usize = 255;
pub(crate) const CONFIRM_TITLE: usize = 100;
pub(crate) const CONFIRM_TEXT: usize = 300;
pub(crate) const CONFIRM_BUTTON: usize = 30;
pub(crate) const PLACEHOLDER: usize = 150;
pub(crate) const MODAL_TITLE: usize = 24;
pub(crate) const PRIVATE_METADATA: usize = 3000;
pub(crate) const INPUT_LABEL: usize = 2000;
pub(crate) const INPUT_LENGTH: usize = 3000;

/// Something that programs read is longer than Slack takes, and cannot be cut. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("set the {what} of a Slack message: it has {length} characters, and {max} are allowed")]
pub struct TooLong {
    what: &'static str,
    length: usize,
    max: usize,
}

/// The text, if it is not longer than its limit.
pub(crate) fn whole(what: &'static str, text: impl Into<String>, max: usize) -> Result<String, TooLong> {
    let text = text.into();
    match crate::length::length(&text) {
        length if length > max => Err(TooLong { what, length, max }),
        _ => Ok(text),
    }
}
