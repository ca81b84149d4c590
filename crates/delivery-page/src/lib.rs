//! The report on delivery as a web page: one file, with plots drawn as SVG and no script, so that it can be mailed or kept
//! as an artifact of a build. The console shows its figures as well.
//!
//! Whatever comes from pipelines is text here, and cannot be anything else.

mod figures;
mod page;
mod plots;
mod words;

pub use figures::figures;
pub use page::page;
pub use words::{length, rate};

/// The style of the page and of the [`figures`].
pub const STYLE: &str = include_str!("../assets/report.css");
