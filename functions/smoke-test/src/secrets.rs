//! Values of secrets, from SSM.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use codepipeline_job::{Failure, FailureCause as _};
use stagegate_config::smoke::ParameterName;

/// The most names of one GetParameters (AWS Systems Manager API).
const MAX_NAMES: usize = 10;

/// Reads the parameters that `secrets` name, decrypted. Without secrets, SSM is not asked.
pub(crate) async fn read(
    sdk: &SdkConfig,
    secrets: &BTreeMap<String, ParameterName>,
) -> Result<BTreeMap<String, String>, Failure> {
    if secrets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let client = aws_sdk_ssm::Client::new(sdk);
    let mut names: Vec<&str> = secrets.values().map(ParameterName::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let mut values = BTreeMap::new();
    for names in names.chunks(MAX_NAMES) {
        let wanted = names.iter().map(|&name| name.to_owned()).collect();
        let answer = client.get_parameters().set_names(Some(wanted)).with_decryption(true).send().await;
        let answer = answer.map_err(|error| {
            let message = format!("failed to read the secrets of the gate from SSM: {}", error.failure_message());
            Failure::new(error.failure_kind(), message)
        })?;
        for parameter in answer.parameters.unwrap_or_default() {
            let selector = parameter.selector.unwrap_or_default();
            if let (Some(name), Some(value)) = (parameter.name, parameter.value) {
                values.insert(name + &selector, value);
            }
        }
    }
    let value = |(name, parameter): (&String, &ParameterName)| match values.get(parameter.as_str()) {
        Some(value) if !value.is_empty() => Ok((name.clone(), value.clone())),
        _ => Err(Failure::configuration(format!(
            "failed to read the secret {name:?} of the gate: SSM has no parameter {:?} in this Region and account; create it, or \
             correct the name in stagegate.yaml",
            parameter.as_str()
        ))),
    };
    secrets.iter().map(value).collect()
}
