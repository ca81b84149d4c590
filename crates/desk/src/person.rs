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
        let person = self.person(&terms, user, deadline).await.map_err(Unverified::Unknown)?;
        let grounds = authorise(&terms, &approval.release, &person, ruling).map_err(Unverified::Refused)?;
        Ok((person.name, grounds))
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
        let person = self.person(&terms, user, deadline).await.map_err(Unverified::Unknown)?;
        let grounds = authorise(&terms, &approval.release, &person, Ruling::Approved).map_err(|refusal| {
            Unverified::Refused(if refusal == Refusal::NotAnApprover { Refusal::NotAnOverrider } else { refusal })
        })?;
        Ok((person.name, grounds))
    }

    async fn person(&self, terms: &Terms, user: &UserId, deadline: Instant) -> Result<Person, DeskError> {
        let slack = self.slack().await?;
        let profile = slack.user(user, deadline).await?;
        let mut groups = Vec::new();
        // Who is named needs no group.
        if !terms.users.contains(user.as_str()) {
            for group in &terms.groups {
                let Ok(id) = group.parse::<GroupId>() else { continue };
                let members: Result<_, SlackError> = slack.group_users(&id, deadline).await;
                if members?.contains(user) {
                    groups.push(group.clone());
                    break;
                }
            }
        }
        let is_member = !(profile.is_bot || profile.is_deleted || profile.is_guest || profile.is_stranger);
        Ok(Person {
            user: user.to_string(),
            name: if profile.name.is_empty() { user.to_string() } else { profile.name },
            email: profile.email,
            is_email_confirmed: profile.is_email_confirmed,
            is_member,
            groups,
        })
    }
}
