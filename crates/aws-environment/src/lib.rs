//! The AWS configuration of a Lambda function, from its environment variables, and the one HTTP client of its process.
//!
//! AWS Lambda gives a function its Region and credentials in environment variables. The SDK's own loader asks more places
//! (files, instance metadata, STS), which costs time at each cold start and brings code along that no function runs.
//!
//! | variable | meaning |
//! |---|---|
//! | `AWS_REGION`, else `AWS_DEFAULT_REGION` | the Region |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the credentials of the function's role |
//! | `AWS_ENDPOINT_URL_<SERVICE>`, else `AWS_ENDPOINT_URL` | where a service is reached, if not at AWS |
//! | `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` | `true`: the endpoints above do not count |
//! | `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT` | `true`: endpoints of that sort |
//! | `AWS_MAX_ATTEMPTS`, `AWS_RETRY_MODE` | how calls are retried |
//! | `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` | the way out |
//!
//! ```no_run
//! let sdk = stagegate_aws_environment::sdk_config(); // once per process
//! ```

mod environment;
mod http;

pub use environment::sdk_config;
pub use http::http_client;
