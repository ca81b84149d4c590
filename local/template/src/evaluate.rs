//! Evaluates intrinsic functions, conditions and references (CloudFormation guide, "Intrinsic functions").

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Position, Problem, Result, did_you_mean};
use crate::parameters::ParameterValue;
use crate::physical;
use crate::properties::{Properties, integer, list, string};
use crate::settings::Settings;
use crate::substitute::{Part, parts, replace_dynamic_references};
use crate::yaml::{Entry, Kind, Node, is_supported};

/// The longest text that an expression may give, in bytes: what is longer fits into no property.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// How deep expressions may lead into each other, through conditions and names too. More than the depth of a template.
const MAX_EVALUATION_DEPTH: usize = 150;

const PSEUDO_PARAMETERS: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// Evaluates the expressions of one template.
pub(crate) struct Evaluator<'t> {
    pub(crate) settings: &'t Settings,
    parameters: &'t BTreeMap<String, ParameterValue>,
    mappings: Option<Properties<'t>>,
    conditions: &'t [Entry],
    resources: BTreeMap<&'t str, Declared<'t>>,
    // What has been found out, so that an expression that is used often is evaluated once; `None` while it is being
    // found out, which tells a circle.
    known_conditions: RefCell<BTreeMap<String, Option<bool>>>,
    known_names: RefCell<BTreeMap<String, Option<String>>>,
    depth: Cell<usize>,
}

/// A resource as it is declared.
#[derive(Clone, Copy)]
pub(crate) struct Declared<'t> {
    pub(crate) resource_type: &'t str,
    pub(crate) condition: Option<&'t Node>,
    pub(crate) properties: Option<Properties<'t>>,
}

impl<'t> Evaluator<'t> {
    pub(crate) fn new(
        settings: &'t Settings,
        parameters: &'t BTreeMap<String, ParameterValue>,
        mappings: Option<&'t Node>,
        conditions: Option<&'t Node>,
        resources: BTreeMap<&'t str, Declared<'t>>,
    ) -> Result<Self> {
        let conditions = conditions.map(|node| Properties::of(node, "`Conditions`")).transpose()?;
        Ok(Self {
            settings,
            parameters,
            mappings: mappings.map(|node| Properties::of(node, "`Mappings`")).transpose()?,
            conditions: conditions.map(|conditions| conditions.entries()).unwrap_or_default(),
            resources,
            known_conditions: RefCell::default(),
            known_names: RefCell::default(),
            depth: Cell::new(0),
        })
    }

    /// Replaces all expressions in a node by their values. `None` is `AWS::NoValue`: what has it is left out.
    pub(crate) fn resolve(&self, node: &Node) -> Result<Option<Node>> {
        self.one_level_deeper(node.position, || self.resolve_here(node))
    }

    fn one_level_deeper<T>(&self, position: Position, evaluate: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.depth.get() >= MAX_EVALUATION_DEPTH {
            let message = format!("expressions lead into each other more than {MAX_EVALUATION_DEPTH} times");
            return Err(Problem::at(position, message));
        }
        self.depth.set(self.depth.get() + 1);
        let result = evaluate();
        self.depth.set(self.depth.get() - 1);
        result
    }

    fn resolve_here(&self, node: &Node) -> Result<Option<Node>> {
        let position = node.position;
        let kind = match &node.kind {
            Kind::Scalar(scalar) if scalar.text.contains("{{resolve:") => {
                let text = replace_dynamic_references(&scalar.text, self.settings, position)?;
                return Ok(Some(Node::text(position, text)));
            }
            Kind::Scalar(_) => node.kind.clone(),
            Kind::Sequence(items) => {
                let items = items.iter().map(|item| self.resolve(item)).filter_map(Result::transpose);
                Kind::Sequence(items.collect::<Result<_>>()?)
            }
            Kind::Mapping(entries) => {
                let resolve = |entry: &Entry| {
                    let value = self.resolve(&entry.value)?;
                    Ok(value.map(|value| Entry { value, ..entry.clone() }))
                };
                Kind::Mapping(entries.iter().map(resolve).filter_map(Result::transpose).collect::<Result<_>>()?)
            }
            Kind::Call { function, argument } => return self.call(function, argument, position),
        };
        Ok(Some(Node { position, kind }))
    }

