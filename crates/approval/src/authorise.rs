//! Whether a person may decide.

use serde::{Deserialize, Serialize};

use crate::{Release, Revision, Ruling, Terms};

/// A person in Slack, as far as Slack tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The user id, from a signed request.
    pub user: String,
    /// What to call them.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether Slack has confirmed the address.
    pub is_email_confirmed: bool,
    /// A member of the workspace: no guest, no program, nobody from another workspace, not deactivated.
    pub is_member: bool,
    /// The groups among those that may decide of which they are members.
    pub groups: Vec<String>,
}

/// By what a person may decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grounds {
    /// They are named.
    User,
    /// They are a member of a user group.
    Group {
        /// The group's id.
        group: String,
    },
    /// Their e-mail address.
    EmailDomain {
        /// Its domain.
        domain: String,
    },
}

/// Why a person may not decide. It is shown to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// They are not among those who may.
    #[error("you are not one of its approvers")]
    NotAnApprover,
    /// They are not among those who may let an execution through the gate.
    #[error("you are not one of those who may override its gate")]
    NotAnOverrider,
    /// They have written the change, or started the execution.
    #[error("you wrote this change or started its release, and somebody else must approve it")]
    Author,
    /// Nobody knows who has written the change, or a part of it.
    #[error(
        "its author is not known, or not that of all of its sources, so that nobody here can be told from them; approve it in \
         the CodePipeline console, or give the pipeline sources that name the author (AuthorEmail)"
    )]
    AuthorUnknown,
    /// CodePipeline was asked for the change and the start of the execution, and has not answered yet.
    #[error(
        "CodePipeline has not said yet who wrote this change and who started its release; it is asked again every few minutes"
    )]
    ReleaseUnknown,
    /// Slack does not say who is in a group that may decide.
    #[error(
        "Slack does not say who is in the groups of its approvers; the log of the function approval-response says why"
    )]
    GroupsUnknown,
    /// Nobody knows the person's address.
    #[error("Slack does not say what your e-mail address is, so that you cannot be told from the change's author")]
    EmailUnknown,
}

/// Whether a person may give an answer, and by what.
///
/// # Errors
///
/// Why not.
pub fn authorise(terms: &Terms, release: &Release, person: &Person, ruling: Ruling) -> Result<Grounds, Refusal> {
    let grounds = grounds(terms, person).ok_or(Refusal::NotAnApprover)?;
    // The author of a change may stop it.
    if terms.author_may_approve || ruling == Ruling::Rejected {
        return Ok(grounds);
    }
    if !release.is_read {
        return Err(Refusal::ReleaseUnknown);
    }
    let is_known = |revision: &Revision| revision.author_email().is_some_and(is_of_a_person);
    if release.revisions.is_empty() || !release.revisions.iter().all(is_known) {
        return Err(Refusal::AuthorUnknown);
    }
    let email = person.email.as_deref().ok_or(Refusal::EmailUnknown)?;
    if release.author_emails().any(|author| is_same(author, email)) || has_started(release, email) {
        return Err(Refusal::Author);
    }
    Ok(grounds)
}

fn grounds(terms: &Terms, person: &Person) -> Option<Grounds> {
    if terms.users.contains(&person.user) {
        return Some(Grounds::User);
    }
    if let Some(group) = person.groups.iter().find(|group| terms.groups.contains(*group)) {
        return Some(Grounds::Group { group: group.clone() });
    }
    let (_, domain) = person.email.as_deref()?.rsplit_once('@')?;
    let domain = domain.to_ascii_lowercase();
    let is_trusted = person.is_member && person.is_email_confirmed && terms.email_domains.contains(&domain);
    is_trusted.then_some(Grounds::EmailDomain { domain })
}

/// Whether it may be an address that somebody has in Slack. Services put others in the place of one that is kept private.
fn is_of_a_person(email: &str) -> bool {
    let domain = email.rsplit_once('@').map(|(_, domain)| domain.trim().to_lowercase());
    domain.is_some_and(|domain| !domain.is_empty() && !domain.split('.').any(|label| label == "noreply"))
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// The name of a session is an address, or what stands before its `@`.
fn has_started(release: &Release, email: &str) -> bool {
    let Some(name) = release.started.as_ref().and_then(|started| started.person()) else { return false };
    let local = email.split('@').next().unwrap_or_default();
    is_same(name, email) || (!name.contains('@') && is_same(name, local))
}
