//! A pipeline definition: its actions in their order.

use super::json::Node;

/// The conditions of a stage, before and after all of its actions.
const CONDITIONS: [(&str, i64); 3] = [("beforeEntry", 0), ("onSuccess", i64::MAX), ("onFailure", i64::MAX)];

/// What is checked of a definition.
pub(crate) struct Pipeline<'a> {
    pub(crate) name: Option<&'a str>,
    /// The names of the pipeline's variables.
    pub(crate) variables: Vec<&'a str>,
    pub(crate) actions: Vec<Action<'a>>,
    /// The rules of stage conditions, each in its place among the actions.
    pub(crate) rules: Vec<Action<'a>>,
}

/// An action, or a rule of a stage condition, and its place among the others.
pub(crate) struct Action<'a> {
    pub(crate) node: &'a Node,
    /// `action` or `rule`.
    pub(crate) kind: &'static str,
    pub(crate) stage: &'a str,
    pub(crate) name: &'a str,
    pub(crate) namespace: Option<&'a str>,
    /// The number of the stage, then `runOrder`: actions of the same order run at the same time.
    order: (usize, i64),
}

impl<'a> Pipeline<'a> {
    /// Reads a definition as `aws codepipeline get-pipeline` prints it, or without its envelope.
    pub(crate) fn read(root: &'a Node) -> Self {
        let pipeline = root.get("pipeline").unwrap_or(root);
        let variables = pipeline.items_of("variables").iter().filter_map(|variable| variable.str_of("name"));
        let (mut actions, mut rules) = (Vec::new(), Vec::new());
        for (number, stage) in pipeline.items_of("stages").iter().enumerate() {
            for action in stage.items_of("actions") {
                actions.push(Action {
                    node: action,
                    kind: "action",
                    stage: stage.str_of("name").unwrap_or("?"),
                    name: action.str_of("name").unwrap_or("?"),
                    namespace: action.str_of("namespace"),
                    order: (number, action.get("runOrder").and_then(Node::number).unwrap_or(1)),
                });
            }
            for (member, order) in CONDITIONS {
                let conditions = stage.get(member).map(|member| member.items_of("conditions")).unwrap_or_default();
                for rule in conditions.iter().flat_map(|condition| condition.items_of("rules")) {
                    rules.push(Action {
                        node: rule,
                        kind: "rule",
                        stage: stage.str_of("name").unwrap_or("?"),
                        name: rule.str_of("name").unwrap_or("?"),
                        namespace: None,
                        order: (number, order),
                    });
                }
            }
        }
        Self { name: pipeline.str_of("name"), variables: variables.collect(), actions, rules }
    }
}

impl<'a> Action<'a> {
    /// Whether this action has ended when the other begins.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        self.order < other.order
    }

    /// Whether the action type is this one of AWS.
    pub(crate) fn is(&self, categories: &[&str], provider: &str) -> bool {
        let of_type = |key| self.node.get("actionTypeId").and_then(|id| id.str_of(key)).unwrap_or_default();
        of_type("owner") == "AWS" && of_type("provider") == provider && categories.contains(&of_type("category"))
    }

    /// Whether it hands a job to a Lambda function.
    pub(crate) fn invokes_function(&self) -> bool {
        let of_rule = |key| self.node.get("ruleTypeId").and_then(|id| id.str_of(key)).unwrap_or_default();
        self.is(&["Invoke"], "Lambda") || (of_rule("category") == "Rule" && of_rule("provider") == "LambdaInvoke")
    }

    /// A value of its configuration.
    pub(crate) fn setting(&self, key: &str) -> Option<&'a Node> {
        self.node.get("configuration")?.get(key)
    }

    /// The CodeBuild project that it runs.
    pub(crate) fn project(&self) -> Option<&'a str> {
        self.is(&["Build", "Test"], "CodeBuild").then(|| self.setting("ProjectName")?.str()).flatten()
    }

    /// The names of the artifacts that it makes.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.node.items_of("outputArtifacts").iter().filter_map(|artifact| artifact.str_of("name"))
    }
}
