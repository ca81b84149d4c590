//! What is measured.

use jiff::Timestamp;
use serde::Serialize;

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident: $unit:literal by $($dimension:ident)+,)*) => {
        /// What is measured. The names are those of the CloudWatch metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Metric {
            $($(#[$doc])* $name,)*
        }

        impl Metric {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name of the CloudWatch metric.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Its unit, as CloudWatch names it (CloudWatch API reference, MetricDatum).
            pub fn unit(self) -> &'static str {
                match self {
                    $(Self::$name => $unit,)*
                }
            }

            /// Its dimensions: one series for each pipeline, stage or gate. The execution is none, since every other value
            /// of a dimension is another metric, and is paid for as one.
            pub fn dimensions(self) -> &'static [Dimension] {
                match self {
                    $(Self::$name => &[$(Dimension::$dimension),+],)*
                }
            }
        }
    };
}

metrics! {
    /// 1 for each deployment: the production stage of an execution has succeeded.
    Deployments: "Count" by Pipeline,
    /// From the commit to its deployment.
    LeadTime: "Seconds" by Pipeline,
    /// 1 for each change that has reached production, whether it succeeded or failed there.
    Changes: "Count" by Pipeline,
    /// 1 for each of these that has failed there, or was rolled back.
    FailedChanges: "Count" by Pipeline,
    /// From the failure of production to its next success.
    RestoreTime: "Seconds" by Pipeline,
    /// From the beginning of a stage to its success, with all its retries.
    StageDuration: "Seconds" by Pipeline Stage,
    /// From the question to its answer.
    ApprovalWait: "Seconds" by Pipeline Stage,
    /// 1 for each verdict that was passed.
    GatePassed: "Count" by Pipeline Gate,
    /// 1 for each verdict that was failed.
    GateFailed: "Count" by Pipeline Gate,
    /// 1 for each verdict that asks a person.
    GateInconclusive: "Count" by Pipeline Gate,
}

/// By what a metric is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// The pipeline's name.
    Pipeline,
    /// The stage's name.
    Stage,
    /// The gate's name.
    Gate,
}

impl Dimension {
    /// The name of the CloudWatch dimension.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pipeline => "Pipeline",
            Self::Stage => "Stage",
            Self::Gate => "Gate",
        }
    }
}

/// What a measurement is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subject {
    /// The pipeline.
    pub pipeline: String,
    /// The execution.
    pub execution: String,
    /// The stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The gate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
}

impl Subject {
    /// The value of a dimension.
    pub fn value(&self, dimension: Dimension) -> &str {
        match dimension {
            Dimension::Pipeline => &self.pipeline,
            Dimension::Stage => self.stage.as_deref().unwrap_or_default(),
            Dimension::Gate => self.gate.as_deref().unwrap_or_default(),
        }
    }
}

/// Since when a lead time is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Since the revision was made.
    Revision,
    /// Since the execution began, because it is not known when the revision was made.
    Execution,
}

/// Something that was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// By what it is known: it counts once. It is unlike those of all other measurements of the same execution and, with
    /// those of [`Production`](crate::Production), of the same pipeline.
    pub key: String,
    /// What was measured.
    pub metric: Metric,
    /// How much: seconds, or 1.
    pub value: f64,
    /// When it happened.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// Of a lead time: since when it is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// The seconds between two times, none where they are the wrong way round.
pub(crate) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}
