//! The configuration of the function, read once.

use std::path::PathBuf;
use std::sync::Arc;

use codepipeline_job::Failure;
use stagegate_config::Config;
use tokio::sync::OnceCell;

/// Names the configuration file.
const CONFIG_VARIABLE: &str = "STAGEGATE_CONFIG";
/// Where the configuration layer is mounted.
const CONFIG_DEFAULT: &str = "/opt/stagegate.yaml";

/// Where the function's configuration is. Files beside it come with the same layer.
pub fn config_file() -> PathBuf {
    std::env::var_os(CONFIG_VARIABLE).map_or_else(|| PathBuf::from(CONFIG_DEFAULT), PathBuf::from)
}

/// `stagegate.yaml` of the function, read when it is first asked for and kept from then on. Cloning gives another handle
/// to the same.
#[derive(Clone, Default)]
pub struct Settings {
    config: Arc<OnceCell<Config>>,
}

impl Settings {
    /// The configuration.
    ///
    /// # Errors
    ///
    /// If it cannot be read; the next call tries again.
    pub async fn config(&self) -> Result<&Config, Failure> {
        let load = async || {
            Config::load(&config_file()).map_err(|error| {
                Failure::configuration(format!(
                    "failed to load {error}; the function reads it from its configuration layer ({CONFIG_VARIABLE})"
                ))
            })
        };
        self.config.get_or_try_init(load).await
    }
}
