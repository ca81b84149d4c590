//! Which calls reached the endpoint, for those who want to know what a function does: its calls, not its promises.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;

/// A call of an AWS API.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// `codepipeline`, `codebuild`, `codedeploy`, `events`, `lambda`, `s3`, `sns`, `sqs` or `ssm`.
    pub service: &'static str,
    /// The operation of a JSON service and of SNS, the method of Lambda and S3: `PutJobSuccessResult`, `Publish`, `GET`.
    pub operation: String,
    /// Who signed it: the name of a function, or `None` for everybody else.
    pub function: Option<String>,
}

/// The calls so far.
#[derive(Clone, Default)]
pub(crate) struct Calls {
    counts: Arc<Mutex<HashMap<Call, u64>>>,
    /// The functions by their access key.
    functions: Arc<HashMap<String, String>>,
}

impl Calls {
    /// Calls signed with one of these access keys are the function's.
    pub(crate) fn of(functions: HashMap<String, String>) -> Self {
        Self { counts: Arc::default(), functions: Arc::new(functions) }
    }

    /// The function that signed a request.
    pub(crate) fn function(&self, headers: &HeaderMap) -> Option<&str> {
        access_key(headers).and_then(|key| self.functions.get(key)).map(String::as_str)
    }

    pub(crate) fn note(&self, service: &'static str, operation: &str, headers: &HeaderMap) {
        let function = self.function(headers).map(str::to_owned);
        let call = Call { service, operation: operation.to_owned(), function };
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(call).or_default() += 1;
    }

    pub(crate) fn all(&self) -> HashMap<Call, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The access key of a Signature Version 4 header: `... Credential=KEY/20261123/eu-west-1/codepipeline/aws4_request, ...`.
pub(crate) fn access_key(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    header.split_once("Credential=")?.1.split('/').next()
}
