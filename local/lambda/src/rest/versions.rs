//! `PublishVersion`, `ListVersionsByFunction` and the operations on aliases.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{ApiError, configuration, find};
use crate::host::LambdaHost;
use crate::version::{Alias, VersionError};

pub(super) async fn publish(
    State(host): State<LambdaHost>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let version = host.publish_version(&name)?;
    let config = find(&host, &format!("{}:{version}", find(&host, &name)?.name))?;
    Ok((StatusCode::CREATED, Json(configuration(&config))))
}

pub(super) async fn list(State(host): State<LambdaHost>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let latest = find(&host, &name)?;
    let numbers = host.versions(&name).into_iter().map(|version| format!("{}:{version}", latest.name));
    let configs = numbers.filter_map(|reference| host.function(&reference));
    let versions: Vec<Value> = std::iter::once(latest.clone()).chain(configs).map(|c| configuration(&c)).collect();
    Ok(Json(json!({"Versions": versions})))
}

pub(super) async fn aliases(State(host): State<LambdaHost>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let arn = find(&host, &name)?.arn;
    let aliases: Vec<Value> = host.aliases(&name).iter().map(|alias| describe(&arn, alias)).collect();
    Ok(Json(json!({"Aliases": aliases})))
}

pub(super) async fn get_alias(
    State(host): State<LambdaHost>,
    Path((name, alias)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let arn = find(&host, &name)?.arn;
    Ok(Json(describe(&arn, &host.alias(&name, &alias)?)))
}

pub(super) async fn create_alias(
    State(host): State<LambdaHost>,
    Path(name): Path<String>,
    Json(body): Json<Value>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let arn = find(&host, &name)?.arn;
    let text = |member: &str| body[member].as_str().map(str::to_owned);
    let (Some(alias), Some(function_version)) = (text("Name"), text("FunctionVersion")) else {
        return Err(ApiError::invalid("an alias needs Name and FunctionVersion".to_owned()));
    };
    let alias = Alias { name: alias, function_version, additional: additional(&body)?.flatten() };
    host.create_alias(&name, alias.clone())?;
    Ok((StatusCode::CREATED, Json(describe(&arn, &alias))))
}

/// What the body does not name stays.
pub(super) async fn update_alias(
    State(host): State<LambdaHost>,
    Path((name, alias)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, ApiError> {
    let arn = find(&host, &name)?.arn;
    let mut alias = host.alias(&name, &alias)?;
    if let Some(version) = body["FunctionVersion"].as_str() {
        version.clone_into(&mut alias.function_version);
    }
    if let Some(additional) = additional(&body)? {
        alias.additional = additional;
    }
    host.update_alias(&name, alias.clone())?;
    Ok(Json(describe(&arn, &alias)))
}

/// `RoutingConfig` of a body: `None` where there is none, `Some(None)` where it names no version.
fn additional(body: &Value) -> Result<Option<Option<(String, f64)>>, ApiError> {
    let weights = match &body["RoutingConfig"] {
        Value::Null => return Ok(None),
        routing => routing["AdditionalVersionWeights"].as_object().cloned().unwrap_or_default(),
    };
    let mut weights = weights.into_iter();
    match (weights.next(), weights.next()) {
        (None, _) => Ok(Some(None)),
        (Some((version, share)), None) => match share.as_f64() {
            Some(share) => Ok(Some(Some((version, share)))),
            None => Err(ApiError::invalid(format!("the share of version {version} is no number"))),
        },
        (Some(_), Some(_)) => Err(ApiError::invalid("an alias stands for two versions at the most".to_owned())),
    }
}

/// `AliasConfiguration` of the AWS model.
fn describe(arn: &str, alias: &Alias) -> Value {
    let mut described = json!({
        "AliasArn": format!("{arn}:{}", alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.function_version,
    });
    if let Some((version, share)) = &alias.additional {
        described["RoutingConfig"] = json!({"AdditionalVersionWeights": {version: share}});
    }
    described
}

impl From<VersionError> for ApiError {
    fn from(error: VersionError) -> Self {
        let (code, status) = error.code();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, code, message: error.to_string() }
    }
}
