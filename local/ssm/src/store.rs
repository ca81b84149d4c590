//! The parameters and their versions.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use regex::Regex;
use serde_json::{Value, json};
use stagegate_local_codepipeline::aws_json::epoch_seconds;
use stagegate_local_codepipeline::{ApiError, Secret};

use crate::name::{self, Reference};
use crate::text;

/// How many versions of a parameter are kept (AWS guide, "Working with parameter versions").
const VERSIONS: usize = 100;
/// The most bytes of a value in the standard and the advanced tier.
const STANDARD_BYTES: usize = 4096;
const ADVANCED_BYTES: usize = 8192;

#[derive(Debug, Default)]
pub(crate) struct Store {
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Debug)]
struct Parameter {
    kind: Kind,
    data_type: String,
    /// The oldest first, never empty.
    versions: VecDeque<Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    String,
    StringList,
    SecureString,
}

#[derive(Debug)]
struct Version {
    number: u64,
    value: Secret,
    modified: Timestamp,
}

impl Kind {
    fn read(text: &str) -> Self {
        match text {
            "SecureString" => Self::SecureString,
            "StringList" => Self::StringList,
            _ => Self::String,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::StringList => "StringList",
            Self::SecureString => "SecureString",
        }
    }
}

impl Store {
    /// Writes a parameter; gives the number of the new version.
    pub(crate) fn put(&mut self, input: &Value, now: Timestamp) -> Result<u64, ApiError> {
        let name = text(input, "Name");
        name::check(name)?;
        let value = text(input, "Value");
        check_value(input, value)?;
        let asked = input["Type"].as_str().map(Kind::read);
        let data_type = input["DataType"].as_str().unwrap_or("text").to_owned();
        let Some(parameter) = self.parameters.get_mut(name) else {
            let Some(kind) = asked else {
                let message = "A parameter type is required when you create a parameter.";
                return Err(ApiError::new("ValidationException", message));
            };
            let version = Version { number: 1, value: Secret::new(value), modified: now };
            let parameter = Parameter { kind, data_type, versions: VecDeque::from([version]) };
            self.parameters.insert(name.to_owned(), parameter);
            return Ok(1);
        };
        if input["Overwrite"] != true {
            let message = format!("the parameter {name} already exists; to write a new version of it, set Overwrite");
            return Err(ApiError::new("ParameterAlreadyExists", message));
        }
        if asked.is_some_and(|asked| asked != parameter.kind) {
            let message = format!("the parameter {name} is a {} and stays one", parameter.kind.as_str());
            return Err(ApiError::new("HierarchyTypeMismatchException", message));
        }
        let number = parameter.versions.back().map_or(0, |version| version.number) + 1;
        parameter.versions.push_back(Version { number, value: Secret::new(value), modified: now });
        if parameter.versions.len() > VERSIONS {
            parameter.versions.pop_front();
        }
        Ok(number)
    }

    /// A `Parameter` of the AWS model.
    pub(crate) fn describe(&self, reference: &Reference, arn: &str, decrypt: bool) -> Result<Value, ApiError> {
        let name = &reference.name;
        let Some(parameter) = self.parameters.get(name) else { return Err(not_found(&reference.written)) };
        let version = match reference.version {
            None => parameter.versions.back(),
            Some(number) => parameter.versions.iter().find(|version| version.number == number),
        };
        let Some(version) = version else {
            let message = format!("there is no parameter {}, or no such version of it", reference.written);
            return Err(ApiError::new("ParameterVersionNotFound", message));
        };
        let mut described = parameter.describe(name, version, arn, decrypt);
        if let Some(number) = reference.version {
            described["Selector"] = json!(format!(":{number}"));
        }
        Ok(described)
    }

    /// The parameters below a path, each with its name as the key of the list.
    pub(crate) fn below(&self, path: &str, recursive: bool, arn: &str, decrypt: bool) -> Vec<(String, Value)> {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let inside = |name: &str| {
            let rest = name.strip_prefix(&prefix);
            rest.is_some_and(|rest| recursive || !rest.contains('/'))
        };
        let found = self.parameters.iter().filter(|(name, _)| inside(name));
        let described = found.filter_map(|(name, parameter)| {
            let newest = parameter.versions.back()?;
            Some((name.clone(), parameter.describe(name, newest, arn, decrypt)))
        });
        described.collect()
    }

    pub(crate) fn delete(&mut self, name: &str) -> Result<(), ApiError> {
        self.parameters.remove(name).map(|_| ()).ok_or_else(|| not_found(name))
    }
}

impl Parameter {
    fn describe(&self, name: &str, version: &Version, arn: &str, decrypt: bool) -> Value {
        let value = match self.kind {
            // Nothing encrypts here; what matters is that a caller who forgot to decrypt does not get the value.
            Kind::SecureString if !decrypt => format!("encrypted:{name}:{}", version.number),
            _ => version.value.expose().to_owned(),
        };
        let slash = if name.starts_with('/') { "" } else { "/" };
        json!({
            "Name": name,
            "Type": self.kind.as_str(),
            "Value": value,
            "Version": version.number,
            "LastModifiedDate": epoch_seconds(version.modified),
            "ARN": format!("{arn}{slash}{name}"),
            "DataType": self.data_type,
        })
    }
}

fn check_value(input: &Value, value: &str) -> Result<(), ApiError> {
    let most = if input["Tier"] == "Advanced" { ADVANCED_BYTES } else { STANDARD_BYTES };
    let most = if input["Tier"] == "Intelligent-Tiering" { ADVANCED_BYTES } else { most };
    if value.is_empty() {
        return Err(ApiError::new("ValidationException", "the value of a parameter has one character at least"));
    }
    if value.len() > most {
        let message = format!("the value has {} bytes; in this tier it can have {most} at the most", value.len());
        return Err(ApiError::new("ValidationException", message));
    }
    let Some(pattern) = input["AllowedPattern"].as_str().filter(|pattern| !pattern.is_empty()) else { return Ok(()) };
    let regex = Regex::new(&format!(r"\A(?:{pattern})\z"))
        .map_err(|error| ApiError::new("InvalidAllowedPatternException", error.to_string()))?;
    if regex.is_match(value) {
        return Ok(());
    }
    // The value may be a secret and stays out of the message.
    Err(ApiError::new("ParameterPatternMismatchException", format!("the value does not match the pattern {pattern}")))
}

fn not_found(name: &str) -> ApiError {
    ApiError::new("ParameterNotFound", format!("there is no parameter {name}; PutParameter makes one"))
}
