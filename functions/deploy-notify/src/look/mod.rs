//! Asking AWS how an execution stands.

mod build;
mod deployment;
mod pipeline;

use aws_sdk_codepipeline::primitives::DateTime;
use jiff::Timestamp;
use stagegate_desk::DeskError;
use stagegate_notice::{Picture, Subject, Thread};

use crate::notifier::Notifier;

impl Notifier {
    /// What AWS answers.
    pub(crate) async fn look(&self, thread: &Thread, now: Timestamp) -> Result<Picture, DeskError> {
        let mut answer = match thread.subject {
            Subject::Pipeline => Box::pin(self.look_at_pipeline(thread, now)).await?,
            Subject::Build => self.look_at_build(&thread.execution).await?,
            Subject::Deployment => self.look_at_deployment(&thread.execution).await?,
        };
        answer.subject = thread.subject;
        self.add_series(thread, &mut answer).await?;
        Ok(answer)
    }
}

pub(crate) fn timestamp(time: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_millisecond(time?.to_millis().ok()?).ok()
}

fn https(url: Option<&str>) -> Option<String> {
    url.filter(|url| url.starts_with("https://")).map(cut)
}

/// A text from anywhere, of which no more is kept than is shown.
fn cut(text: &str) -> String {
    text.trim().chars().take(2000).collect()
}
