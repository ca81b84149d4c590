//! `AWS::SSM::Parameter`.

use crate::error::Result;
use crate::properties::Properties;
use crate::resources::Identity;

/// A parameter of the Parameter Store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredParameter {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The parameter's name.
    pub name: String,
    /// `String` or `StringList`; a template cannot make a `SecureString`.
    pub kind: String,
    /// Its value.
    pub value: String,
}

const TYPE: &str = "AWS::SSM::Parameter";

pub(crate) fn read_stored_parameter(properties: Properties<'_>, identity: Identity<'_>) -> Result<StoredParameter> {
    let known = ["AllowedPattern", "DataType", "Description", "Name", "Policies", "Tags", "Tier", "Type", "Value"];
    properties.only(&known, TYPE)?;
    properties.require("Type", TYPE)?;
    Ok(StoredParameter {
        logical_id: identity.logical_id.to_owned(),
        name: identity.name,
        kind: properties.one_of("Type", &["String", "StringList"])?.unwrap_or_default(),
        value: properties.require_string("Value", TYPE)?,
    })
}
