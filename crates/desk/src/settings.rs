//! The configuration of the function, read once.

use std::path::PathBuf;
use std::sync::OnceLock;

use stagegate_approval::{Installation, Place, Terms};
use stagegate_channel::{Templates, variable};
use stagegate_config::{Channel, Config, ReleaseGate};

use crate::DeskError;

/// Names the configuration file.
const CONFIG_VARIABLE: &str = "STAGEGATE_CONFIG";
/// Where the configuration layer is mounted.
const CONFIG_DEFAULT: &str = "/opt/stagegate.yaml";
const APP_VARIABLE: &str = "STAGEGATE_SLACK_APP_ID";
const TEAM_VARIABLE: &str = "STAGEGATE_SLACK_TEAM_ID";

fn config_path() -> PathBuf {
    std::env::var_os(CONFIG_VARIABLE).map_or_else(|| PathBuf::from(CONFIG_DEFAULT), PathBuf::from)
}

/// `stagegate.yaml` of the function, read when it is first asked for and kept from then on.
#[derive(Default)]
pub struct Settings {
    config: OnceLock<Config>,
    templates: OnceLock<Templates>,
}

impl Settings {
    /// Settings that are known.
    pub fn of(config: Config) -> Self {
        Self { config: OnceLock::from(config), templates: OnceLock::new() }
    }

    /// The configuration.
    ///
    /// # Errors
    ///
    /// If it cannot be read; the next call tries again.
    pub fn config(&self) -> Result<&Config, DeskError> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = Config::load(&config_path()).map_err(|error| {
            DeskError::Configuration(format!(
                "load {error}; the function reads it from its configuration layer ({CONFIG_VARIABLE})"
            ))
        })?;
        Ok(self.config.get_or_init(|| config))
    }

    /// The words that replace those of Stagegate in notices, as far as they can be used.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be read.
    pub fn templates(&self) -> Result<&Templates, DeskError> {
        let config = self.config()?;
        Ok(self.templates.get_or_init(|| Templates::usable(config, &Self::folder())))
    }

    /// How the approvals of an action are decided; `None` where nothing is said about them.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be read.
    pub fn terms(&self, place: &Place) -> Result<Option<Terms>, DeskError> {
        let policy = self.config()?.approval(&place.pipeline, &place.stage, &place.action);
        let Some(mut terms) = policy.map(Terms::from) else { return Ok(None) };
        if let Some(automatic) = &mut terms.automatic {
            automatic.can_be_overridden = self.release_gate(&automatic.gate)?.overriders.is_some();
        }
        Ok(Some(terms))
    }

    /// A gate that decides whether a release may go on, by its name.
    ///
    /// # Errors
    ///
    /// If there is none of this name and kind.
    pub fn release_gate(&self, name: &str) -> Result<&ReleaseGate, DeskError> {
        let gate = self.config()?.gate(name).map_err(|error| DeskError::Configuration(error.to_string()))?;
        gate.release().map_err(|error| DeskError::Configuration(error.to_string()))
    }

    /// The folder of the configuration file, in which calendars lie.
    pub fn folder() -> PathBuf {
        config_path().parent().map(PathBuf::from).unwrap_or_default()
    }

    /// A channel by its name.
    ///
    /// # Errors
    ///
    /// If there is none of this name.
    pub fn channel(&self, name: &str) -> Result<&Channel, DeskError> {
        self.config()?.channel(name).map_err(|error| DeskError::Configuration(error.to_string()))
    }

    /// The Slack app and the workspace from which clicks are taken; `None` where the function does not know both.
    pub fn installation() -> Option<Installation> {
        Some(Installation { app: variable(APP_VARIABLE)?, team: variable(TEAM_VARIABLE)? })
    }
}
