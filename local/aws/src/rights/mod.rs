//! What a function may do: the rights of its role in the template. A call that the role does not allow is refused as AWS
//! would refuse it, so that what works here has the rights that it needs there.
//!
//! Looked at are the actions and resources of statements that allow and that deny. The `Condition` of a statement is not
//! evaluated: one that allows counts, one that denies does not. A function is let through where its role is not in the
//! template or not all of it can be read.

mod answer;
mod ask;
mod guard;
mod used;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use http::HeaderMap;
use stagegate_local_template::{Function, Role, Settings, Statement, Template};

use ask::{Ask, Scope};
use used::Used;

/// What all functions of a template may do. Cloning gives another handle to the same.
#[derive(Clone)]
pub(crate) struct Rights {
    inner: Arc<Inner>,
}

struct Inner {
    /// The functions by their access key.
    holders: HashMap<String, Holder>,
    scope: Scope,
    used: Used,
}

/// A function with what it may do.
struct Holder {
    logical_id: String,
    function_name: String,
    account_id: String,
    partition: &'static str,
    /// `None` where it is not known.
    role: Option<Role>,
}

/// A call that is refused: the text of AWS.
#[derive(Debug, PartialEq, Eq)]
struct Denial(String);

impl Rights {
    /// The functions of the template with the access keys that they have here.
    pub(crate) fn of(template: &Template, settings: &Settings, access_keys: &HashMap<String, String>) -> Self {
        let holder = |(key, name): (&String, &String)| {
            let function = template.function(name)?;
            Some((key.clone(), Holder::of(function, settings, readable_role(template, function))))
        };
        let holders = access_keys.iter().filter_map(holder);
        let scope = Scope {
            partition: settings.partition(),
            region: settings.region.clone(),
            account_id: settings.account_id.clone(),
        };
        Self { inner: Arc::new(Inner { holders: holders.collect(), scope, used: Used::from_environment() }) }
    }

    /// The function that signed a request; `None` for everybody else.
    fn holder(&self, headers: &HeaderMap) -> Option<&Holder> {
        self.inner.holders.get(crate::calls::access_key(headers)?)
    }

    /// Whether the function may do all of this. What it may is noted as used.
    ///
    /// # Errors
    ///
    /// The first thing that it may not do.
    fn check(&self, holder: &Holder, asks: &[Ask]) -> Result<(), Denial> {
        for ask in asks {
            holder.check(ask)?;
            if holder.role.is_some() {
                self.inner.used.note(&holder.logical_id, &ask.action);
            }
        }
        Ok(())
    }

    /// What functions did that their role allows: the function's logical id and the action.
    pub(crate) fn used(&self) -> BTreeSet<(String, String)> {
        self.inner.used.all()
    }
}

impl Holder {
    fn of(function: &Function, settings: &Settings, role: Option<&Role>) -> Self {
        Self {
            logical_id: function.logical_id.clone(),
            function_name: function.function_name.clone(),
            account_id: settings.account_id.clone(),
            partition: settings.partition(),
            role: role.cloned(),
        }
    }

    fn check(&self, ask: &Ask) -> Result<(), Denial> {
        let Some(role) = &self.role else { return Ok(()) };
        let concerned = |statement: &&Statement| {
            statement.actions.iter().any(|pattern| matches_ignoring_case(pattern, &ask.action))
                && statement.resources.iter().any(|pattern| ask.resource.is_in(pattern))
        };
        let statements: Vec<&Statement> = role.statements.iter().filter(concerned).collect();
        let why = if statements.iter().any(|statement| !statement.allows && !statement.has_condition) {
            "with an explicit deny in an identity-based policy".to_owned()
        } else if statements.iter().any(|statement| statement.allows) {
            return Ok(());
        } else {
            format!("because no identity-based policy allows the {} action", ask.action)
        };
        let Self { account_id, partition, function_name, .. } = self;
        let session = format!("arn:{partition}:sts::{account_id}:assumed-role/{}/{function_name}", role.name);
        let (action, resource) = (&ask.action, &ask.resource);
        Err(Denial(format!("User: {session} is not authorized to perform: {action} on resource: {resource} {why}")))
    }
}

/// The role of a function, if all that it may do is known.
fn readable_role<'t>(template: &'t Template, function: &Function) -> Option<&'t Role> {
    let role = template.role_of(function)?;
    if role.unread.is_empty() {
        return Some(role);
    }
    let (id, unread) = (&function.logical_id, role.unread.join("; "));
    tracing::warn!("the rights of {id} are not enforced here: not known is {unread}");
    None
}

/// Lambda hands what became of an event to its destination in the function's name, and does not even create a function that
/// could not.
///
/// # Errors
///
/// The first function whose role does not allow it.
pub(crate) fn check_destinations(template: &Template, settings: &Settings) -> Result<(), String> {
    for function in &template.functions {
        let Some(role) = readable_role(template, function) else { continue };
        let holder = Holder::of(function, settings, Some(role));
        let invoke = &function.event_invoke;
        for arn in [&invoke.on_failure, &invoke.on_success, &function.dead_letter_arn].into_iter().flatten() {
            let Some(ask) = Ask::of_destination(arn) else { continue };
            holder.check(&ask).map_err(|_| {
                let (id, role, action) = (&function.logical_id, &role.logical_id, &ask.action);
                format!("create the function {id}: its role {role} must allow {action} on its destination {arn}")
            })?;
        }
    }
    Ok(())
}

/// Whether a text matches a pattern of IAM, in which `*` stands for anything and `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on with one character more for the last asterisk.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(one) if *one == '?' || *one == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((asterisk, taken)) = retry else { return false };
                retry = Some((asterisk, taken + 1));
                p = asterisk + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|rest| *rest == '*')
}

fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_those_of_iam() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "a:b/c", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:Get*", "s3:PutObject", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*ab*ab", "xabyabzab", true),
            ("*ab*ab", "xabyabz", false),
            ("a", "ab", false),
            ("arn:aws:s3:::state/jobs/*", "arn:aws:s3:::state/jobs/a/b", true),
            ("arn:aws:s3:::state/jobs/*", "arn:aws:s3:::state/job", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(matches_ignoring_case("S3:getobject", "s3:GetObject"));
    }
}
