//! Once a minute: what is open.

use serde_json::{Value, json};
use stagegate_desk::DeskError;
use stagegate_notice::{Picture, Report, Subject};
use tokio::time::Instant;

use crate::documents::Watched;
use crate::notifier::{Notifier, Visit};
use crate::routing::routes;

/// How much may be open at the same time.
const MOST: usize = 5000;

impl Notifier {
    /// Looks after what is open: repairs what was lost, sends what was refused, and tells what was kept in quiet hours.
    ///
    /// # Errors
    ///
    /// If what is open cannot be listed.
    pub async fn round(&self, visit: &Visit) -> Result<Value, DeskError> {
        let (mut looked, mut failed) = (0, 0);
        let mut open = self.parts.store.list(&Watched::folder(), MOST).await?;
        // Where there is not time enough for all, it is not always the same ones that wait.
        let minute = usize::try_from(visit.clock.now().as_second() / 60).unwrap_or_default();
        let first = minute.checked_rem(open.len()).unwrap_or_default();
        open.rotate_left(first);
        for key in open {
            if Instant::now() >= visit.ends {
                break;
            }
            looked += 1;
            let Some(stored) = self.parts.store.get(&key).await? else { continue };
            // What fails with one is no reason to leave the others alone; the next round looks at it again.
            if let Err(error) = Box::pin(self.look_after(&stored.document, visit)).await {
                tracing::error!(open = %key, why = error.to_string(), "it could not be looked after");
                failed += 1;
            }
        }
        if looked > 0 {
            tracing::info!(looked, failed, "looked at what is open");
        }
        Ok(json!({"open": looked, "failed": failed}))
    }

    async fn look_after(&self, watched: &Watched, visit: &Visit) -> Result<(), DeskError> {
        match watched {
            Watched::Digest { channel } => Box::pin(self.tell_digest(channel, visit)).await,
            Watched::Thread { subject, name, execution } => {
                let mut open = self.open(*subject, name, execution).await?;
                if open.is_new() {
                    // It has expired.
                    return Ok(self.parts.store.remove(&watched.key()).await?);
                }
                Box::pin(self.settle(&mut open, Report::Nothing, visit)).await
            }
        }
    }

    /// The executions of pipelines that are open.
    pub(crate) async fn open_pipelines(&self) -> Result<Vec<(String, String)>, DeskError> {
        let mut found = Vec::new();
        for key in self.parts.store.list(&Watched::folder(), MOST).await? {
            let stored = self.parts.store.get(&key).await?.map(|stored| stored.document);
            if let Some(Watched::Thread { subject: Subject::Pipeline, name, execution }) = stored {
                found.push((name, execution));
            }
        }
        Ok(found)
    }

    /// Tells the open executions of a pipeline what is known of a part of one of them.
    pub(crate) async fn part_of(&self, pipeline: &str, picture: &Picture, visit: &Visit) -> Result<(), DeskError> {
        for (name, execution) in self.open_pipelines().await? {
            if name == pipeline {
                let mut open = self.open(Subject::Pipeline, &name, &execution).await?;
                Box::pin(self.settle(&mut open, Report::Heard(Box::new(picture.clone())), visit)).await?;
            }
        }
        Ok(())
    }

    /// Whether a deployment is one of an execution that is told of. An execution that is only measured tells nobody.
    pub(crate) async fn belongs_to_a_pipeline(&self, deployment: &str, visit: &Visit) -> Result<bool, DeskError> {
        let config = self.config()?;
        let is_told = |name: &str| !routes(config, Subject::Pipeline, name, visit.clock.now()).is_empty();
        for (name, execution) in self.open_pipelines().await?.into_iter().filter(|(name, _)| is_told(name)) {
            let mut open = self.open(Subject::Pipeline, &name, &execution).await?;
            let has_it = |picture: &Picture| {
                picture.actions.values().any(|action| action.external_id.as_deref() == Some(deployment))
            };
            if open.thread().picture.deploys() && !has_it(&open.thread().picture) {
                // CodePipeline knows which deployment an action has started before its event says so.
                Box::pin(self.settle(&mut open, Report::Hinted, visit)).await?;
            }
            if has_it(&open.thread().picture) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
