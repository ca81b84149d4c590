//! Names of parameters, and how a caller refers to one.

use std::sync::LazyLock;

use regex::Regex;
use stagegate_local_codepipeline::ApiError;

/// A hierarchy has 15 levels at the most (AWS guide, "Working with parameter hierarchies").
const LEVELS: usize = 15;

static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\A[a-zA-Z0-9_.\-/]+\z").expect("the pattern is valid"));

/// A parameter, and the version of it that is meant.
pub(crate) struct Reference {
    /// As the caller wrote it, for messages.
    pub(crate) written: String,
    pub(crate) name: String,
    pub(crate) version: Option<u64>,
}

impl Reference {
    /// Reads `name`, `name:version`, or the same after the ARN of the parameters of this account.
    pub(crate) fn read(written: &str, arn: &str) -> Result<Self, ApiError> {
        // The ARN of `/web/token` is `...:parameter/web/token`; that of `token` is `...:parameter/token`.
        let (text, from_arn) = match written.strip_prefix(arn) {
            Some(name) => (name, true),
            None => (written, false),
        };
        let (name, selector) = match text.split_once(':') {
            Some((name, selector)) => (name, Some(selector)),
            None => (text, None),
        };
        let version = selector.map(|selector| {
            selector.parse().map_err(|_| {
                let message =
                    format!("the version {selector:?} of the parameter {name} is no number; labels are not kept");
                ApiError::new("ParameterVersionNotFound", message)
            })
        });
        let name = if from_arn && name.rfind('/') == Some(0) { &name[1..] } else { name };
        Ok(Self { written: written.to_owned(), name: name.to_owned(), version: version.transpose()? })
    }
}

/// Checks the name of a new parameter.
pub(crate) fn check(name: &str) -> Result<(), ApiError> {
    if !NAME.is_match(name) {
        return Err(validation("Parameter name: only letters, digits and the characters . - _ / may be used"));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(validation("Parameter name must be a fully qualified name: a name with a slash begins with one"));
    }
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if first.starts_with("aws") || first.starts_with("ssm") {
        return Err(validation("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive)"));
    }
    let levels = name.split('/').filter(|level| !level.is_empty()).count();
    if levels > LEVELS {
        let message = format!("the name has {levels} levels; a hierarchy can have {LEVELS} at the most");
        return Err(ApiError::new("HierarchyLevelLimitExceededException", message));
    }
    Ok(())
}

/// Checks the path below which parameters are asked for.
pub(crate) fn check_path(path: &str) -> Result<(), ApiError> {
    if path.starts_with('/') && NAME.is_match(path) {
        return Ok(());
    }
    Err(validation("the path must begin with a slash and have only letters, digits and the characters . - _ /"))
}

fn validation(message: &str) -> ApiError {
    ApiError::new("ValidationException", message)
}
