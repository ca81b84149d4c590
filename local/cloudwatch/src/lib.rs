//! The CloudWatch of the local AWS.
//!
//! | operation | notes |
//! |---|---|
//! | PutMetricAlarm, PutCompositeAlarm, DeleteAlarms | an alarm begins without data |
//! | SetAlarmState | the only thing that changes an alarm's state: nothing evaluates metrics or rules here |
//! | DescribeAlarms | by name, prefix, type and state, in pages |
//! | PutMetricData | single values, lists of values and statistic sets |
//! | GetMetricData | statistics and percentiles, and [metric math](math) with `+ - * /`, comparisons, `IF`, `FILL`, `MIN`, `MAX`, `SUM`, `AVG`, `ABS`, `CEIL`, `FLOOR` |
//!
//! It speaks Smithy RPC v2 CBOR, as the AWS SDK for Rust does, and AWS JSON 1.0, as `aws` does. Everything lives in
//! memory and ends with the local AWS.

mod alarms;
mod cbor;
pub mod math;
mod metrics;

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{self, Model, Service};

use alarms::Alarms;
use metrics::Metrics;

pub use cbor::{PATH as CBOR_PATH, refusal};

static SERVICE: Service = Service {
    name: "CloudWatch",
    target_prefix: "GraniteServiceVersion20100801.",
    violation: "InvalidParameterValue",
    invalid_token: "InvalidNextToken",
};

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(&SERVICE, include_str!("shapes.txt")));

/// The alarms and metrics of one local AWS. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub struct CloudWatch {
    clock: Clock,
    alarms: Arc<Mutex<Alarms>>,
    metrics: Arc<Mutex<Metrics>>,
}

impl CloudWatch {
    /// No alarms and no metrics yet, in this Region of this account.
    pub fn new(clock: Clock, region: &str, account_id: &str) -> Self {
        let alarms = Alarms::new(format!("arn:aws:cloudwatch:{region}:{account_id}:alarm"));
        Self { clock, alarms: Arc::new(Mutex::new(alarms)), metrics: Arc::default() }
    }

    /// Carries out an operation as AWS does, without HTTP. Times are numbers of seconds, as in AWS JSON.
    ///
    /// # Errors
    ///
    /// `ResourceNotFound`, `InvalidNextToken` and the others of the AWS model, and `UnknownOperationException` for an
    /// operation that is not there.
    pub fn call(&self, operation: &str, input: &Value) -> Result<Value, ApiError> {
        let input = MODEL.check(operation, input)?;
        match operation {
            "DescribeAlarms" => locked(&self.alarms).describe(&input),
            "PutMetricAlarm" => locked(&self.alarms).put_metric_alarm(&input, self.clock.now()),
            "PutCompositeAlarm" => locked(&self.alarms).put_composite_alarm(&input, self.clock.now()),
            "DeleteAlarms" => locked(&self.alarms).delete(&input),
            "SetAlarmState" => locked(&self.alarms).set_state(&input, self.clock.now()),
            "PutMetricData" => locked(&self.metrics).put(&input, self.clock.now()),
            "GetMetricData" => locked(&self.metrics).get(&input),
            _ => Err(MODEL.unknown_operation(operation)),
        }
        .map(|output| if output.is_null() { json!({}) } else { output })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves the API: AWS JSON at `/`, and CBOR below [`CBOR_PATH`]. Signatures are not checked.
pub fn router(cloudwatch: CloudWatch) -> Router {
    let json = cloudwatch.clone();
    let router = aws_json::router(&SERVICE, move |operation, input| {
        let cloudwatch = json.clone();
        async move { cloudwatch.call(&operation, &input) }
    });
    cbor::routes(router, cloudwatch)
}

/// A text member of an input that was checked.
fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    input[member].as_str().unwrap_or_default()
}
