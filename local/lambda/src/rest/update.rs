//! `UpdateFunctionConfiguration`, as far as it makes a version that behaves in another way.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::{ApiError, configuration, find};
use crate::host::LambdaHost;

/// What can be changed here.
const MEMBERS: [&str; 3] = ["Environment", "MemorySize", "Timeout"];

/// The beginnings of the variables by which the local AWS tells a function where it is. They stay, as what Lambda itself
/// sets stays on AWS.
const KEPT: [&str; 2] = ["AWS_", "STAGEGATE_LOCAL_"];

/// The variables that are given take the place of all others.
pub(super) async fn configure(
    State(host): State<LambdaHost>,
    Path(name): Path<String>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, ApiError> {
    let mut config = find(&host, &name)?;
    let given = body.as_object().ok_or_else(|| ApiError::invalid("the configuration is no JSON object".to_owned()))?;
    if let Some(other) = given.keys().find(|member| !MEMBERS.contains(&member.as_str())) {
        let known = MEMBERS.join(", ");
        return Err(ApiError::invalid(format!("{other} cannot be changed in the local Lambda; {known} can")));
    }
    if let Some(variables) = body["Environment"]["Variables"].as_object() {
        config.environment.retain(|name, _| KEPT.iter().any(|start| name.starts_with(start)));
        for (name, value) in variables {
            let value = value.as_str().ok_or_else(|| ApiError::invalid(format!("the variable {name} is no string")))?;
            config.environment.insert(name.clone(), value.to_owned());
        }
    }
    if let Some(seconds) = number(&body, "Timeout")? {
        config.timeout = Duration::from_secs(seconds.into());
    }
    if let Some(size) = number(&body, "MemorySize")? {
        config.memory_mb = size;
    }
    host.update_function(config.clone()).map_err(|error| ApiError::invalid(error.to_string()))?;
    Ok(Json(configuration(&config)))
}

fn number(body: &Value, member: &str) -> Result<Option<u32>, ApiError> {
    match &body[member] {
        Value::Null => Ok(None),
        value => match value.as_u64().and_then(|number| u32::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(ApiError::invalid(format!("{member} is no whole number"))),
        },
    }
}
