//! Channels as those see them who get something through them.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

mod bulletins;
mod destinations;
mod guard;
mod log;
mod page;
mod server;
mod signatures;
mod sns;
mod templates;
mod world;
