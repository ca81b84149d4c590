//! The action types that this local AWS can run, with the numbers of artifacts that AWS allows them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::ActionTypeId;

/// The action types at hand: the Lambda invocation and the manual approval, which the engine knows itself, and one for
/// every provider that was registered.
#[derive(Clone, Debug)]
pub struct ActionTypes {
    providers: BTreeSet<(String, String)>,
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
        Self { providers: all.map(|(category, provider)| (category.to_owned(), provider.to_owned())).collect() }
    }

    /// Whether this local AWS can run actions of the type.
    pub fn contains(&self, id: &ActionTypeId) -> bool {
        id.owner == "AWS" && id.version == "1" && self.providers.contains(&(id.category.clone(), id.provider.clone()))
    }

    /// The types at hand as `Category/Provider`, for an error message.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> =
            self.providers.iter().map(|(category, provider)| format!("{category}/{provider}")).collect();
        names.join(", ")
    }
}

impl ArtifactCounts {
    /// What AWS allows an action of the type. Types that are not listed may take and make 0 to 5, as custom ones do.
    pub fn of(id: &ActionTypeId) -> Self {
        let (input, output) = match (id.category.as_str(), id.provider.as_str()) {
            ("Source", _) => (0..=0, 1..=1),
            ("Build" | "Test", "CodeBuild") => (1..=5, 0..=5),
            ("Approval", "Manual") => (0..=0, 0..=0),
            ("Deploy", "CodeDeploy" | "S3") => (1..=1, 0..=0),
            ("Deploy", "CloudFormation") => (0..=10, 0..=1),
            ("Compute", "Commands") => (1..=10, 0..=1),
            _ => (0..=5, 0..=5),
        };
        Self { input, output }
    }
}
