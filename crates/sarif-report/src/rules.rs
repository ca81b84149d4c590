//! The rules of a run, and how a result's rule is found among them.

use std::collections::HashMap;

use report_input::ErrorKind;
use report_input::xml::Fault;

use crate::limits::Limits;
use crate::model::{Level, ProblemKind, SecuritySeverity};
use crate::raw::{ComponentReference, Descriptor, DescriptorReference, Score};

/// What is kept of a rule.
#[derive(Debug)]
pub(crate) struct Rule {
    id: Box<str>,
    guid: Box<str>,
    level: Option<Result<Level, String>>,
    score: Option<Score>,
}

/// What is kept of a `toolComponent` (3.19): the driver or an extension.
#[derive(Debug, Default)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) guid: String,
    rules: Vec<Rule>,
}

impl Component {
    pub(crate) fn add_rule(&mut self, descriptor: Descriptor, limits: &Limits) -> Result<(), Fault> {
        if self.rules.len() >= limits.rules {
            let detail = format!("a tool with more than {} rules", limits.rules);
            return Err(Fault::new(ErrorKind::Limit, detail));
        }
        let level = descriptor.default_configuration.and_then(|configuration| configuration.level);
        self.rules.push(Rule {
            id: bounded(descriptor.id.unwrap_or_default(), limits)?,
            guid: bounded(descriptor.guid.unwrap_or_default(), limits)?,
            level: level.map(parse_level),
            score: descriptor.properties.and_then(|properties| properties.security_severity),
        });
        Ok(())
    }
}

fn parse_level(name: String) -> Result<Level, String> {
    Level::from_name(&name).ok_or_else(|| report_input::cut(&name, 40).to_owned())
}

fn bounded(id: String, limits: &Limits) -> Result<Box<str>, Fault> {
    if id.len() > limits.id {
        let detail = format!("a rule's id or a component's name of more than {} bytes", limits.id);
        return Err(Fault::new(ErrorKind::Limit, detail));
    }
    Ok(id.into_boxed_str())
}

/// Which component a reference means.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
enum Of {
    #[default]
    Driver,
    Extension(usize),
    Guid(Box<str>),
    Name(Box<str>),
}

/// How a result or an override names a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct RuleName {
    of: Of,
    index: Option<usize>,
    pub(crate) id: Box<str>,
    guid: Box<str>,
}

impl RuleName {
    /// The name in a reference, completed by the properties that a result has beside it.
    pub(crate) fn new(
        reference: Option<DescriptorReference>,
        id: Option<String>,
        index: Option<i64>,
        limits: &Limits,
    ) -> Result<RuleName, Fault> {
        let reference = reference.unwrap_or_default();
        let number = |index: Option<i64>| index.and_then(|index| usize::try_from(index).ok());
        let of = match reference.tool_component.unwrap_or_default() {
            ComponentReference { index: Some(index), .. } if index >= 0 => {
                Of::Extension(number(Some(index)).unwrap_or(usize::MAX))
            }
            ComponentReference { guid: Some(guid), .. } => Of::Guid(bounded(guid, limits)?),
            ComponentReference { name: Some(name), .. } => Of::Name(bounded(name, limits)?),
            ComponentReference { .. } => Of::Driver,
        };
        Ok(RuleName {
            of,
            index: number(reference.index).or(number(index)),
            id: bounded(reference.id.or(id).unwrap_or_default(), limits)?,
            guid: bounded(reference.guid.unwrap_or_default(), limits)?,
        })
    }
}

/// The place of a rule: its component (0 is the driver) and its index there.
type At = (usize, usize);

/// A level that an invocation gave to a rule (`ruleConfigurationOverrides`).
#[derive(Debug)]
pub(crate) struct Override {
    pub(crate) invocation: usize,
    pub(crate) rule: RuleName,
    pub(crate) level: Result<Level, String>,
}

impl Override {
    pub(crate) fn new(invocation: usize, rule: RuleName, level: String) -> Override {
        Override { invocation, rule, level: parse_level(level) }
    }
}

/// What the rules of a run say about a result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) level: Level,
    pub(crate) security: Option<SecuritySeverity>,
    /// What about it is not certain.
    pub(crate) doubt: Option<(ProblemKind, String)>,
}

/// The rules of a run, ready for looking up.
pub(crate) struct Rules<'r> {
    components: Vec<&'r Component>,
    by_id: HashMap<&'r str, Vec<At>>,
    by_guid: HashMap<&'r str, At>,
    overrides_at: HashMap<At, Vec<&'r Override>>,
    /// Overrides of rules that the run does not describe.
    overrides_of: HashMap<&'r str, Vec<&'r Override>>,
}

impl<'r> Rules<'r> {
    pub(crate) fn new(driver: &'r Component, extensions: &'r [Component], overrides: &'r [Override]) -> Self {
        let components: Vec<&Component> = std::iter::once(driver).chain(extensions).collect();
        let mut rules = Rules {
            components,
            by_id: HashMap::new(),
            by_guid: HashMap::new(),
            overrides_at: HashMap::new(),
            overrides_of: HashMap::new(),
        };
        for (of, component) in rules.components.iter().enumerate() {
            for (index, rule) in component.rules.iter().enumerate() {
                rules.by_id.entry(&rule.id).or_default().push((of, index));
                if !rule.guid.is_empty() {
                    rules.by_guid.insert(&rule.guid, (of, index));
                }
            }
        }
        for given in overrides {
            let found = rules.find(&given.rule);
            if found.is_empty() {
                rules.overrides_of.entry(&given.rule.id).or_default().push(given);
            }
            for at in found {
                rules.overrides_at.entry(at).or_default().push(given);
            }
        }
        rules
    }

