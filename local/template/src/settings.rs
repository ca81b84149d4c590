//! What a template does not say itself.

use std::collections::BTreeMap;
use std::fmt;

use crate::physical;

/// The values that CloudFormation would take from the account, the Region and the command line.
#[derive(Clone)]
pub struct Settings {
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account_id: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// Values of parameters, which replace their defaults.
    pub parameters: BTreeMap<String, String>,
    /// Values for `LogicalId.Attribute`, which are taken before those that are made up here: for example the address
    /// of a function's URL, `ApprovalResponseUrl.FunctionUrl`.
    pub attributes: BTreeMap<String, String>,
    /// What other stacks export, by the names of the exports: `Fn::ImportValue` takes it from here.
    pub imports: BTreeMap<String, String>,
    /// Whether a parameter that holds an id of EC2, such as a subnet's, and has neither a value nor a default gets a made-up
    /// id. Nothing on one machine is in a network.
    pub made_up_networks: bool,
    /// Where queues are served, for example `http://127.0.0.1:4577`, in place of the Region's SQS.
    pub queue_endpoint: Option<String>,
    /// Values of dynamic references by their text between the braces, without `resolve:`: for example
    /// `ssm:/stagegate/channel` or `secretsmanager:slack:SecretString:token`.
    pub dynamic_references: BTreeMap<String, String>,
}

impl Settings {
    /// `AWS::Partition`: `aws`, or that of a Region in China or for the US government.
    pub fn partition(&self) -> &'static str {
        physical::partition(self)
    }
}

impl Default for Settings {
    /// Account 111122223333 in eu-west-1, stack `stagegate`, no overrides.
    fn default() -> Self {
        Self {
            region: "eu-west-1".to_owned(),
            account_id: "111122223333".to_owned(),
            stack_name: "stagegate".to_owned(),
            parameters: BTreeMap::new(),
            attributes: BTreeMap::new(),
            imports: BTreeMap::new(),
            made_up_networks: false,
            queue_endpoint: None,
            dynamic_references: BTreeMap::new(),
        }
    }
}

// Parameters and dynamic references may be secrets: only their names are shown.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("region", &self.region)
            .field("account_id", &self.account_id)
            .field("stack_name", &self.stack_name)
            .field("parameters", &self.parameters.keys())
            .field("attributes", &self.attributes)
            .field("imports", &self.imports)
            .field("made_up_networks", &self.made_up_networks)
            .field("queue_endpoint", &self.queue_endpoint)
            .field("dynamic_references", &self.dynamic_references.keys())
            .finish()
    }
}
