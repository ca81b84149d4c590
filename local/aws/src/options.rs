//! What may differ from one local AWS to the next.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use stagegate_local_actions::LogListener;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::faults::Faults;
use stagegate_local_events::DeliveryFault;
use stagegate_local_faults::CallFaults;
use stagegate_local_lambda::faults::InvokeFaults;
use stagegate_local_lambda::{AttemptObserver, FormBody};

/// How to start a local AWS.
#[derive(Clone)]
pub struct Options {
    /// The folder below which buckets, builds, instances and logs are kept.
    pub data: PathBuf,
    /// The SAM template with the functions.
    pub template: PathBuf,
    /// Values for the template's parameters, in place of their defaults.
    pub parameters: BTreeMap<String, String>,
    /// Variables for the environment of every function, over those of the template.
    pub environment: BTreeMap<String, String>,
    /// How the functions are started.
    pub bootstraps: Bootstraps,
    /// The folder or git repository that stands in for every source action.
    pub source: Option<PathBuf>,
    /// The port of the endpoint; 0 for any free one.
    pub port: u16,
    /// The Region of everything.
    pub region: String,
    /// The clock of everything but the functions, which run in real time.
    pub clock: Clock,
    /// Is called for each line that a build or a deployment prints.
    pub log_listener: Option<LogListener>,
    /// Where the logs of builds can be seen, in place of their files: `<pages>/<project>/<uuid>.log`.
    pub log_pages: Option<String>,
    /// Changes the events that CodePipeline hands to functions: a fault to see what becomes of it.
    pub event_change: Option<EventChange>,
    /// Spoils calls of the CodePipeline API, and CodePipeline's events before any rule sees them.
    pub codepipeline_faults: Option<Arc<dyn Faults>>,
    /// Spoils calls at the endpoint, of S3 and of every other service.
    pub call_faults: Option<Arc<dyn CallFaults>>,
    /// Throttles, crashes and kills functions.
    pub invoke_faults: Option<Arc<dyn InvokeFaults>>,
    /// Is told of every finished attempt to run a function.
    pub attempt_observer: Option<AttemptObserver>,
    /// Loses, repeats, delays and reorders the deliveries of rules, schedules, topics and destinations.
    pub delivery_fault: Option<DeliveryFault>,
    /// How the body of a form reaches a function through its URL.
    pub form_body: FormBody,
}

/// From a function's name and the event to the event that the function gets.
pub type EventChange = Arc<dyn Fn(&str, Value) -> Value + Send + Sync>;

impl Options {
    /// Functions of `template`, everything kept below `data`, the system's clock and any free port.
    pub fn new(data: impl Into<PathBuf>, template: impl Into<PathBuf>, bootstraps: Bootstraps) -> Self {
        Self {
            data: data.into(),
            template: template.into(),
            parameters: BTreeMap::new(),
            environment: BTreeMap::new(),
            bootstraps,
            source: None,
            port: 0,
            region: "us-east-1".to_owned(),
            clock: Clock::system(),
            log_listener: None,
            log_pages: None,
            event_change: None,
            codepipeline_faults: None,
            call_faults: None,
            invoke_faults: None,
            attempt_observer: None,
            delivery_fault: None,
            form_body: FormBody::default(),
        }
    }
}

/// Where the programs of the functions are.
#[derive(Clone, Debug)]
pub enum Bootstraps {
    /// One program that plays the function named by its last argument, for example `stagegate bootstrap test-gate`.
    Program {
        /// The program.
        program: PathBuf,
        /// What comes before the function's name.
        arguments: Vec<String>,
        /// The functions that the program can play.
        functions: Vec<String>,
    },
    /// A folder as `cargo lambda build` makes it, with `<function>/bootstrap` or a program `<function>`.
    Folder(PathBuf),
    /// A folder like that, in which programs may be missing: their functions fail whenever they are invoked.
    Partial(PathBuf),
}
