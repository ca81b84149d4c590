//! Runs unmodified [Hurl](https://hurl.dev) files, without libcurl and libxml2.
//!
//! [`HurlFile`] is a file that was read and can be run: what is not supported is refused by then, with its line, so
//! that no assert is ever skipped. [`run_file`] and [`run_files`] run it within a deadline and return a [`FileReport`].
//! [`NetworkPolicy`] says which addresses may be reached; it judges every connection, along redirects too, by the
//! address that is then connected to. [`probe`] holds checks without HTTP, behind the same policy.
//!
//! The meaning of a file is that of Hurl 8. Where curl and libxml2 define it, their behaviour is followed: redirects
//! (301 to 303 become GET, credentials stay with the first origin), cookies, and the tree that XPath sees of HTML.

mod expectation;
mod fault;
mod files;
mod filter;
mod http;
mod jsonpath;
mod junit;
mod limits;
mod load;
mod options;
mod outbound;
mod predicate;
pub mod probe;
mod query;
mod report;
mod run;
mod template;
mod value;
mod variables;
mod xpath;

pub use files::FileRoot;
pub use junit::Junit;
pub use limits::Limits;
pub use load::{HurlFile, LoadError, Problem};
pub use outbound::{Connector, Outbound, Resolver, Stream, System};
pub use report::{CallReport, CaptureReport, EntryOutcome, EntryReport, FailureReport, FileReport, TimingsReport};
pub use run::{RunOptions, run_file, run_files};
pub use stagegate_network_policy::{HostPattern, InvalidPolicy, Network, NetworkPolicy, Refusal};
pub use value::{Number, Value};
pub use variables::Variables;