    /// The text that a node gives.
    fn text(&self, node: &Node, what: &str) -> Result<String> {
        match self.resolve(node)? {
            Some(node) => string(&node, what),
            None => Err(Problem::at(node.position, format!("`{what}` has no value"))),
        }
    }

    fn texts(&self, node: &Node, what: &str) -> Result<Vec<String>> {
        let no_value = || Problem::at(node.position, format!("`{what}` has no value"));
        let resolved = self.resolve(node)?.ok_or_else(no_value)?;
        list(&resolved, what)?.iter().map(|item| string(item, what)).collect()
    }

    fn call(&self, function: &str, argument: &Node, position: Position) -> Result<Option<Node>> {
        let text = |text: String| {
            if text.len() > MAX_TEXT_BYTES {
                let message = format!("{function} gives a text of more than {MAX_TEXT_BYTES} bytes");
                return Err(Problem::at(position, message));
            }
            Ok(Some(Node::text(position, text)))
        };
        match function {
            "Ref" => self.reference(&string(argument, "Ref")?, position),
            "Fn::GetAtt" => text(self.get_att(argument, position)?),
            "Fn::Sub" => text(self.sub(argument, position)?),
            "Fn::Join" => {
                let [separator, items] = arguments(argument, function)?;
                text(self.texts(items, function)?.join(&self.join_separator(separator)?))
            }
            "Fn::Select" => {
                let [index, items] = arguments(argument, function)?;
                let index = integer(&Node::text(index.position, self.text(index, function)?), function, 0..=10_000)?;
                let items = self.texts(items, function)?;
                let chosen = usize::try_from(index).ok().and_then(|index| items.get(index)).cloned();
                let missing = || {
                    let message = format!("Fn::Select takes item {index}, but there are {}", items.len());
                    Problem::at(position, message)
                };
                text(chosen.ok_or_else(missing)?)
            }
            "Fn::Split" => {
                let [separator, source] = arguments(argument, function)?;
                let (separator, source) = (self.text(separator, function)?, self.text(source, function)?);
                let items = source.split(&separator).map(|item| Node::text(position, item)).collect();
                Ok(Some(Node { position, kind: Kind::Sequence(items) }))
            }
            "Fn::Base64" => text(STANDARD.encode(self.text(argument, function)?)),
            "Fn::ImportValue" => text(self.import(argument, position)?),
            "Fn::FindInMap" => self.find_in_map(argument, position),
            "Fn::If" => {
                let [condition, when_true, when_false] = arguments(argument, function)?;
                let name = string(condition, function)?;
                self.resolve(if self.condition(&name, condition.position)? { when_true } else { when_false })
            }
            "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" | "Condition" => {
                let value = self.condition_call(function, argument, position)?;
                Ok(Some(Node::from_json(position, &value.into())))
            }
            _ => Err(unsupported(function, position)),
        }
    }

