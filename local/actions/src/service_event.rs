//! What builds and deployments tell EventBridge.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// An event of an AWS service, without the envelope that EventBridge puts around it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceEvent {
    /// For example `aws.codebuild`.
    pub source: &'static str,
    /// For example `CodeBuild Build State Change`.
    pub detail_type: &'static str,
    /// The ARNs that it is about.
    pub resources: Vec<String>,
    /// What the service tells.
    pub detail: Value,
}

/// Takes events in the order in which things happened. It must not block.
#[derive(Clone)]
pub struct ServiceEvents(Arc<dyn Fn(ServiceEvent) + Send + Sync>);

impl ServiceEvents {
    /// Has `listener` called for each event.
    pub fn new(listener: impl Fn(ServiceEvent) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Tells of an event.
    pub fn tell(&self, event: ServiceEvent) {
        (self.0)(event);
    }
}

impl fmt::Debug for ServiceEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceEvents")
    }
}
