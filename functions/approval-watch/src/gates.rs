//! The gate that may answer an approval in people's place.

use std::sync::OnceLock;

use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use stagegate_approval::{Approval, AutomaticTerms, Event, Look, Ruling};
use stagegate_config::ReleaseGate;
use stagegate_desk::{Clock, Desk, DeskError, Settings, note};
use stagegate_release::{Looked, Override, Plan, Progress, Sources, Subject, look, read_calendars};
use stagegate_state_store::{Decision, Key};
use stagegate_verdict::{Execution, Outcome, Verdict};

/// When a gate that could not be applied is tried again: in the next round.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Gates that may answer approvals in people's place.
pub trait Gates {
    /// What a look at this time has led to; `None` where no gate is to look.
    fn look(&self, desk: &Desk, approval: &Approval, clock: &Clock) -> impl Future<Output = Option<Event>> + Send;
}

/// The release gates of `stagegate.yaml`.
pub struct ReleaseGates {
    sdk: SdkConfig,
    sources: OnceLock<Sources>,
}

impl ReleaseGates {
    /// Gates that ask AWS with the function's own rights.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self { sdk: sdk.clone(), sources: OnceLock::new() }
    }

    /// One look of the gate, exactly as its action would take it. What it must remember is in the record.
    async fn take_look(
        &self,
        desk: &Desk,
        approval: &Approval,
        terms: &AutomaticTerms,
        now: Timestamp,
    ) -> Result<Look, DeskError> {
        let policy: &ReleaseGate = desk.settings().release_gate(&terms.gate)?;
        let configuration = |why: String| DeskError::Configuration(why);
        let plan = Plan::new(policy).map_err(|error| configuration(error.to_string()))?;
        let execution = Execution {
            pipeline: Some(approval.place.pipeline.clone()),
            stage: Some(approval.place.stage.clone()),
            execution: approval.execution.clone(),
        };
        let subject = Subject { gate: terms.gate.clone(), execution, overridden: overridden(approval, terms) };
        let progress = approval.looks.progress.as_deref().map(serde_json::from_str::<Progress>).transpose();
        let progress = progress.map_err(|_| {
            configuration(
                "read what the gate has seen so far: it was written by another version of Stagegate".to_owned(),
            )
        })?;
        let calendars = read_calendars(&Settings::folder(), &plan);
        let store = desk.store()?;
        let sources = self.sources.get_or_init(|| Sources::new(&self.sdk, Some(store.clone())));
        let looked = Box::pin(look(&plan, &subject, progress, sources, &calendars, now)).await;
        match looked.map_err(|error| configuration(error.to_string()))? {
            Looked::Waiting { progress, next, summary } => {
                let progress = serde_json::to_string(&progress).map_err(|error| configuration(error.to_string()))?;
                Ok(Look::Waiting { progress: Some(progress), next, summary })
            }
            Looked::Done(verdict) => {
                // Kept before it decides anything, where the action keeps its own.
                if let Some(id) = &approval.execution {
                    let key = Key::verdict(id, &terms.gate);
                    store.update(&key, |_| Decision::Write((*verdict).clone())).await?;
                }
                Ok(Look::Done { found: note(&verdict), ruling: ruling(terms, &verdict) })
            }
        }
    }
}

/// The override that somebody has given on this approval; it stands in the record only, and so holds for no other one.
fn overridden(approval: &Approval, terms: &AutomaticTerms) -> Option<Override> {
    let given = approval.looks.overridden.as_ref()?;
    Some(Override {
        pipeline: approval.place.pipeline.clone(),
        execution: approval.execution.clone()?,
        gate: terms.gate.clone(),
        who: given.who(),
        why: approval.token.kept_out_of(&given.why),
        at: given.at,
        until: given.until(),
    })
}

/// What a verdict says in people's place.
fn ruling(terms: &AutomaticTerms, verdict: &Verdict) -> Option<Ruling> {
    match verdict.outcome() {
        Outcome::Passed => Some(Ruling::Approved),
        Outcome::Failed => terms.rejects.then_some(Ruling::Rejected),
        Outcome::Inconclusive => None,
    }
}

impl Gates for ReleaseGates {
    async fn look(&self, desk: &Desk, approval: &Approval, clock: &Clock) -> Option<Event> {
        let now = clock.now();
        let terms = approval.terms.automatic.as_ref().filter(|_| approval.is_look_due(now))?;
        let after = approval.looks.count;
        let look = match Box::pin(self.take_look(desk, approval, terms, now)).await {
            Ok(look) => look,
            Err(error) => {
                let why = error.to_string();
                tracing::error!(approval = %approval.id, gate = terms.gate, why, "the gate could not look");
                let next = now.checked_add(AGAIN).unwrap_or(now);
                Look::Waiting { progress: None, next, summary: format!("could not look: failed to {why}") }
            }
        };
        Some(Event::GateLooked { after, look })
    }
}