    /// The separator of `Fn::Join`, which may be empty.
    fn join_separator(&self, node: &Node) -> Result<String> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.text.is_empty() => Ok(String::new()),
            _ => self.text(node, "Fn::Join"),
        }
    }

    fn reference(&self, name: &str, position: Position) -> Result<Option<Node>> {
        match self.parameters.get(name) {
            Some(ParameterValue::Text(text)) => return Ok(Some(Node::text(position, text.as_str()))),
            Some(ParameterValue::List(items)) => {
                let items = items.iter().map(|item| Node::text(position, item.as_str())).collect();
                return Ok(Some(Node { position, kind: Kind::Sequence(items) }));
            }
            None => {}
        }
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        if name == "AWS::NotificationARNs" {
            return Ok(Some(Node { position, kind: Kind::Sequence(Vec::new()) }));
        }
        let text = match self.pseudo_parameter(name) {
            Some(text) => text,
            None => self.resource_reference(name, position)?,
        };
        Ok(Some(Node::text(position, text)))
    }

    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        let settings = self.settings;
        let Settings { region, account_id, stack_name, .. } = settings;
        Some(match name {
            "AWS::AccountId" => account_id.clone(),
            "AWS::Region" => region.clone(),
            "AWS::StackName" => stack_name.clone(),
            "AWS::Partition" => physical::partition(settings).to_owned(),
            "AWS::URLSuffix" => physical::url_suffix(settings).to_owned(),
            "AWS::StackId" => {
                let partition = physical::partition(settings);
                format!("arn:{partition}:cloudformation:{region}:{account_id}:stack/{stack_name}/local")
            }
            _ => return None,
        })
    }

    fn resource_reference(&self, id: &str, position: Position) -> Result<String> {
        if let Some(function) = self.implicit_role_of(id) {
            let name = physical::default_name(self.settings, "AWS::IAM::Role", id);
            self.existing(function, position)?;
            return Ok(name);
        }
        let declared = self.existing(id, position)?;
        let name = self.physical_name(id, position)?;
        Ok(physical::reference(self.settings, declared.resource_type, &name))
    }

    /// A resource that is declared and whose condition holds.
    fn existing(&self, id: &str, position: Position) -> Result<Declared<'t>> {
        let Some(declared) = self.resources.get(id) else {
            let known = self.resources.keys().copied().chain(self.parameters.keys().map(String::as_str));
            let hint = did_you_mean(id, known.chain(PSEUDO_PARAMETERS));
            return Err(Problem::at(position, format!("there is no resource or parameter `{id}`{hint}")));
        };
        if !self.exists(declared)? {
            let message = format!("the resource `{id}` is left out by its condition, so nothing can refer to it");
            return Err(Problem::at(position, message));
        }
        Ok(*declared)
    }

    /// Whether the condition of a resource holds.
    pub(crate) fn exists(&self, declared: &Declared<'_>) -> Result<bool> {
        match declared.condition {
            Some(node) => self.condition(&string(node, "Condition")?, node.position),
            None => Ok(true),
        }
    }

    /// SAM makes a role `FUNCTIONRole` for a function without one.
    fn implicit_role_of<'i>(&self, id: &'i str) -> Option<&'i str> {
        let function = id.strip_suffix("Role").filter(|_| !self.resources.contains_key(id))?;
        let declared = self.resources.get(function)?;
        let has_role = declared.properties.is_some_and(|properties| properties.get("Role").is_some());
        (declared.resource_type == "AWS::Serverless::Function" && !has_role).then_some(function)
    }

    /// The resource's name.
    pub(crate) fn physical_name(&self, id: &str, position: Position) -> Result<String> {
        match self.known_names.borrow().get(id) {
            Some(Some(name)) => return Ok(name.clone()),
            Some(None) => return Err(Problem::at(position, format!("the name of `{id}` refers to itself"))),
            None => {}
        }
        let declared = self.existing(id, position)?;
        self.known_names.borrow_mut().insert(id.to_owned(), None);
        let name = self.given_name(id, &declared);
        match &name {
            Ok(name) => self.known_names.borrow_mut().insert(id.to_owned(), Some(name.clone())),
            Err(_) => self.known_names.borrow_mut().remove(id),
        };
        name
    }

    fn given_name(&self, id: &str, declared: &Declared<'_>) -> Result<String> {
        let property = physical::name_property(declared.resource_type);
        let given = property.and_then(|property| declared.properties?.get(property));
        match given.map(|node| self.resolve(node)).transpose()?.flatten() {
            Some(node) => string(&node, "the name"),
            None => Ok(physical::default_name(self.settings, declared.resource_type, id)),
        }
    }

    fn get_att(&self, argument: &Node, position: Position) -> Result<String> {
        let (id, attribute) = match &argument.kind {
            Kind::Sequence(_) => {
                let [id, attribute] = arguments(argument, "Fn::GetAtt")?;
                (string(id, "Fn::GetAtt")?, self.text(attribute, "Fn::GetAtt")?)
            }
            _ => {
                let text = string(argument, "Fn::GetAtt")?;
                let parts = text.split_once('.').map(|(id, attribute)| (id.to_owned(), attribute.to_owned()));
                parts.ok_or_else(|| Problem::at(position, format!("`{text}` is no `LogicalId.Attribute`")))?
            }
        };
        self.attribute(&id, &attribute, position)
    }

    fn attribute(&self, id: &str, attribute: &str, position: Position) -> Result<String> {
        if let Some(given) = self.settings.attributes.get(&format!("{id}.{attribute}")) {
            return Ok(given.clone());
        }
        let found = if self.implicit_role_of(id).is_some() {
            let name = self.resource_reference(id, position)?;
            physical::attribute(self.settings, "AWS::IAM::Role", &name, attribute)
        } else if let Some(function) = self.url_of(id) {
            self.existing(function, position)?;
            (attribute == "FunctionUrl").then(|| physical::function_url(self.settings, function))
        } else {
            let declared = self.existing(id, position)?;
            let name = self.physical_name(id, position)?;
            physical::attribute(self.settings, declared.resource_type, &name, attribute)
        };
        found.ok_or_else(|| {
            let message = format!("the attribute `{attribute}` of `{id}` is not known here; give it a value");
            Problem::unknown_attribute(position, message)
        })
    }

    /// SAM makes a resource `FUNCTIONUrl` for a function with a URL.
    fn url_of<'i>(&self, id: &'i str) -> Option<&'i str> {
        let function = id.strip_suffix("Url").filter(|_| !self.resources.contains_key(id))?;
        let declared = self.resources.get(function)?;
        declared.properties?.get("FunctionUrlConfig").map(|_| function)
    }

    fn sub(&self, argument: &Node, position: Position) -> Result<String> {
        let (template, variables) = match &argument.kind {
            Kind::Sequence(_) => {
                let [template, variables] = arguments(argument, "Fn::Sub")?;
                (template, Some(Properties::of(variables, "the second part of Fn::Sub")?))
            }
            _ => (argument, None),
        };
        let template = string(template, "Fn::Sub")?;
        let mut result = String::new();
        for part in parts(&template, position)? {
            match part {
                Part::Text(text) => result.push_str(text),
                Part::Variable(name) => {
                    let variable = variables.and_then(|variables| variables.get(name));
                    result.push_str(&match (variable, name.split_once('.')) {
                        (Some(node), _) => self.text(node, name)?,
                        (None, Some((id, attribute))) => self.attribute(id, attribute, position)?,
                        (None, None) => {
                            let no_value = || Problem::at(position, format!("`{name}` has no value"));
                            string(&self.reference(name, position)?.ok_or_else(no_value)?, name)?
                        }
                    });
                }
            }
        }
        replace_dynamic_references(&result, self.settings, position)
    }

    fn find_in_map(&self, argument: &Node, position: Position) -> Result<Option<Node>> {
        let [map, first, second] = arguments(argument, "Fn::FindInMap")?;
        let mut found: Option<&Node> = None;
        let mut entries = self.mappings;
        for key in [map, first, second] {
            let key = self.text(key, "Fn::FindInMap")?;
            let next = entries.and_then(|entries| entries.get(&key));
            let missing = || {
                let known = entries.map(|entries| entries.entries()).unwrap_or_default();
                let hint = did_you_mean(&key, known.iter().map(|entry| entry.key.as_str()));
                Problem::at(position, format!("the mappings have no `{key}` here{hint}"))
            };
            let node = next.ok_or_else(missing)?;
            entries = Properties::of(node, "a mapping").ok();
            found = Some(node);
        }
        // Mappings hold no expressions.
        Ok(found.map(|node| Node { position, kind: node.kind.clone() }))
    }

    /// What another stack exports.
    fn import(&self, argument: &Node, position: Position) -> Result<String> {
        let name = self.text(argument, "Fn::ImportValue")?;
        let known = &self.settings.imports;
        known.get(&name).cloned().ok_or_else(|| {
            let hint = did_you_mean(&name, known.keys().map(String::as_str));
            Problem::at(position, format!("no other stack exports `{name}`{hint}"))
        })
    }

    /// The value of a condition by its name.
    pub(crate) fn condition(&self, name: &str, position: Position) -> Result<bool> {
        match self.known_conditions.borrow().get(name) {
            Some(Some(value)) => return Ok(*value),
            Some(None) => return Err(Problem::at(position, format!("the condition `{name}` refers to itself"))),
            None => {}
        }
        let Some(entry) = self.conditions.iter().find(|entry| entry.key == name) else {
            let hint = did_you_mean(name, self.conditions.iter().map(|entry| entry.key.as_str()));
            return Err(Problem::at(position, format!("there is no condition `{name}`{hint}")));
        };
        self.known_conditions.borrow_mut().insert(name.to_owned(), None);
        let value = self.condition_value(&entry.value)?;
        self.known_conditions.borrow_mut().insert(name.to_owned(), Some(value));
        Ok(value)
    }

    /// The value of a node that must be a condition.
    pub(crate) fn condition_value(&self, node: &Node) -> Result<bool> {
        self.one_level_deeper(node.position, || self.condition_value_here(node))
    }

    fn condition_value_here(&self, node: &Node) -> Result<bool> {
        match &node.kind {
            Kind::Call { function, argument } => self.condition_call(function, argument, node.position),
            Kind::Mapping(entries) if entries.len() == 1 && entries[0].key == "Condition" => {
                self.condition(&string(&entries[0].value, "Condition")?, node.position)
            }
            _ => Err(Problem::at(node.position, format!("a condition is expected, not {}", node.describe()))),
        }
    }

    fn condition_call(&self, function: &str, argument: &Node, position: Position) -> Result<bool> {
        match function {
            "Condition" => self.condition(&string(argument, "Condition")?, position),
            "Fn::Equals" => {
                let [left, right] = arguments(argument, function)?;
                Ok(self.comparable(left)? == self.comparable(right)?)
            }
            "Fn::Not" => {
                let [inner] = arguments(argument, function)?;
                Ok(!self.condition_value(inner)?)
            }
            "Fn::And" | "Fn::Or" => {
                let parts = list(argument, function)?;
                if !(2..=10).contains(&parts.len()) {
                    let message = format!("{function} takes 2 to 10 conditions, not {}", parts.len());
                    return Err(Problem::at(position, message));
                }
                // Each part is evaluated, so that a mistake in the last one shows whatever the first ones are.
                let values = parts.iter().map(|part| self.condition_value(part)).collect::<Result<Vec<_>>>()?;
                Ok(if function == "Fn::And" { values.iter().all(|v| *v) } else { values.iter().any(|v| *v) })
            }
            _ if is_supported(function) => Err(Problem::at(position, format!("{function} is no condition"))),
            _ => Err(unsupported(function, position)),
        }
    }

    /// What `Fn::Equals` compares: texts, where a number or a truth value counts as its text.
    fn comparable(&self, node: &Node) -> Result<String> {
        match self.resolve(node)? {
            Some(Node { kind: Kind::Scalar(scalar), .. }) => Ok(scalar.text),
            Some(node) => Ok(node.to_json().to_string()),
            None => Err(Problem::at(node.position, "`AWS::NoValue` can not be compared")),
        }
    }
}

fn unsupported(function: &str, position: Position) -> Problem {
    Problem::at(position, format!("{function} is not supported here; write the value, or take it from a parameter"))
}

/// The list of exactly `N` arguments of a function.
fn arguments<'n, const N: usize>(node: &'n Node, function: &str) -> Result<&'n [Node; N]> {
    let items = match &node.kind {
        Kind::Sequence(items) => items.as_slice(),
        // A single argument may stand without its list.
        _ if N == 1 => std::slice::from_ref(node),
        _ => &[],
    };
    items.try_into().map_err(|_| Problem::at(node.position, format!("{function} takes a list of {N}")))
}
