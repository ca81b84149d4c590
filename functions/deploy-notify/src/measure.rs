//! The metrics of delivery, as log lines that CloudWatch reads.

use jiff::Timestamp;
use stagegate_channel::variable;
use stagegate_config::DeliveryRule;
use stagegate_delivery::{Measurement, Production, emf, take_due};
use stagegate_desk::DeskError;
use stagegate_notice::{ActionState, Picture, Subject, Thread};
use stagegate_state_store::{Decision, Folder, StateError};

use crate::documents::{Kept, production_key};
use crate::notifier::{Notifier, Open};

/// Names the level below which Lambda drops lines.
const LOG_LEVEL_VARIABLE: &str = "AWS_LAMBDA_LOG_LEVEL";
/// No execution has more verdicts than this.
const MOST: usize = 200;

impl Notifier {
    /// What an execution gives that was not logged yet, noted in its thread: once that is written, it is to be logged.
    /// Where the function dies in between, a measurement is lost, and none is there twice. After a failure, the thread is as
    /// it was.
    pub(crate) async fn take_measured(&self, thread: &mut Thread) -> Result<Vec<Measurement>, DeskError> {
        if thread.subject != Subject::Pipeline {
            return Ok(Vec::new());
        }
        let rule = self.config()?.delivery(&thread.pipeline);
        // Gates have judged before an action fails and before the execution is over; tried again, they judge again.
        let marks = marks(&thread.picture);
        if marks.iter().any(|mark| !thread.measured.contains(mark)) {
            thread.picture.join(&self.verdicts(&thread.execution).await?);
            thread.measured.extend(marks);
        }
        Ok(take_due(thread, rule.as_ref()))
    }

    /// Logs what follows from an execution together with those before it.
    pub(crate) async fn measure_production(&self, open: &Open) -> Result<(), DeskError> {
        if open.subject != Subject::Pipeline {
            return Ok(());
        }
        if let Some(rule) = self.config()?.delivery(&open.name) {
            log(&self.note_production(&open.thread(), &rule).await?);
        }
        Ok(())
    }

    /// What the gates have said about an execution.
    async fn verdicts(&self, execution: &str) -> Result<Picture, StateError> {
        let mut picture = Picture::default();
        for key in self.parts.store.list(&Folder::verdicts(execution), MOST).await? {
            if let Some(stored) = self.parts.store.get(&key).await? {
                let verdict = stored.document;
                let of_gate = picture.judgements.entry(verdict.gate().to_owned()).or_default();
                of_gate.insert(verdict.at(), verdict.outcome());
            }
        }
        Ok(picture)
    }

    /// What follows from an execution together with those before it; nothing where it has not touched production.
    async fn note_production(&self, thread: &Thread, rule: &DeliveryRule) -> Result<Vec<Measurement>, StateError> {
        let mut alone = Production::default();
        alone.note(&thread.execution, &thread.picture, rule);
        if alone == Production::default() {
            return Ok(Vec::new());
        }
        let mut due = Vec::new();
        let decide = |current: Option<Kept<Production>>| {
            let before = current.map(|kept| kept.0).unwrap_or_default();
            let mut production = before.clone();
            production.note(&thread.execution, &thread.picture, rule);
            due = production.take_due(&thread.pipeline);
            if production == before { Decision::Leave } else { Decision::Write(Kept(production)) }
        };
        self.parts.store.update(&production_key(&thread.pipeline), decide).await?;
        Ok(due)
    }
}

/// By what is noted that verdicts were read: after each failure of an action, and at each end of the execution.
fn marks(picture: &Picture) -> Vec<String> {
    let failed = picture.actions.iter().filter(|(_, action)| action.state == ActionState::Failed);
    let end = picture.state.filter(|moment| moment.state.is_over()).map(|moment| format!("end/{}", moment.at));
    failed.map(|(id, _)| format!("failed/{id}")).chain(end).collect()
}

/// Writes the lines to standard output, which Lambda hands to CloudWatch Logs as they are, whatever the log level.
#[expect(clippy::print_stdout, reason = "the embedded metric format is read from standard output")]
pub(crate) fn log(measurements: &[Measurement]) {
    let level = variable(LOG_LEVEL_VARIABLE);
    for line in emf::lines(measurements, emf::Stamp::new(level.as_deref(), Timestamp::now())) {
        println!("{line}");
    }
}
