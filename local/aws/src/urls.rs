//! The functions that have a URL.

use std::collections::BTreeMap;

use stagegate_local_lambda::{FormBody, FunctionUrl, LambdaHost, UrlAuth};
use stagegate_local_template::Template;
use tokio::net::TcpListener;

/// The function URLs that are served; they end when this is dropped.
pub(crate) struct Urls {
    served: Vec<Served>,
}

struct Served {
    logical_id: String,
    function_name: String,
    url: FunctionUrl,
}

impl Urls {
    /// Serves each function that has a port.
    ///
    /// # Errors
    ///
    /// If the address of a port cannot be found out.
    pub(crate) fn serve(
        template: &Template,
        mut ports: BTreeMap<String, TcpListener>,
        lambda: &LambdaHost,
        form_body: FormBody,
    ) -> Result<Self, String> {
        let mut served = Vec::new();
        for function in &template.functions {
            let Some((config, port)) = function.url.as_ref().zip(ports.remove(&function.logical_id)) else { continue };
            let auth = if config.auth_type == "AWS_IAM" { UrlAuth::AwsIam } else { UrlAuth::None };
            let (logical_id, function_name) = (function.logical_id.clone(), function.function_name.clone());
            let url = FunctionUrl::serve(lambda.clone(), &function_name, auth, form_body, port)
                .map_err(|error| format!("serve the URL of the function {logical_id}: {error}"))?;
            served.push(Served { logical_id, function_name, url });
        }
        Ok(Self { served })
    }

    /// The URL of a function by its logical id or name.
    pub(crate) fn url(&self, function: &str) -> Option<String> {
        let mut served = self.served.iter();
        let found = served.find(|served| served.logical_id == function || served.function_name == function);
        found.map(|served| served.url.url())
    }

    /// All URLs by the functions' names.
    pub(crate) fn all(&self) -> Vec<(String, String)> {
        self.served.iter().map(|served| (served.function_name.clone(), served.url.url())).collect()
    }
}
