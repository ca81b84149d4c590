//! Roles and what they may do: `AWS::IAM::Role` with its inline policies, and the policies of the template that are attached
//! to it (IAM guide, "JSON policy element reference").

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::Result;
use crate::evaluate::{Declared, Evaluator};
use crate::physical;
use crate::properties::Properties;
use crate::yaml::Node;

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The role's name.
    pub name: String,
    /// The role's ARN.
    pub arn: String,
    /// What its policies say, in the order of the template.
    pub statements: Vec<Statement>,
    /// What could not be read, such as a policy of AWS; empty where `statements` is everything.
    pub unread: Vec<String>,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`.
    pub sid: Option<String>,
    /// `Effect`: whether it allows, and does not deny.
    pub allows: bool,
    /// `Action`, such as `s3:GetObject`, with the wildcards `*` and `?`.
    pub actions: Vec<String>,
    /// `Resource`: ARNs with the wildcards `*` and `?`.
    pub resources: Vec<String>,
    /// Whether it has a `Condition`.
    pub has_condition: bool,
    /// The name of the resource in the template whose policy it is in.
    pub declared_in: String,
}

/// What is attached to roles, while it is collected.
#[derive(Default)]
struct Rights {
    statements: Vec<Statement>,
    unread: Vec<String>,
}

/// Reads the roles whose condition holds.
///
/// What a role may do wires nothing, so that an expression in a policy that cannot be evaluated here is no reason to
/// refuse the template: it is named in [`Role::unread`].
pub(crate) fn read_roles(
    resources: &Properties<'_>,
    declared: &BTreeMap<&str, Declared<'_>>,
    evaluator: &Evaluator<'_>,
) -> Result<Vec<Role>> {
    let mut roles: BTreeMap<String, Rights> = BTreeMap::new();
    let mut managed: BTreeMap<String, Rights> = BTreeMap::new();
    let mut names = Vec::new();
    for entry in resources.entries() {
        let Some(declaration) = declared.get(entry.key.as_str()) else { continue };
        let resource_type = declaration.resource_type;
        if !resource_type.starts_with("AWS::IAM::") || !evaluator.exists(declaration)? {
            continue;
        }
        let node = Properties::of(&entry.value, "a resource")?.get("Properties");
        let properties = node.map(|node| evaluator.resolve(node)).transpose().map(Option::flatten);
        let properties = match &properties {
            Ok(node) => Ok(node.as_ref().map(Node::to_json).unwrap_or_default()),
            Err(problem) => Err(format!("{}: {}", entry.key, problem.message)),
        };
        let name = evaluator.physical_name(&entry.key, entry.key_position)?;
        match resource_type {
            "AWS::IAM::Role" => {
                names.push((entry.key.clone(), name.clone()));
                role_itself(&entry.key, &properties, roles.entry(name).or_default());
            }
            "AWS::IAM::ManagedPolicy" => {
                let arn = physical::arn(evaluator.settings, resource_type, &name).unwrap_or_default();
                let rights = policy(&entry.key, &properties);
                attach(&properties, &rights, &mut roles);
                managed.insert(arn, rights);
            }
            "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" => {
                attach(&properties, &policy(&entry.key, &properties), &mut roles)
            }
            _ => {}
        }
    }
    let settings = evaluator.settings;
    Ok(names
        .into_iter()
        .map(|(logical_id, name)| {
            let rights = roles.remove(&name).unwrap_or_default();
            let arn = physical::arn(settings, "AWS::IAM::Role", &name).unwrap_or_default();
            let Rights { statements, unread } = with_managed(rights, &managed);
            Role { logical_id, name, arn, statements, unread }
        })
        .collect())
}

/// The inline policies of a role; those that it names are marked by `policy:` in what is unread until all are known.
fn role_itself(id: &str, properties: &std::result::Result<Value, String>, rights: &mut Rights) {
    let properties = match properties {
        Ok(properties) => properties,
        Err(message) => return rights.unread.push(message.clone()),
    };
    for inline in properties["Policies"].as_array().into_iter().flatten() {
        rights.read(id, &inline["PolicyDocument"]);
    }
    let named = properties["ManagedPolicyArns"].as_array().into_iter().flatten();
    rights.unread.extend(named.map(|arn| format!("{NAMED}{}", arn.as_str().unwrap_or_default())));
}

/// What marks the ARN of a policy that a role names.
const NAMED: &str = "the policy ";

fn policy(id: &str, properties: &std::result::Result<Value, String>) -> Rights {
    let mut rights = Rights::default();
    match properties {
        Ok(properties) => rights.read(id, &properties["PolicyDocument"]),
        Err(message) => rights.unread.push(message.clone()),
    }
    rights
}

/// Adds a policy to the roles that it names itself.
fn attach(properties: &std::result::Result<Value, String>, policy: &Rights, roles: &mut BTreeMap<String, Rights>) {
    let Ok(properties) = properties else { return };
    let several = properties["Roles"].as_array().into_iter().flatten();
    for name in several.chain([&properties["RoleName"]]).filter_map(Value::as_str) {
        let rights = roles.entry(name.to_owned()).or_default();
        rights.statements.extend(policy.statements.iter().cloned());
        rights.unread.extend(policy.unread.iter().cloned());
    }
}

fn with_managed(rights: Rights, managed: &BTreeMap<String, Rights>) -> Rights {
    let mut all = Rights { statements: rights.statements, unread: Vec::new() };
    for unread in rights.unread {
        match unread.strip_prefix(NAMED).and_then(|arn| managed.get(arn)) {
            Some(known) => {
                all.statements.extend(known.statements.iter().cloned());
                all.unread.extend(known.unread.iter().cloned());
            }
            None => all.unread.push(unread),
        }
    }
    all
}

impl Rights {
    fn read(&mut self, id: &str, document: &Value) {
        let statements = &document["Statement"];
        let one = statements.is_object().then_some(statements);
        for statement in statements.as_array().into_iter().flatten().chain(one) {
            let (actions, resources) = (texts(&statement["Action"]), texts(&statement["Resource"]));
            if actions.is_empty() || resources.is_empty() {
                let sid = statement["Sid"].as_str().unwrap_or("without a Sid");
                self.unread.push(format!("the statement {sid} of {id}, which has no Action or no Resource"));
                continue;
            }
            self.statements.push(Statement {
                sid: statement["Sid"].as_str().map(str::to_owned),
                allows: statement["Effect"] != "Deny",
                actions,
                resources,
                has_condition: statement.get("Condition").is_some(),
                declared_in: id.to_owned(),
            });
        }
    }
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Vec<String> {
    let several = value.as_array().into_iter().flatten();
    several.chain([value]).filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
