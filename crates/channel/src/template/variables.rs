//! What templates can say.

use minijinja::value::{Serde, Value as Variables};
use stagegate_notice::Bulletin;

use crate::bulletin::data;

/// A variable of templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub meaning: &'static str,
}

const fn variable(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning }
}

/// What there is beside the members of the JSON for programs.
const MORE: [Variable; 4] = [
    variable("name", "the pipeline; `build` and the project; `deployment`, the application and its deployment group"),
    variable("sign", "the sign of the status, such as ✔"),
    variable("is_reply", "whether it stands in a thread, below the message that is kept current"),
    variable("mention", "in a Slack channel with `mention_author`: the Slack user id of the author, else nothing"),
];

/// The members of the JSON for programs, in their order.
pub const MEMBERS: [Variable; 18] = [
    variable("version", "1; it is raised where a member is taken away or changes its meaning"),
    variable("kind", "what it tells: a notice such as `failed`, or `status` for the message that is kept current"),
    variable("key", "by what it is known among the messages of its execution"),
    variable("subject", "`pipeline`, `build` or `deployment`"),
    variable("pipeline", "the pipeline; there for pipelines only"),
    variable("project", "the CodeBuild project; there for builds without a pipeline only"),
    variable(
        "deployment",
        "the CodeDeploy application and its deployment group; there for deployments without a pipeline only",
    ),
    variable("execution", "the execution, the build or the deployment"),
    variable("stage", "the stage that a notice belongs to, or nothing"),
    variable(
        "status",
        "how the execution stands: `running`, `waiting`, `succeeded`, `failed`, `stopped`, `superseded`",
    ),
    variable("title", "in a few words, what comes after the name"),
    variable("lines", "more about it: a list with `label`, `text` and, where it leads somewhere, `url`"),
    variable(
        "stages",
        "the stages in their order: a list with `name`, `mark` and `actions`, each of these with `name` and `mark`; a mark is `not_begun`, `running`, `waiting`, `done`, `failed` or `stopped`",
    ),
    variable("revision", "what is released, or nothing: `id`, `summary`, `url`"),
    variable("author", "the author of the change, or nothing"),
    variable("trigger", "what started the execution, or nothing"),
    variable("region", "the Region, or nothing"),
    variable("url", "where the execution can be seen, or nothing"),
];

/// Every variable: the members of the JSON for programs, and what templates have beside them.
pub fn variables() -> impl Iterator<Item = Variable> {
    MEMBERS.into_iter().chain(MORE)
}

/// The values for a bulletin.
pub(super) fn context(bulletin: &Bulletin) -> Variables {
    let mut values = data(bulletin);
    values["name"] = bulletin.subject.title(&bulletin.name).into();
    values["sign"] = bulletin.status.sign().into();
    values["is_reply"] = bulletin.is_reply.into();
    values["mention"] = bulletin.mention.clone().into();
    if let Some(stages) = values["stages"].as_array_mut() {
        for (stage, line) in stages.iter_mut().zip(&bulletin.stages) {
            stage["sign"] = line.mark.sign().into();
        }
    }
    Variables::from(Serde(values))
}
