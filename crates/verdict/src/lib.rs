//! What a gate found: verdict, findings, and their rendering.
