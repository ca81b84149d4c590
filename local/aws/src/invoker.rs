//! The way from CodePipeline to Lambda.

use async_trait::async_trait;
use serde_json::Value;
use stagegate_local_codepipeline::{InvokeError, LambdaInvoker};
use stagegate_local_lambda::{InvocationType, InvokeError as HostError, LambdaHost};

use crate::options::EventChange;

/// Invokes functions of the local Lambda as CodePipeline does: asynchronously.
pub(crate) struct Invoker {
    pub(crate) host: LambdaHost,
    pub(crate) change: Option<EventChange>,
}

#[async_trait]
impl LambdaInvoker for Invoker {
    async fn invoke_async(&self, function_name: &str, payload: Value) -> Result<(), InvokeError> {
        let payload = match &self.change {
            Some(change) => change(function_name, payload),
            None => payload,
        };
        match self.host.invoke(function_name, payload.to_string(), InvocationType::Event).await {
            Ok(_) => Ok(()),
            Err(HostError::ResourceNotFound { reference, known }) => {
                Err(InvokeError::FunctionNotFound { name: reference, known })
            }
            Err(error) => Err(InvokeError::Refused(error.to_string())),
        }
    }
}
