//! The commands, one module each.

pub(crate) mod test_gate;
