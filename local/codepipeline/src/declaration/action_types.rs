//! The action types that this local AWS can run, with the numbers of artifacts that AWS allows them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::custom_type::CustomActionType;
use super::{ActionTypeId, PipelineDeclaration};
use crate::error::ApiError;

/// The most custom action types of a Region (AWS CodePipeline guide, quotas).
const CUSTOM_TYPES: usize = 50;

/// The action types at hand: the Lambda invocation and the manual approval, which the engine knows itself, one for
/// every provider that was registered, and the custom ones that were created.
#[derive(Clone, Debug)]
pub struct ActionTypes {
    providers: BTreeSet<(String, String)>,
    /// By category, provider and version.
    custom: BTreeMap<(String, String, String), Custom>,
}

/// A custom action type; a deleted one is remembered, because its version may not be used again.
#[derive(Clone, Debug)]
struct Custom {
    definition: CustomActionType,
    tags: BTreeMap<String, String>,
    deleted: bool,
}

/// How many artifacts an action type takes and makes (AWS CodePipeline guide, action structure reference).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactCounts {
    /// The number of input artifacts.
    pub input: RangeInclusive<usize>,
    /// The number of output artifacts.
    pub output: RangeInclusive<usize>,
}

impl Default for ActionTypes {
    fn default() -> Self {
        Self::with_providers([])
    }
}