    fn component(&self, of: &Of) -> Option<usize> {
        match of {
            Of::Driver => Some(0),
            Of::Extension(index) => index.checked_add(1).filter(|at| *at < self.components.len()),
            Of::Guid(guid) => self.components.iter().position(|component| *component.guid == **guid),
            Of::Name(name) => self.components.iter().position(|component| *component.name == **name),
        }
    }

    /// The rules that a name may mean. More than one only where the log is ambiguous.
    fn find(&self, name: &RuleName) -> Vec<At> {
        let component = self.component(&name.of);
        let mut found: Vec<At> = Vec::new();
        if let (Some(of), Some(index)) = (component, name.index)
            && let Some(rule) = self.components[of].rules.get(index)
        {
            found.push((of, index));
            if name.id.is_empty() || rule.id.is_empty() || is_below(&name.id, &rule.id) {
                return found;
            }
        }
        if let Some(at) = self.by_guid.get(&*name.guid).filter(|_| !name.guid.is_empty()) {
            found.push(*at);
            return found;
        }
        for id in ids(&name.id) {
            let Some(places) = self.by_id.get(id) else { continue };
            let own = places.iter().copied().filter(|(of, _)| Some(*of) == component);
            found.extend(own.clone());
            if own.count() == 0 {
                found.extend(places);
            }
            break;
        }
        found
    }

    /// The level and the security severity that a result has by its rule. Where the log is ambiguous, the worst that it
    /// may mean. A rule that is not described is only in doubt for a result that `needs_level`.
    pub(crate) fn say(&self, name: &RuleName, invocation: Option<usize>, needs_level: bool) -> Said {
        let found = self.find(name);
        let mut doubt = None;
        if found.is_empty()
            && needs_level
            && let Some(index) = name.index
        {
            let message = format!("a result refers to rule number {index}, which the run does not describe");
            doubt = Some((ProblemKind::Contradiction, message));
        }
        let mut level = None;
        let mut security = None;
        for at in &found {
            let rule = &self.components[at.0].rules[at.1];
            let default = rule.level.as_ref().map_or(Level::Warning, |level| known(level, &mut doubt));
            let overrides = self.overrides_at.get(at).map(Vec::as_slice).unwrap_or_default();
            level = level.max(Some(overridden(default, overrides, invocation, &mut doubt)));
            security = security.max(security_severity(rule.score.as_ref(), &mut doubt));
        }
        let level = level.unwrap_or_else(|| {
            let overrides = ids(&name.id).find_map(|id| self.overrides_of.get(id)).map(Vec::as_slice);
            overridden(Level::Warning, overrides.unwrap_or_default(), invocation, &mut doubt)
        });
        Said { level, security, doubt }
    }
}

/// The level after the overrides: that of the result's invocation, if it names one (3.27.10). If it names none, nothing
/// says which invocation it is of, and an override may only make it worse.
fn overridden(
    default: Level,
    overrides: &[&Override],
    invocation: Option<usize>,
    doubt: &mut Option<(ProblemKind, String)>,
) -> Level {
    let own = overrides.iter().filter(|given| invocation.is_none_or(|invocation| invocation == given.invocation));
    let worst = own.map(|given| known(&given.level, doubt)).max();
    match (worst, invocation) {
        (Some(level), Some(_)) => level,
        (Some(level), None) => level.max(default),
        (None, _) => default,
    }
}

fn known(level: &Result<Level, String>, doubt: &mut Option<(ProblemKind, String)>) -> Level {
    match level {
        Ok(level) => *level,
        Err(name) => {
            *doubt = Some((ProblemKind::UnknownValue, unknown("level", name)));
            Level::Error
        }
    }
}

/// A result whose value for `what` is `name`, which SARIF does not know.
pub(crate) fn unknown(what: &str, name: &str) -> String {
    format!("the {what} \"{}\" is none that SARIF 2.1.0 knows", report_input::cut(name, 40).escape_debug())
}

/// The class of a score; the worst where it is not known what it means.
pub(crate) fn security_severity(
    score: Option<&Score>,
    doubt: &mut Option<(ProblemKind, String)>,
) -> Option<SecuritySeverity> {
    match score? {
        Score::Number(number) => SecuritySeverity::of(*number),
        Score::Empty => None,
        Score::Unknown(text) => {
            let message = format!("the security-severity \"{}\" is no score from 0.0 to 10.0", text.escape_debug());
            *doubt = Some((ProblemKind::UnknownValue, message));
            Some(SecuritySeverity::Critical)
        }
    }
}

/// Whether `id` is the rule's id, or one below it in the hierarchy (3.5.4).
fn is_below(id: &str, rule: &str) -> bool {
    id.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A hierarchical id and the ones above it: `CA1000/1/a`, `CA1000/1`, `CA1000`.
fn ids(id: &str) -> impl Iterator<Item = &str> {
    let first = Some(id).filter(|id| !id.is_empty());
    std::iter::successors(first, |id| id.rsplit_once('/').map(|(above, _)| above).filter(|above| !above.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_looked_up_from_the_whole_to_the_top() {
        for (id, expected) in
            [("CA1000/1/a", &["CA1000/1/a", "CA1000/1", "CA1000"][..]), ("a", &["a"]), ("", &[]), ("/a", &["/a"])]
        {
            assert_eq!(ids(id).collect::<Vec<_>>(), expected, "{id}");
        }
        assert!(is_below("CA1000/1", "CA1000") && is_below("CA1000", "CA1000"));
        assert!(!is_below("CA10001", "CA1000") && !is_below("CA1000", "CA1000/1"));
    }
}
