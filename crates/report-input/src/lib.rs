//! Bounded, strict reading of reports, for the crates that know what is in them; no AWS, no async.
//!
//! [`Input`] is the bytes of one report, bounded, with its beginning ([`Opening`]) looked at in advance so that a format
//! can be recognised from content. The bytes are then read in one of three ways, each as a stream with flat memory:
//!
//! * [`xml::read`] hands elements to a [`xml::Handler`]; no entities are expanded but the five predefined ones.
//! * [`json::parse`] drives a serde seed, with bounds on depth and on strings that serde_json does not have.
//! * [`Lines`] hands out lines.
//!
//! # What holds for every report
//!
//! * **Whole or not at all.** What is cut short, not well formed or not text in its encoding ends in a [`ReportError`] that
//!   names the report and the place. A handler has seen a part of the report by then, which is no evidence of the whole.
//! * **Bounded.** [`Bounds`] hold for bytes, depth, attributes and single tokens; over a bound is an error of the kind
//!   [`ErrorKind::Limit`]. Memory does not grow with the report, but with its longest token.
//! * **No expansion.** XML entities other than the five predefined ones and character references are refused, and nothing
//!   outside of the report is ever opened.
//! * **Windows do not show.** However the input arrives, and wherever the window ends that slides over it, the same
//!   elements, texts and places come out.

mod bounds;
mod error;
mod input;
pub mod json;
mod lines;
mod opening;
pub mod xml;

pub use bounds::{Bounds, TextDigest, cut, shortened};
pub use error::{ErrorKind, Place, ReportError};
pub use input::Input;
pub use lines::Lines;
pub use opening::{Opening, OpeningTag};
