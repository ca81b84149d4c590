//! The action that waits, and how people call what it decides.

use serde::{Deserialize, Serialize};

/// How the words begin by which pipelines name a place where somebody decides, and not one where something is deployed.
const DECISIONS: [&str; 8] = ["approv", "review", "confirm", "decision", "decide", "permission", "signoff", "manual"];
/// Other words in such names.
const FILLERS: [&str; 10] = ["sign", "off", "to", "for", "of", "the", "by", "gate", "release", "stage"];

/// The action that waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The pipeline.
    pub pipeline: String,
    /// The stage.
    pub stage: String,
    /// The action.
    pub action: String,
}

/// What the name of a stage says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// Where something is deployed, such as `Production`.
    Target,
    /// That somebody decides, such as `Approve`.
    Decision,
    /// That somebody decides on something, such as `ApproveProduction`.
    DecisionOn,
}

impl Place {
    /// What is asked: `Release web to Production?`, or `Approve web?` where the stage is only where somebody decides.
    pub fn question(&self) -> String {
        let verb = if self.named() == Named::Target { "Release" } else { "Approve" };
        format!("{verb} {}?", self.release())
    }

    /// What is decided on: `web to Production`, `web`, or `web (ApproveProduction)`.
    pub fn release(&self) -> String {
        let Self { pipeline, stage, .. } = self;
        match self.named() {
            Named::Target => format!("{pipeline} to {stage}"),
            Named::Decision => pipeline.clone(),
            Named::DecisionOn => format!("{pipeline} ({stage})"),
        }
    }

    fn named(&self) -> Named {
        let words = words(&self.stage);
        let is_decision = |word: &str| DECISIONS.iter().any(|start| word.starts_with(start));
        let is_filler = |word: &str| FILLERS.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit());
        let has_off = words.windows(2).any(|pair| pair == ["sign", "off"]);
        if !has_off && !words.iter().any(|word| is_decision(word)) {
            return Named::Target;
        }
        let is_all = words.iter().all(|word| is_decision(word) || is_filler(word));
        if is_all { Named::Decision } else { Named::DecisionOn }
    }
}

/// The words of a name in lower case: `ApproveProd-EU` has `approve`, `prod` and `eu`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before: Option<char> = None;
    let mut rest = name.chars().peekable();
    while let Some(character) = rest.next() {
        let follows_small = before.is_some_and(|before| !before.is_uppercase());
        let is_followed_by_small = rest.peek().is_some_and(|next| next.is_lowercase());
        let begins = character.is_uppercase() && (follows_small || is_followed_by_small);
        if begins || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
        before = Some(character);
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_fits_the_name_of_the_stage() {
        for (stage, question, release) in [
            ("Production", "Release web to Production?", "web to Production"),
            ("eu-west-1", "Release web to eu-west-1?", "web to eu-west-1"),
            ("Acceptance", "Release web to Acceptance?", "web to Acceptance"),
            ("Prod", "Release web to Prod?", "web to Prod"),
            ("Gateway", "Release web to Gateway?", "web to Gateway"),
            ("Approve", "Approve web?", "web"),
            ("Approval", "Approve web?", "web"),
            ("approvals", "Approve web?", "web"),
            ("Manual_Approval", "Approve web?", "web"),
            ("ManualApproval2", "Approve web?", "web"),
            ("Review", "Approve web?", "web"),
            ("Sign-off", "Approve web?", "web"),
            ("ReleaseApproval", "Approve web?", "web"),
            ("ApprovalGate", "Approve web?", "web"),
            ("QualityGate", "Release web to QualityGate?", "web to QualityGate"),
            ("ApproveProduction", "Approve web (ApproveProduction)?", "web (ApproveProduction)"),
            ("Approve-EU", "Approve web (Approve-EU)?", "web (Approve-EU)"),
            ("PRODApproval", "Approve web (PRODApproval)?", "web (PRODApproval)"),
        ] {
            let place = Place { pipeline: "web".to_owned(), stage: stage.to_owned(), action: "Approve".to_owned() };
            assert_eq!((place.question().as_str(), place.release().as_str()), (question, release), "{stage}");
        }
    }
}
