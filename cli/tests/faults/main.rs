//! What becomes of jobs when things break: every function of the template in a process of its own, behind the wiring of the
//! template, with faults in calls, in functions, in events and in deliveries. `docs/fault-matrix.md` says what is tried.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests, too, and say what they did")]

mod cells;
mod custom_actions;
mod demo;
mod emulator;
mod evidence;
mod handing_on;
mod jobs;
mod matrix;
mod pipelines;
mod random;
mod rows;
mod server;
mod switch;
mod workers;
mod world;
