//! Secrets from Parameter Store.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use codepipeline_job::FailureCause;
use stagegate_slack::{BotToken, SigningSecret};

/// A variable of the environment that says something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// How long a secret is used before it is read again.
const TIME_TO_LIVE: Duration = Duration::from_secs(300);

const SIGNING_SECRET_VARIABLE: &str = "STAGEGATE_SLACK_SIGNING_SECRET_PARAMETER";
const BOT_TOKEN_VARIABLE: &str = "STAGEGATE_SLACK_BOT_TOKEN_PARAMETER";

/// A secret is not to be had. Reads after "failed to"; never shows it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The function does not know where it is.
    #[error(
        "read {what}: the function's environment names no parameter ({variable}); deploy the stack with its Slack parameters"
    )]
    NotConfigured {
        /// Which secret.
        what: &'static str,
        /// The variable.
        variable: &'static str,
    },
    /// The parameter is not there.
    #[error("read the SSM parameter {name}: it does not exist; create it as a SecureString")]
    Missing {
        /// Its name.
        name: String,
    },
    /// The parameter is empty.
    #[error("read the SSM parameter {name}: it is empty")]
    Empty {
        /// Its name.
        name: String,
    },
    /// SSM does not give it.
    #[error("read the SSM parameter {name}: {why}; the function's role needs ssm:GetParameter on it")]
    Refused {
        /// Its name.
        name: String,
        /// What AWS said.
        why: String,
    },
}

/// Secrets, each read once and kept for five minutes, so that a new value is in use soon after it was stored.
pub struct Secrets {
    client: Client,
    kept: Mutex<HashMap<String, (Instant, String)>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(redacted)")
    }
}

impl Secrets {
    /// Secrets that are read through this client.
    pub fn new(client: Client) -> Self {
        Self { client, kept: Mutex::default() }
    }

    /// The signing secret of the Slack app.
    ///
    /// # Errors
    ///
    /// If it is not to be had; without it nothing can be verified.
    pub async fn signing_secret(&self) -> Result<SigningSecret, SecretError> {
        let name = named("the app's signing secret", SIGNING_SECRET_VARIABLE)?;
        self.read(&name).await.map(|secret| SigningSecret::new(&secret))
    }

    /// The bot token of the Slack app.
    ///
    /// # Errors
    ///
    /// If it is not to be had.
    pub async fn bot_token(&self) -> Result<BotToken, SecretError> {
        let name = named("the app's bot token", BOT_TOKEN_VARIABLE)?;
        self.read(&name).await.map(|secret| BotToken::new(&secret))
    }

    /// The value of a parameter: the URL of a webhook, or the key of its signatures.
    ///
    /// # Errors
    ///
    /// If it is not to be had.
    pub async fn read(&self, name: &str) -> Result<String, SecretError> {
        let kept = self.kept().get(name).filter(|(at, _)| at.elapsed() < TIME_TO_LIVE).map(|(_, value)| value.clone());
        if let Some(value) = kept {
            return Ok(value);
        }
        let answer = self.client.get_parameter().name(name).with_decryption(true).send().await;
        let name = name.to_owned();
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(GetParameterError::is_parameter_not_found) => {
                return Err(SecretError::Missing { name });
            }
            Err(error) => return Err(SecretError::Refused { name, why: error.failure_message() }),
        };
        let value = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default().trim().to_owned();
        if value.is_empty() {
            return Err(SecretError::Empty { name });
        }
        self.kept().insert(name, (Instant::now(), value.clone()));
        Ok(value)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, (Instant, String)>> {
        // A panic under the lock leaves a map that is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(what: &'static str, variable_name: &'static str) -> Result<String, SecretError> {
    variable(variable_name).ok_or(SecretError::NotConfigured { what, variable: variable_name })
}
