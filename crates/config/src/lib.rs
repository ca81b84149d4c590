//! stagegate.yaml: types, validation with positions.
