//! The console over a real local AWS: as a browser without a script gets it, and in a real browser.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

mod browser;
mod page;
mod world;
