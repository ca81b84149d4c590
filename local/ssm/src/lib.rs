//! The Parameter Store of the local AWS.
//!
//! | operation | notes |
//! |---|---|
//! | PutParameter | `String`, `StringList` and `SecureString`; versions are counted, and the last 100 are kept |
//! | GetParameter, GetParameters | by name, by ARN, and with a version (`/web/token:3`); labels are not kept |
//! | GetParametersByPath | recursive or not, in pages; a filter is refused |
//! | DeleteParameter | |
//!
//! Parameters live in memory and end with the local AWS. A `SecureString` is not encrypted here; without
//! `WithDecryption` a caller gets a text that is not its value, as with AWS, and `Debug` shows no value at all.

mod name;
mod store;

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Router;
use serde_json::{Map, Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{self, Model, Page, Service, page};

use name::Reference;
use store::Store;

static SERVICE: Service = Service {
    name: "Parameter Store",
    target_prefix: "AmazonSSM.",
    violation: "ValidationException",
    invalid_token: "InvalidNextToken",
};

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(&SERVICE, include_str!("shapes.txt")));

/// The parameters of one local AWS. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub struct Ssm {
    clock: Clock,
    /// `arn:aws:ssm:REGION:ACCOUNT:parameter`, to which a name is added.
    arn: Arc<str>,
    store: Arc<Mutex<Store>>,
}

impl Ssm {
    /// No parameters yet, in this Region of this account.
    pub fn new(clock: Clock, region: &str, account_id: &str) -> Self {
        Self { clock, arn: format!("arn:aws:ssm:{region}:{account_id}:parameter").into(), store: Arc::default() }
    }

    /// Carries out an operation as AWS does, without HTTP.
    ///
    /// # Errors
    ///
    /// `ParameterNotFound`, `ParameterAlreadyExists` and the others of the AWS model, `ValidationException` for an
    /// input outside its limits, and `UnknownOperationException` for an operation that is not there.
    pub fn call(&self, operation: &str, input: &Value) -> Result<Value, ApiError> {
        let input = MODEL.check(operation, input)?;
        match operation {
            "GetParameter" => self.get_parameter(&input),
            "GetParameters" => Ok(self.get_parameters(&input)),
            "GetParametersByPath" => self.get_parameters_by_path(&input),
            "PutParameter" => self.put_parameter(&input),
            "DeleteParameter" => self.delete_parameter(&input),
            _ => Err(MODEL.unknown_operation(operation)),
        }
    }

    fn store(&self) -> std::sync::MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get_parameter(&self, input: &Value) -> Result<Value, ApiError> {
        let reference = Reference::read(text(input, "Name"), &self.arn)?;
        let parameter = self.store().describe(&reference, &self.arn, is_true(input, "WithDecryption"))?;
        Ok(json!({"Parameter": parameter}))
    }

    fn get_parameters(&self, input: &Value) -> Value {
        let names = input["Names"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let (mut found, mut invalid) = (Vec::new(), Vec::new());
        let store = self.store();
        for name in names {
            let parameter = Reference::read(name, &self.arn)
                .and_then(|reference| store.describe(&reference, &self.arn, is_true(input, "WithDecryption")));
            match parameter {
                Ok(parameter) => found.push(parameter),
                Err(_) => invalid.push(name),
            }
        }
        json!({"Parameters": found, "InvalidParameters": invalid})
    }

    fn get_parameters_by_path(&self, input: &Value) -> Result<Value, ApiError> {
        let path = text(input, "Path");
        name::check_path(path)?;
        if input["ParameterFilters"].as_array().is_some_and(|filters| !filters.is_empty()) {
            let message = "the local Parameter Store has no filters; ask for a longer path";
            return Err(ApiError::new("InvalidFilterKey", message));
        }
        let below = self.store().below(path, is_true(input, "Recursive"), &self.arn, is_true(input, "WithDecryption"));
        let asked = json!({"maxResults": input["MaxResults"], "nextToken": input["NextToken"]});
        let request = Page { operation: "GetParametersByPath", output: "Parameters", default_size: 10 };
        page(&SERVICE, &request, &asked, below.into_iter()).map(with_capitals)
    }

    fn put_parameter(&self, input: &Value) -> Result<Value, ApiError> {
        let version = self.store().put(input, self.clock.now())?;
        Ok(json!({"Version": version, "Tier": input["Tier"].as_str().unwrap_or("Standard")}))
    }

    fn delete_parameter(&self, input: &Value) -> Result<Value, ApiError> {
        self.store().delete(text(input, "Name"))?;
        Ok(json!({}))
    }
}

/// Serves the API at `/`, as the AWS SDKs and `aws --endpoint-url` call it. Signatures are not checked.
pub fn router(ssm: Ssm) -> Router {
    aws_json::router(&SERVICE, move |operation, input| {
        let ssm = ssm.clone();
        async move { ssm.call(&operation, &input) }
    })
}

/// The member `nextToken` of a page has a capital in this service.
fn with_capitals(page: Value) -> Value {
    let Value::Object(members) = page else { return page };
    let renamed = members.into_iter().map(|(name, value)| match name.as_str() {
        "nextToken" => ("NextToken".to_owned(), value),
        _ => (name, value),
    });
    Value::Object(renamed.collect::<Map<_, _>>())
}

/// A text member of an input that was checked.
fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    input[member].as_str().unwrap_or_default()
}

fn is_true(input: &Value, member: &str) -> bool {
    input[member].as_bool().unwrap_or_default()
}
