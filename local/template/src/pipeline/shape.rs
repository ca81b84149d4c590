//! The members of a pipeline in a template (CloudFormation reference, `AWS::CodePipeline::Pipeline`).

/// What a value is.
pub(super) enum Shape {
    Text,
    Integer,
    /// What the provider of an action or a rule defines.
    Configuration,
    List(&'static Shape),
    /// What it is called in messages, and its members.
    Object(&'static str, &'static [(&'static str, &'static Shape)]),
}

use Shape::{Configuration, Integer, List, Object, Text};

const TEXTS: Shape = List(&Text);

pub(super) const PIPELINE: Shape = Object(
    "AWS::CodePipeline::Pipeline",
    &[
        ("ArtifactStore", &ARTIFACT_STORE),
        (
            "ArtifactStores",
            &List(&Object("an entry of `ArtifactStores`", &[("ArtifactStore", &ARTIFACT_STORE), ("Region", &Text)])),
        ),
        ("ExecutionMode", &Text),
        ("Name", &Text),
        ("PipelineType", &Text),
        ("RoleArn", &Text),
        ("Stages", &List(&STAGE)),
        ("Triggers", &List(&TRIGGER)),
        (
            "Variables",
            &List(&Object("a variable", &[("DefaultValue", &Text), ("Description", &Text), ("Name", &Text)])),
        ),
    ],
);

const ARTIFACT_STORE: Shape = Object(
    "an artifact store",
    &[
        ("EncryptionKey", &Object("an encryption key", &[("Id", &Text), ("Type", &Text)])),
        ("Location", &Text),
        ("Type", &Text),
    ],
);

const STAGE: Shape = Object(
    "a stage",
    &[
        ("Actions", &List(&ACTION)),
        ("BeforeEntry", &Object("`BeforeEntry`", &[("Conditions", &CONDITIONS)])),
        ("Blockers", &List(&Object("a blocker", &[("Name", &Text), ("Type", &Text)]))),
        ("Name", &Text),
        (
            "OnFailure",
            &Object(
                "`OnFailure`",
                &[
                    ("Conditions", &CONDITIONS),
                    ("Result", &Text),
                    ("RetryConfiguration", &Object("`RetryConfiguration`", &[("RetryMode", &Text)])),
                ],
            ),
        ),
        ("OnSuccess", &Object("`OnSuccess`", &[("Conditions", &CONDITIONS)])),
    ],
);

const CONDITIONS: Shape = List(&Object("a condition", &[("Result", &Text), ("Rules", &List(&RULE))]));

const RULE: Shape = Object(
    "a rule",
    &[
        ("Commands", &TEXTS),
        ("Configuration", &Configuration),
        ("InputArtifacts", &ARTIFACTS),
        ("Name", &Text),
        ("Region", &Text),
        ("RoleArn", &Text),
        ("RuleTypeId", &TYPE_ID),
    ],
);

const TYPE_ID: Shape =
    Object("a type id", &[("Category", &Text), ("Owner", &Text), ("Provider", &Text), ("Version", &Text)]);

const ARTIFACTS: Shape = List(&Object("an artifact", &[("Files", &TEXTS), ("Name", &Text)]));

const ACTION: Shape = Object(
    "an action",
    &[
        ("ActionTypeId", &TYPE_ID),
        ("Commands", &TEXTS),
        ("Configuration", &Configuration),
        (
            "EnvironmentVariables",
            &List(&Object("an environment variable", &[("Name", &Text), ("Type", &Text), ("Value", &Text)])),
        ),
        ("InputArtifacts", &ARTIFACTS),
        ("Name", &Text),
        ("Namespace", &Text),
        ("OutputArtifacts", &ARTIFACTS),
        ("OutputVariables", &TEXTS),
        ("Region", &Text),
        ("RoleArn", &Text),
        ("RunOrder", &Integer),
        ("TimeoutInMinutes", &Integer),
    ],
);

const FILTER: Shape = Object("a filter", &[("Excludes", &TEXTS), ("Includes", &TEXTS)]);

const TRIGGER: Shape = Object(
    "a trigger",
    &[
        (
            "GitConfiguration",
            &Object(
                "`GitConfiguration`",
                &[
                    (
                        "PullRequest",
                        &List(&Object(
                            "`PullRequest`",
                            &[("Branches", &FILTER), ("Events", &TEXTS), ("FilePaths", &FILTER)],
                        )),
                    ),
                    (
                        "Push",
                        &List(&Object("`Push`", &[("Branches", &FILTER), ("FilePaths", &FILTER), ("Tags", &FILTER)])),
                    ),
                    ("SourceActionName", &Text),
                ],
            ),
        ),
        ("ProviderType", &Text),
    ],
);
