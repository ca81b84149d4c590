//! The bucket `state` of a local S3, and commands that reach it.

use std::path::Path;
use std::process::Command;

use stagegate_local_aws::LocalS3;
use tokio::runtime::Runtime;

use crate::stagegate;

/// What a request must be signed with.
pub(crate) const KEY: &str = "key";

/// The bucket, for as long as this lives.
pub(crate) struct StateBucket {
    _runtime: Runtime,
    url: String,
}

impl StateBucket {
    /// Serves the folder `state` in `folder`.
    pub(crate) fn serve(folder: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let s3 = LocalS3::open(folder).unwrap();
        let url = runtime.block_on(async {
            s3.create_bucket("state").await.unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, s3.router(KEY, "secret")).await });
            format!("http://{address}")
        });
        Self { _runtime: runtime, url }
    }

    /// `stagegate`, with the local S3 as its AWS and `key` as the credentials.
    pub(crate) fn command(&self, key: &str) -> Command {
        let mut command = stagegate();
        command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_REGION", "eu-west-1");
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", "secret");
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_MAX_ATTEMPTS", "1");
        command
    }
}
