//! One binary for all integration tests.

mod fixtures;
mod hostile;
mod names_and_messages;
mod properties;
mod properties_written;
mod windows;
mod written;
mod xml_formats;
