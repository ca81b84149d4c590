//! Bounded, strict reading of reports, for the crates that know what is in them; no AWS, no async.
//!
//! [`Input`] is the bytes of one report, bounded, with its beginning ([`Opening`]) looked at in advance so that a format
//! can be recognised from content. The bytes are then read in one of three ways, each as a stream with flat memory:
//!
//! * [`xml::read`] hands elements to a [`xml::Handler`]; no entities are expanded but the five predefined ones.
//! * [`json::parse`] drives a serde seed, with bounds on depth and on strings that serde_json does not have.
//! * [`Lines`] hands out lines.
//!
//! Whatever is wrong ends in one [`ReportError`] that names the report and the place.

mod bounds;
mod error;
mod input;
pub mod json;
mod lines;
mod opening;
pub mod xml;

pub use bounds::{Bounds, cut};
pub use error::{ErrorKind, Place, ReportError};
pub use input::Input;
pub use lines::Lines;
pub use opening::{Opening, OpeningTag};
