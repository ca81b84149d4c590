//! Who may talk to the local S3: the person at the keyboard, the functions, and the job that is in progress.

use std::collections::HashMap;

use stagegate_local_codepipeline::CodePipeline;
use stagegate_local_lambda::FunctionCredentials;
use uuid::Uuid;

use crate::s3::Secrets;

/// The access key and the secret for people: `aws` needs some, and nothing real belongs here.
pub const LOCAL_ACCESS_KEY: &str = "stagegate-local";

/// Makes credentials for the roles of functions, and knows all that are valid.
pub(crate) struct Credentials {
    secrets: HashMap<String, String>,
    /// The functions by their access key.
    functions: HashMap<String, String>,
}

impl Credentials {
    pub(crate) fn new() -> Self {
        let secrets = HashMap::from([(LOCAL_ACCESS_KEY.to_owned(), LOCAL_ACCESS_KEY.to_owned())]);
        Self { secrets, functions: HashMap::new() }
    }

    /// Credentials that nobody else has.
    pub(crate) fn for_function(&mut self, name: &str) -> FunctionCredentials {
        let access_key_id = format!("ASIA{}", &Uuid::new_v4().simple().to_string().to_uppercase()[..16]);
        let secret_access_key = Uuid::new_v4().simple().to_string();
        self.secrets.insert(access_key_id.clone(), secret_access_key.clone());
        self.functions.insert(access_key_id.clone(), name.to_owned());
        FunctionCredentials { access_key_id, secret_access_key, session_token: Uuid::new_v4().simple().to_string() }
    }

    /// The functions by their access key.
    pub(crate) fn functions(&self) -> HashMap<String, String> {
        self.functions.clone()
    }

    /// With the credentials of jobs, which come and go.
    pub(crate) fn with_jobs(self, codepipeline: CodePipeline) -> impl Secrets {
        WithJobs { fixed: self.secrets, codepipeline }
    }
}

struct WithJobs {
    fixed: HashMap<String, String>,
    codepipeline: CodePipeline,
}

impl Secrets for WithJobs {
    fn secret(&self, access_key_id: &str) -> Option<String> {
        self.fixed.get(access_key_id).cloned().or_else(|| self.codepipeline.secret_key(access_key_id))
    }
}