impl ActionTypes {
    /// The built-in types and those of the given providers, each a category and a provider's name.
    pub fn with_providers<'a>(providers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let built_in = [("Invoke", "Lambda"), ("Approval", "Manual")];
        let all = built_in.into_iter().chain(providers);
        let providers = all.map(|(category, provider)| (category.to_owned(), provider.to_owned())).collect();
        Self { providers, custom: BTreeMap::new() }
    }

    /// Whether this local AWS can run actions of the type.
    pub fn contains(&self, id: &ActionTypeId) -> bool {
        let built_in = id.owner == "AWS"
            && id.version == "1"
            && self.providers.contains(&(id.category.clone(), id.provider.clone()));
        built_in || self.custom(id).is_some()
    }

    /// The types of AWS at hand.
    pub(crate) fn of_aws(&self) -> impl Iterator<Item = ActionTypeId> {
        self.providers.iter().map(|(category, provider)| ActionTypeId {
            category: category.clone(),
            owner: "AWS".to_owned(),
            provider: provider.clone(),
            version: "1".to_owned(),
        })
    }

    /// The custom types that were not deleted.
    pub(crate) fn all_custom(&self) -> impl Iterator<Item = &CustomActionType> {
        self.custom.values().filter(|custom| !custom.deleted).map(|custom| &custom.definition)
    }

    /// The custom type of this id, unless it was deleted.
    pub(crate) fn custom(&self, id: &ActionTypeId) -> Option<&CustomActionType> {
        self.find(id).filter(|custom| !custom.deleted).map(|custom| &custom.definition)
    }

    /// The custom type of this id, deleted or not.
    pub(crate) fn once_custom(&self, id: &ActionTypeId) -> Option<&CustomActionType> {
        self.find(id).map(|custom| &custom.definition)
    }

    /// The tags of a custom type that was not deleted.
    pub(crate) fn tags_mut(&mut self, id: &ActionTypeId) -> Option<&mut BTreeMap<String, String>> {
        let custom = self.custom.get_mut(&key(id)).filter(|custom| !custom.deleted && id.owner == "Custom")?;
        Some(&mut custom.tags)
    }

    /// The tags of a custom type that was not deleted.
    pub(crate) fn tags(&self, id: &ActionTypeId) -> Option<&BTreeMap<String, String>> {
        self.find(id).filter(|custom| !custom.deleted).map(|custom| &custom.tags)
    }

    fn find(&self, id: &ActionTypeId) -> Option<&Custom> {
        if id.owner == "Custom" { self.custom.get(&key(id)) } else { None }
    }

    /// CreateCustomActionType.
    ///
    /// # Errors
    ///
    /// If the type is wrong in itself, exists or has existed, or is one too many.
    pub(crate) fn create(
        &mut self,
        definition: CustomActionType,
        tags: BTreeMap<String, String>,
    ) -> Result<(), ApiError> {
        definition.check()?;
        let id = definition.id();
        match self.find(&id) {
            Some(Custom { deleted: false, .. }) => {
                return Err(ApiError::validation(format!("the action type {id} exists already; use another version")));
            }
            Some(_) => {
                let message =
                    format!("the action type {id} existed and was deleted; use a version that was never used");
                return Err(ApiError::validation(message));
            }
            None => {}
        }
        if self.all_custom().count() >= CUSTOM_TYPES {
            let message = "there are 50 custom action types already; delete one that no pipeline uses";
            return Err(ApiError::new("LimitExceededException", message));
        }
        self.custom.insert(key(&id), Custom { definition, tags, deleted: false });
        Ok(())
    }

    /// DeleteCustomActionType. A type that does not exist is deleted already.
    pub(crate) fn delete(&mut self, id: &ActionTypeId) {
        if let Some(custom) = self.custom.get_mut(&key(id)) {
            custom.deleted = true;
        }
    }

    /// The types at hand as `Category/Provider`, for an error message.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> =
            self.providers.iter().map(|(category, provider)| format!("{category}/{provider}")).collect();
        names.join(", ")
    }

    /// The custom types at hand, for an error message.
    pub(crate) fn custom_names(&self) -> String {
        let names: Vec<_> = self.all_custom().map(|custom| custom.id().to_string()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// What AWS allows an action of the type to take and make.
    pub(crate) fn counts(&self, id: &ActionTypeId) -> ArtifactCounts {
        self.once_custom(id).map_or_else(|| ArtifactCounts::of(id), CustomActionType::counts)
    }

    /// A declaration as callers may see it.
    pub(crate) fn masked(&self, declaration: &PipelineDeclaration) -> PipelineDeclaration {
        let mut shown = declaration.clone();
        for action in shown.stages.iter_mut().flat_map(|stage| &mut stage.actions) {
            if let Some(custom) = self.once_custom(&action.action_type_id) {
                action.configuration = custom.masked(&action.configuration);
            }
        }
        shown
    }

    /// A configuration as callers may see it.
    pub(crate) fn masked_configuration(
        &self,
        id: &ActionTypeId,
        configuration: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        self.once_custom(id).map_or_else(|| configuration.clone(), |custom| custom.masked(configuration))
    }

    /// Puts the secrets of the former version back where the new one has their masks.
    pub(crate) fn unmask(&self, declaration: &mut PipelineDeclaration, former: &PipelineDeclaration) {
        for stage in &mut declaration.stages {
            let Some(former) = former.stages.iter().find(|other| other.name == stage.name) else { continue };
            for action in &mut stage.actions {
                let same = former
                    .actions
                    .iter()
                    .find(|other| other.name == action.name && other.action_type_id == action.action_type_id);
                if let (Some(custom), Some(same)) = (self.once_custom(&action.action_type_id), same) {
                    custom.unmask(&mut action.configuration, &same.configuration);
                }
            }
        }
    }
}

fn key(id: &ActionTypeId) -> (String, String, String) {
    (id.category.clone(), id.provider.clone(), id.version.clone())
}

impl ArtifactCounts {
    /// What AWS allows an action of the type. Types that are not listed may take and make 0 to 5, as custom ones do.
    pub fn of(id: &ActionTypeId) -> Self {
        let (input, output) = match (id.category.as_str(), id.provider.as_str()) {
            ("Source", _) => (0..=0, 1..=1),
            ("Build" | "Test", "CodeBuild") => (1..=5, 0..=5),
            ("Approval", "Manual") => (0..=0, 0..=0),
            ("Deploy", "CodeDeploy" | "S3") => (1..=1, 0..=0),
            ("Deploy", "CodeDeployToECS") => (1..=5, 0..=0),
            ("Deploy", "CloudFormation") => (0..=10, 0..=1),
            ("Compute", "Commands") => (1..=10, 0..=1),
            _ => (0..=5, 0..=5),
        };
        Self { input, output }
    }
}
