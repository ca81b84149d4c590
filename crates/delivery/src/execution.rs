//! What one execution gives alone.

use jiff::Timestamp;
use stagegate_config::DeliveryRule;
use stagegate_notice::{ActionState, Picture, Subject as Executed, Thread};
use stagegate_verdict::Outcome;

use crate::ends;
use crate::measurement::{Measurement, Metric, Origin, Subject, seconds};

/// Everything that one execution gives so far. What has a key here once has it for ever, whatever else arrives.
///
/// `rule` says what production is; without it the execution is no deployment. Nothing is said about deployments before
/// CodePipeline was asked what the execution is about.
pub fn measure(pipeline: &str, execution: &str, picture: &Picture, rule: Option<&DeliveryRule>) -> Vec<Measurement> {
    let subject = Subject { pipeline: pipeline.to_owned(), execution: execution.to_owned(), ..Subject::default() };
    let about = About { subject, picture };
    let mut measurements = about.stages();
    measurements.extend(about.approvals());
    measurements.extend(about.verdicts());
    // Whether it is a rollback, and when its revision was made, is in no event.
    let is_change = picture.about.is_looked_up && picture.about.rollback_to.is_none();
    if let Some(rule) = rule.filter(|_| is_change) {
        measurements.extend(about.delivery(rule));
    }
    measurements
}

/// What is to be logged of a thread: each measurement once. Their keys are remembered in the thread, so that it is stored
/// before they are logged: where the writer dies in between, a measurement is lost, and none is there twice.
pub fn take_due(thread: &mut Thread, rule: Option<&DeliveryRule>) -> Vec<Measurement> {
    if thread.subject != Executed::Pipeline {
        return Vec::new();
    }
    let mut due = measure(&thread.pipeline, &thread.execution, &thread.picture, rule);
    due.retain(|measurement| thread.measured.insert(measurement.key.clone()));
    due
}

struct About<'a> {
    subject: Subject,
    picture: &'a Picture,
}

impl About<'_> {
    fn measurement(&self, key: String, metric: Metric, value: f64, at: Timestamp) -> Measurement {
        Measurement { key, metric, value, at, subject: self.subject.clone(), origin: None }
    }

    fn stages(&self) -> Vec<Measurement> {
        let Picture { stages, actions, .. } = self.picture;
        let of_actions = actions.values().filter_map(|action| action.stage.as_ref());
        let mut names: Vec<_> = stages.keys().chain(of_actions).collect();
        names.sort_unstable();
        names.dedup();
        let durations = names.into_iter().filter_map(|stage| {
            let (began, ended) = (ends::began(self.picture, stage)?, ends::succeeded(self.picture, stage)?);
            let mut measurement =
                self.measurement(format!("stage/{stage}"), Metric::StageDuration, seconds(began, ended), ended);
            measurement.subject.stage = Some(stage.clone());
            Some(measurement)
        });
        durations.collect()
    }

    /// Answered approvals: approved, rejected or expired.
    fn approvals(&self) -> Vec<Measurement> {
        let waits = self.picture.actions.iter().filter_map(|(id, action)| {
            let is_answered = matches!(action.state, ActionState::Succeeded | ActionState::Failed);
            if !action.is_approval() || !is_answered {
                return None;
            }
            let (asked, answered) = (action.started?, action.ended?);
            let mut measurement =
                self.measurement(format!("approval/{id}"), Metric::ApprovalWait, seconds(asked, answered), answered);
            measurement.subject.stage = action.stage.clone();
            measurement.subject.action = action.name.clone();
            Some(measurement)
        });
        waits.collect()
    }

    /// Each verdict by its time: a gate that was asked again has given two.
    fn verdicts(&self) -> Vec<Measurement> {
        let gates = self.picture.judgements.iter();
        let all = gates.flat_map(|(gate, outcomes)| outcomes.iter().map(move |(at, outcome)| (gate, *at, outcome)));
        let verdicts = all.map(|(gate, at, outcome)| {
            let metric = match outcome {
                Outcome::Passed => Metric::GatePassed,
                Outcome::Failed => Metric::GateFailed,
                Outcome::Inconclusive => Metric::GateInconclusive,
            };
            let mut measurement = self.measurement(format!("verdict/{gate}/{at}"), metric, 1.0, at);
            measurement.subject.gate = Some(gate.clone());
            measurement
        });
        verdicts.collect()
    }

    fn delivery(&self, rule: &DeliveryRule) -> Vec<Measurement> {
        let succeeded = ends::succeeded(self.picture, &rule.production);
        let failed = ends::failed(self.picture, &rule.production, rule);
        let mut measurements = Vec::new();
        if let Some(first) = [succeeded, failed].into_iter().flatten().min() {
            measurements.push(self.measurement("change".to_owned(), Metric::Changes, 1.0, first));
        }
        let Some(at) = succeeded else { return measurements };
        measurements.push(self.measurement("deployment".to_owned(), Metric::Deployments, 1.0, at));
        if let Some((since, origin)) = self.lead_begins() {
            let mut lead = self.measurement("lead-time".to_owned(), Metric::LeadTime, seconds(since, at), at);
            lead.origin = Some(origin);
            measurements.push(lead);
        }
        measurements
    }

    /// Since when the lead time counts; nothing before CodePipeline was asked what the sources are. A revision cannot be younger than the execution that releases it.
    fn lead_begins(&self) -> Option<(Timestamp, Origin)> {
        if !self.picture.about.are_sources_looked_up {
            return None;
        }
        let started = self.picture.started;
        match self.picture.about.created {
            Some(created) if started.is_none_or(|started| created < started) => Some((created, Origin::Revision)),
            _ => started.map(|started| (started, Origin::Execution)),
        }
    }
}
