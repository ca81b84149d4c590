//! Sends requests to other people's servers, over the stack that the AWS SDK brings along: hyper, and rustls with its
//! provider.
//!
//! * Only `https` leaves this machine. Plain `http` goes to loopback addresses only.
//! * A client can be bound by a [`NetworkPolicy`](stagegate_network_policy::NetworkPolicy): each name is resolved, the
//!   addresses are judged, and one of those that were judged is connected to.
//! * Redirects are not followed.
//! * A [`Failure`] says whether the request may have reached the server, so that whoever must not do something twice knows
//!   when to stop.
//! * No error shows a URL.

mod answer;
mod call;
mod client;
mod connector;
mod failure;
mod patience;

pub use answer::Answer;
pub use call::Call;
pub use client::{HttpClient, is_loopback};
pub use failure::Failure;
pub use patience::{DEFAULT_RETRY_AFTER, Patience};
