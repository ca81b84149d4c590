//! Entries under `delivery`: which stage of a pipeline is production, so that deployments can be told from other work.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::approval::name_pattern;
use crate::{Config, NamePattern};

/// The stage that is production where nothing is said about it.
const PRODUCTION: &str = "Production";

/// Which stage of which pipelines is production. Of several that match, the first one holds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeliveryRule {
    /// The pipelines: a name, in which `*` stands for any characters and `?` for one.
    #[serde(deserialize_with = "name_pattern")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::name_pattern"))]
    pub pipeline: NamePattern,
    /// The stage that changes production. A deployment is an execution in which it has succeeded.
    #[serde(default = "production", deserialize_with = "stage")]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "Production")))]
    pub production: String,
    /// The actions of that stage that change production, where others come before them: a stage that fails in front of
    /// the first of these has changed nothing. Where none are named, every action but an approval counts.
    #[serde(default, deserialize_with = "actions")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::names"))]
    pub deployed_by: Vec<NamePattern>,
}

impl Default for DeliveryRule {
    fn default() -> Self {
        Self { pipeline: NamePattern::new("*"), production: production(), deployed_by: Vec::new() }
    }
}

impl DeliveryRule {
    /// Whether an action of the production stage changes production.
    pub fn is_deploying(&self, action: &str) -> bool {
        self.deployed_by.is_empty() || self.deployed_by.iter().any(|pattern| pattern.matches(action))
    }
}

impl Config {
    /// What is production in a pipeline; `None` where others are named and this one is not.
    pub fn delivery(&self, pipeline: &str) -> Option<DeliveryRule> {
        if self.delivery.is_empty() {
            return Some(DeliveryRule::default());
        }
        self.delivery.iter().find(|rule| rule.pipeline.matches(pipeline)).cloned()
    }

    /// Whether an entry names a pipeline, so that it is measured though nobody is told of it.
    pub fn is_measured(&self, pipeline: &str) -> bool {
        self.delivery.iter().any(|rule| rule.pipeline.matches(pipeline))
    }
}

fn production() -> String {
    PRODUCTION.to_owned()
}

fn stage<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.trim().is_empty() {
        return Err(D::Error::custom("an empty name is no stage; write the name of the stage that changes production"));
    }
    Ok(name)
}

fn actions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<NamePattern>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    if names.iter().any(|name| name.trim().is_empty()) {
        return Err(D::Error::custom("an empty pattern matches no action; write a name, or leave `deployed_by` out"));
    }
    Ok(names.iter().map(|name| NamePattern::new(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_holds() {
        let text = "delivery: [{pipeline: 'web-*', deployed_by: ['Deploy*']}, {pipeline: web-eu, production: Live}, {pipeline: api, production: Live}]";
        let config = Config::parse("x", text).expect("valid");
        let stage = |pipeline: &str| config.delivery(pipeline).map(|rule| rule.production);
        assert_eq!(stage("web-eu").as_deref(), Some("Production"));
        assert_eq!(stage("api").as_deref(), Some("Live"));
        assert_eq!(stage("other"), None);
        let rule = config.delivery("web-eu").expect("it matches");
        assert!(rule.is_deploying("DeployEu") && !rule.is_deploying("SmokeTest"));
        let without = Config::default().delivery("anything").expect("the default");
        assert!(without.production == "Production" && without.is_deploying("Whatever"));
        assert_eq!([config.is_measured("api"), config.is_measured("other")], [true, false]);
        assert!(!Config::default().is_measured("api"));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, word) in [
            ("delivery: [{pipeline: web, production: ' '}]", "an empty name is no stage"),
            ("delivery: [{pipeline: web, deployed_by: ['']}]", "an empty pattern matches no action"),
            ("delivery: [{pipeline: web, stage: Production}]", "stage"),
            ("delivery: [{production: Live}]", "pipeline"),
        ] {
            let error = Config::parse("x", text).expect_err(text).to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
