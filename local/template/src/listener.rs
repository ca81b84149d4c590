//! `AWS::ElasticLoadBalancingV2::LoadBalancer` and its listeners.

use crate::error::Result;
use crate::properties::Properties;
use crate::resources::Identity;
use crate::yaml::{Kind, Node};

/// `AWS::ElasticLoadBalancingV2::Listener`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The listener's ARN.
    pub arn: String,
    /// The port.
    pub port: u16,
    /// The parameter that the port is taken from, where it is one.
    pub port_parameter: Option<String>,
}

const TYPE: &str = "AWS::ElasticLoadBalancingV2::Listener";

/// Reads a listener; `written` are its properties before they were resolved.
pub(crate) fn read_listener(
    properties: Properties<'_>,
    written: Option<&Node>,
    identity: Identity<'_>,
) -> Result<Listener> {
    properties.require("Port", TYPE)?;
    let port = properties.integer("Port", 1..=65_535)?.and_then(|port| u16::try_from(port).ok());
    Ok(Listener {
        logical_id: identity.logical_id.to_owned(),
        arn: identity.arn,
        port: port.unwrap_or_default(),
        port_parameter: written.and_then(parameter_of_port),
    })
}

fn parameter_of_port(written: &Node) -> Option<String> {
    let port = Properties::of(written, "`Properties`").ok()?.get("Port")?;
    match &port.kind {
        Kind::Call { function: "Ref", argument } => match &argument.kind {
            Kind::Scalar(name) => Some(name.text.clone()),
            _ => None,
        },
        _ => None,
    }
}
