//! The configuration.

use std::str::FromStr;
use std::sync::Arc;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::http::http_client;

/// The environment variable of a name, unless it is empty.
type Variable = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// The configuration that the environment variables give, with an [`http_client`] of its own. A variable that cannot be
/// understood is logged as a warning and does not count.
pub fn sdk_config() -> SdkConfig {
    let environment: Variable = Arc::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    with(environment).into_builder().http_client(http_client()).build()
}

fn with(environment: Variable) -> SdkConfig {
    let variable = |name: &str| environment(name);
    let ignores_endpoints = is_set(variable, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").unwrap_or_default();
    let mut retry = RetryConfig::standard();
    if let Some(attempts) = parsed::<std::num::NonZeroU32>(variable, "AWS_MAX_ATTEMPTS") {
        retry = retry.with_max_attempts(attempts.get());
    }
    if let Some(mode) = parsed(variable, "AWS_RETRY_MODE") {
        retry = retry.with_retry_mode(mode);
    }
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        // The variables are at hand; there is nothing to cache.
        .identity_cache(IdentityCache::no_cache())
        .retry_config(retry);
    config.set_endpoint_url(variable(ENDPOINT_URL).filter(|_| !ignores_endpoints));
    config.set_use_fips(is_set(variable, "AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(is_set(variable, "AWS_USE_DUALSTACK_ENDPOINT"));
    config.service_config(OfService { environment, ignores_endpoints }).build()
}

fn is_set(variable: impl Fn(&str) -> Option<String>, name: &str) -> Option<bool> {
    parsed(|name| variable(name).map(|value| value.to_ascii_lowercase()), name)
}

fn parsed<T: FromStr>(variable: impl Fn(&str) -> Option<String>, name: &str) -> Option<T> {
    let value = variable(name)?;
    let parsed = value.parse().ok();
    if parsed.is_none() {
        tracing::warn!(variable = name, value, "the environment variable does not count: its value is not understood");
    }
    parsed
}

/// Settings of one service: `AWS_ENDPOINT_URL_S3` comes before `AWS_ENDPOINT_URL`.
struct OfService {
    environment: Variable,
    ignores_endpoints: bool,
}

impl LoadServiceConfig for OfService {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if self.ignores_endpoints && key.env() == ENDPOINT_URL {
            return None;
        }
        let service = key.service_id().to_uppercase().replace(' ', "_");
        let variable = |name: &str| (self.environment)(name);
        variable(&format!("{}_{service}", key.env())).or_else(|| variable(key.env()))
    }
}

impl std::fmt::Debug for OfService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OfService").field("ignores_endpoints", &self.ignores_endpoints).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use aws_config::retry::RetryMode;

    use super::*;

    fn with(variables: &'static [(&str, &str)]) -> SdkConfig {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        super::with(Arc::new(find))
    }

    fn endpoint(config: &SdkConfig, service: &str) -> Option<String> {
        let key = ServiceConfigKey::builder().service_id(service).env(ENDPOINT_URL).profile("endpoint_url");
        let of_service = config.service_config().unwrap().load_config(key.build().unwrap());
        of_service.or_else(|| config.endpoint_url().map(str::to_owned))
    }

    #[test]
    fn variables_mean_what_they_mean_to_the_sdk() {
        let config = with(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_USE_FIPS_ENDPOINT", "True"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "false"),
            ("AWS_MAX_ATTEMPTS", "7"),
            ("AWS_RETRY_MODE", "adaptive"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_CODEPIPELINE", "http://127.0.0.1:2"),
            ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://127.0.0.1:3"),
        ]);
        assert_eq!(config.region().unwrap().as_ref(), "eu-west-1");
        assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(true), Some(false)));
        let retry = config.retry_config().unwrap();
        assert_eq!((retry.max_attempts(), retry.mode()), (7, RetryMode::Adaptive));
        assert_eq!(endpoint(&config, "S3").as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(endpoint(&config, "CodePipeline").as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!(endpoint(&config, "CloudWatch Logs").as_deref(), Some("http://127.0.0.1:3"));
        assert!(config.credentials_provider().is_some());
    }

    #[test]
    fn nothing_set_leaves_the_defaults_and_nonsense_does_not_count() {
        for variables in [
            &[][..],
            &[("AWS_MAX_ATTEMPTS", "0"), ("AWS_RETRY_MODE", "never"), ("AWS_USE_FIPS_ENDPOINT", "perhaps")],
            &[
                ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE"),
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
                ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2"),
            ],
        ] {
            let config = with(variables);
            assert_eq!((config.region(), config.use_fips(), endpoint(&config, "S3")), (None, None, None));
            assert_eq!(config.retry_config().unwrap().max_attempts(), RetryConfig::standard().max_attempts());
        }
        assert_eq!(with(&[("AWS_DEFAULT_REGION", "us-east-1")]).region().unwrap().as_ref(), "us-east-1");
    }
}
