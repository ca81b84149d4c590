//! Who a person in Slack is.

use stagegate_approval::{Approval, Grounds, Person, Refusal, Ruling, Terms, authorise};
use stagegate_slack::{GroupId, SlackError, UserId};
use tokio::time::Instant;

use crate::{Desk, DeskError};

/// Why a person's right to decide is not known or not there.
#[derive(Debug)]
pub enum Unverified {
    /// They may not.
    Refused(Refusal),
    /// It cannot be found out now.
    Unknown(DeskError),
}

impl Desk {
    /// Whether a person may decide an approval so: by what `stagegate.yaml` says now. Gives the name and the grounds.
    ///
    /// # Errors
    ///
    /// That they may not, or that it cannot be found out.
    pub async fn verify(
        &self,
        approval: &Approval,
        user: &UserId,
        ruling: Ruling,
        deadline: Instant,
    ) -> Result<(String, Grounds), Unverified> {
        let terms = self.settings.terms(&approval.place).map_err(Unverified::Unknown)?;
        let terms = terms.ok_or(Unverified::Refused(Refusal::NotAnApprover))?;
        self.authorised(&terms, approval, user, ruling, deadline).await
    }

    /// Whether a person may let an approval's execution through the gate that answers for people: by what
    /// `stagegate.yaml` says now. Who may not approve their own change may not override its gate either.
    ///
    /// # Errors
    ///
    /// That they may not, or that it cannot be found out.
    pub async fn verify_override(
        &self,
        approval: &Approval,
        user: &UserId,
        deadline: Instant,
    ) -> Result<(String, Grounds), Unverified> {
        let refused = || Unverified::Refused(Refusal::NotAnOverrider);
        let terms = self.settings.terms(&approval.place).map_err(Unverified::Unknown)?.ok_or_else(refused)?;
        let automatic = approval.terms.automatic.as_ref().ok_or_else(refused)?;
        let gate = self.settings.release_gate(&automatic.gate).map_err(Unverified::Unknown)?;
        let overriders = gate.overriders.as_ref().ok_or_else(refused)?;
        let set = |texts: &[String]| texts.iter().cloned().collect();
        let terms = Terms {
            users: set(&overriders.users),
            groups: set(&overriders.groups),
            email_domains: set(&overriders.email_domains),
            ..terms
        };
        self.authorised(&terms, approval, user, Ruling::Approved, deadline).await.map_err(|unverified| match unverified
        {
            Unverified::Refused(Refusal::NotAnApprover) => refused(),
            other => other,
        })
    }

    async fn authorised(
        &self,
        terms: &Terms,
        approval: &Approval,
        user: &UserId,
        ruling: Ruling,
        deadline: Instant,
    ) -> Result<(String, Grounds), Unverified> {
        let (person, unread) = self.person(terms, user, deadline).await.map_err(Unverified::Unknown)?;
        match (authorise(terms, &approval.release, &person, ruling), unread) {
            (Ok(grounds), _) => Ok((person.name, grounds)),
            // They may be in a group that could not be read.
            (Err(Refusal::NotAnApprover), Some(error)) if error.is_retryable() => {
                Err(Unverified::Unknown(error.into()))
            }
            (Err(Refusal::NotAnApprover), Some(_)) => Err(Unverified::Refused(Refusal::GroupsUnknown)),
            (Err(refusal), _) => Err(Unverified::Refused(refusal)),
        }
    }

    /// A person, and why Slack does not say who is in one of the groups. One group that is gone is no reason not to look
    /// into the others.
    async fn person(
        &self,
        terms: &Terms,
        user: &UserId,
        deadline: Instant,
    ) -> Result<(Person, Option<SlackError>), DeskError> {
        let slack = self.slack().await?;
        let profile = slack.user(user, deadline).await?;
        let (mut groups, mut unread) = (Vec::new(), None);
        // Who is named needs no group.
        let asked = terms.groups.iter().filter(|_| !terms.users.contains(user.as_str()));
        for (group, id) in asked.filter_map(|group| Some((group, group.parse::<GroupId>().ok()?))) {
            match slack.group_users(&id, deadline).await {
                Ok(members) if members.contains(user) => {
                    groups.push(group.clone());
                    break;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(group, why = error.to_string(), "who is in a group of approvers is not known");
                    // The one that may pass is told.
                    unread = unread.filter(SlackError::is_retryable).or(Some(error));
                }
            }
        }
        let is_member = !(profile.is_bot || profile.is_deleted || profile.is_guest || profile.is_stranger);
        let person = Person {
            user: user.to_string(),
            name: if profile.name.is_empty() { user.to_string() } else { profile.name },
            email: profile.email,
            is_email_confirmed: profile.is_email_confirmed,
            is_member,
            groups,
        };
        Ok((person, unread))
    }
}
