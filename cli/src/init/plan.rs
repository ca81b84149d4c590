//! Where in a pipeline the gates belong.

use super::definition::{Action, Definition, Stage};

/// What was found in a pipeline, and the gates that follow from it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The pipeline's name.
    pub(crate) pipeline: String,
    /// What the names of gates begin with.
    pub(crate) prefix: String,
    pub(crate) tests: Option<Tests>,
    pub(crate) smoke: Option<Smoke>,
    pub(crate) release: Option<Release>,
    /// Manual approvals: stage and action.
    pub(crate) approvals: Vec<(String, String)>,
}

/// The action whose tests are judged.
#[derive(Clone, Debug)]
pub(crate) struct Tests {
    pub(crate) stage: usize,
    pub(crate) action: String,
    /// The artifact with the reports; `None` where the action hands nothing on.
    pub(crate) artifact: Option<String>,
}

/// The deployment that is tested.
#[derive(Clone, Debug)]
pub(crate) struct Smoke {
    pub(crate) stage: usize,
    /// The artifact with the Hurl files.
    pub(crate) artifact: Option<String>,
}

/// The stage that deploys to production.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub(crate) stage: usize,
}

impl Plan {
    pub(crate) fn of(definition: &Definition) -> Self {
        let stages = &definition.stages;
        let deploying: Vec<usize> = positions(stages, |action| action.category == "Deploy");
        // With one deployment only there is nothing to look at before production, and the smoke test looks at that.
        let smoke = deploying.first().map(|stage| Smoke { stage: *stage, artifact: source_of(stages) });
        let approvals = stages.iter().flat_map(|stage| {
            let manual = stage.actions.iter().filter(|action| action.category == "Approval");
            manual.map(|action| (stage.name.clone(), action.name.clone()))
        });
        Self {
            pipeline: definition.name.clone(),
            prefix: gate_prefix(&definition.name),
            tests: tests_of(stages, deploying.first().copied()),
            smoke,
            release: deploying.last().map(|stage| Release { stage: *stage }),
            approvals: approvals.collect(),
        }
    }

    /// The name of a gate.
    pub(crate) fn gate(&self, what: &str) -> String {
        format!("{}-{what}", self.prefix)
    }
}

/// The action that most probably runs the tests: a CodeBuild action before the first deployment, one that is called after
/// tests rather than another, one that hands reports on rather than one that does not.
fn tests_of(stages: &[Stage], first_deploy: Option<usize>) -> Option<Tests> {
    let before = first_deploy.unwrap_or(stages.len());
    let builds = stages.iter().enumerate().take(before.max(1)).flat_map(|(number, stage)| {
        let of_stage = stage.actions.iter().filter(|action| action.provider == "CodeBuild");
        of_stage.map(move |action| (number, action))
    });
    let rank = |action: &Action| {
        (
            action.category == "Test" || speaks_of_tests(&action.name),
            action.outputs.iter().any(|name| speaks_of_tests(name)),
        )
    };
    // Of equals the last one: it is nearer to the deployment.
    let (stage, action) = builds.max_by_key(|(number, action)| (rank(action), *number))?;
    let named = action.outputs.iter().find(|name| speaks_of_tests(name));
    let artifact = named.or(action.outputs.last()).cloned();
    Some(Tests { stage, action: action.name.clone(), artifact })
}

fn speaks_of_tests(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("test") || name.contains("report")
}

/// The artifact with the sources, which are where Hurl files lie.
fn source_of(stages: &[Stage]) -> Option<String> {
    let actions = stages.iter().flat_map(|stage| &stage.actions);
    actions.filter(|action| action.category == "Source").find_map(|action| action.outputs.first().cloned())
}

fn positions(stages: &[Stage], is: impl Fn(&Action) -> bool) -> Vec<usize> {
    stages.iter().enumerate().filter(|(_, stage)| stage.actions.iter().any(&is)).map(|(number, _)| number).collect()
}

/// A name for gates made of the pipeline's: small letters, digits and hyphens.
fn gate_prefix(pipeline: &str) -> String {
    let letters =
        pipeline.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' });
    let name: String = letters.collect();
    let parts: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "release".to_owned() } else { parts.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_gates_are_plain() {
        for (pipeline, expected) in [
            ("web", "web"),
            ("Web.Shop_2", "web-shop-2"),
            ("--a--b", "a-b"),
            ("@@", "release"),
            ("WebPipeline", "webpipeline"),
        ] {
            assert_eq!(gate_prefix(pipeline), expected, "{pipeline}");
        }
    }
}
