//! Versions and aliases: what is published does not change any more, and an alias says which version a caller gets
//! (AWS Lambda guide, "Lambda function versions", "Lambda function aliases").

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

use crate::config::parse_reference;
use crate::host::{Function, Inner, LambdaHost};

/// The version that is not published: what `create_function` and `update_function` have set last.
pub const LATEST: &str = "$LATEST";

/// An alias: a name for a version, or for two of them with a share each.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// The alias's name.
    pub name: String,
    /// The version that gets what is left.
    pub function_version: String,
    /// Another version and the share of the invocations that it gets, between 0 and 1.
    pub additional: Option<(String, f64)>,
}

/// Why a version or an alias is not what was asked for. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VersionError {
    /// `ResourceNotFoundException`.
    #[error("find {0}")]
    NotFound(String),
    /// `ResourceConflictException`.
    #[error("create the alias {0}: it exists already")]
    Exists(String),
    /// `InvalidParameterValueException`.
    #[error("use the alias {alias}: {what}")]
    Invalid {
        /// The alias's name.
        alias: String,
        /// What is wrong.
        what: String,
    },
}

/// What was published of one function.
#[derive(Default)]
pub(crate) struct Published {
    /// Numbers are not used twice.
    last: u64,
    versions: BTreeMap<u64, Version>,
    aliases: BTreeMap<String, Alias>,
}

struct Version {
    function: Arc<Function>,
    /// What it is a version of.
    source: Arc<Function>,
}

impl LambdaHost {
    /// Publishes what the function is now as a version, and gives its number. If nothing has changed since the last
    /// version, that one's number is given, as Lambda does.
    ///
    /// # Errors
    ///
    /// If there is no such function.
    pub fn publish_version(&self, function: &str) -> Result<String, VersionError> {
        let (source, name) = self.inner.latest(function)?;
        let mut all = self.inner.published();
        let published = all.entry(name).or_default();
        if let Some((number, last)) = published.versions.last_key_value()
            && Arc::ptr_eq(&last.source, &source)
        {
            return Ok(number.to_string());
        }
        published.last += 1;
        let mut config = source.config.clone();
        config.version = published.last.to_string();
        let version = Version { function: Arc::new(Function::new(config)), source };
        published.versions.insert(published.last, version);
        Ok(published.last.to_string())
    }

    /// The numbers of all published versions of a function, the oldest first.
    pub fn versions(&self, function: &str) -> Vec<String> {
        let Some((name, _)) = parse_reference(function) else { return Vec::new() };
        let published = self.inner.published();
        published.get(name).into_iter().flat_map(|one| one.versions.keys()).map(u64::to_string).collect()
    }

    /// The aliases of a function, by name.
    pub fn aliases(&self, function: &str) -> Vec<Alias> {
        let Some((name, _)) = parse_reference(function) else { return Vec::new() };
        self.inner.published().get(name).into_iter().flat_map(|one| one.aliases.values()).cloned().collect()
    }

    /// An alias of a function.
    ///
    /// # Errors
    ///
    /// If there is none of this name.
    pub fn alias(&self, function: &str, name: &str) -> Result<Alias, VersionError> {
        let found = self.aliases(function).into_iter().find(|alias| alias.name == name);
        found.ok_or_else(|| VersionError::NotFound(format!("the alias {name} of the function {function}")))
    }

    /// Adds an alias to a function.
    ///
    /// # Errors
    ///
    /// If there is no such function or version, the alias exists, or its name or share is none that Lambda takes.
    pub fn create_alias(&self, function: &str, alias: Alias) -> Result<(), VersionError> {
        self.put_alias(function, alias, false)
    }

    /// Has an alias stand for other versions.
    ///
    /// # Errors
    ///
    /// If there is no such alias or version, or the share is none that Lambda takes.
    pub fn update_alias(&self, function: &str, alias: Alias) -> Result<(), VersionError> {
        self.put_alias(function, alias, true)
    }

    fn put_alias(&self, function: &str, alias: Alias, exists: bool) -> Result<(), VersionError> {
        let (_, name) = self.inner.latest(function)?;
        let mut all = self.inner.published();
        let published = all.entry(name).or_default();
        match published.aliases.contains_key(&alias.name) {
            true if !exists => return Err(VersionError::Exists(alias.name)),
            false if exists => {
                return Err(VersionError::NotFound(format!("the alias {} of the function {function}", alias.name)));
            }
            _ => {}
        }
        published.check(function, &alias)?;
        published.aliases.insert(alias.name.clone(), alias);
        Ok(())
    }
}

impl Published {
    fn check(&self, function: &str, alias: &Alias) -> Result<(), VersionError> {
        let invalid = |what: &str| Err(VersionError::Invalid { alias: alias.name.clone(), what: what.to_owned() });
        if !is_alias_name(&alias.name) {
            return invalid("its name must be 1 to 128 letters, digits, hyphens and underscores, not digits only");
        }
        let targets = [Some(&alias.function_version), alias.additional.as_ref().map(|(version, _)| version)];
        for version in targets.into_iter().flatten().filter(|version| *version != LATEST) {
            if self.version(version).is_none() {
                return Err(VersionError::NotFound(format!("the version {version} of the function {function}")));
            }
        }
        match &alias.additional {
            Some(_) if alias.function_version == LATEST => invalid("$LATEST shares with no other version"),
            Some((version, _)) if version == LATEST || *version == alias.function_version => {
                invalid("the additional version must be another published version")
            }
            Some((_, share)) if !(0.0..=1.0).contains(share) => invalid("the share must be between 0 and 1"),
            _ => Ok(()),
        }
    }

    fn version(&self, number: &str) -> Option<&Arc<Function>> {
        self.versions.get(&number.parse().ok()?).map(|version| &version.function)
    }

    /// The functions of all versions.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.versions.values().map(|version| &version.function)
    }

    /// The version that a qualifier stands for, this time. `None` for the version that is not published.
    pub(crate) fn resolve(&self, qualifier: &str) -> Option<Option<Arc<Function>>> {
        let number = self.aliases.get(qualifier).map_or(qualifier, Alias::choose);
        if number == LATEST { Some(None) } else { self.version(number).map(|function| Some(Arc::clone(function))) }
    }
}

impl Alias {
    /// One of the versions, by chance.
    fn choose(&self) -> &str {
        const PARTS: u32 = 1 << 20;
        let drawn = u32::try_from(Uuid::new_v4().as_u128() % u128::from(PARTS)).unwrap_or_default();
        match &self.additional {
            Some((version, share)) if f64::from(drawn) < share * f64::from(PARTS) => version,
            _ => &self.function_version,
        }
    }
}

impl Inner {
    /// The unpublished version of a function, and the function's name.
    fn latest(&self, function: &str) -> Result<(Arc<Function>, String), VersionError> {
        let name = parse_reference(function).map(|(name, _)| name);
        let found = name.and_then(|name| Some((self.function(name)?, name.to_owned())));
        found.ok_or_else(|| VersionError::NotFound(format!("the function {function}")))
    }
}

impl VersionError {
    /// The exception's name in the Lambda API, and its HTTP status.
    pub(crate) fn code(&self) -> (&'static str, u16) {
        match self {
            Self::NotFound(_) => ("ResourceNotFoundException", 404),
            Self::Exists(_) => ("ResourceConflictException", 409),
            Self::Invalid { .. } => ("InvalidParameterValueException", 400),
        }
    }
}

/// Letters, digits, hyphens and underscores, but no number: that would be a version.
fn is_alias_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && !name.chars().all(|c| c.is_ascii_digit())
}
