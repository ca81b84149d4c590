//! One conditional write, until it is known whether it was done.

use aws_sdk_s3::types::ServerSideEncryption;

use crate::document::{Document, Version};
use crate::envelope::{Lineage, REMEMBERED, Standing, pack};
use crate::error::{Action, Problem, StateError};
use crate::key::Key;
use crate::patience::Attempts;
use crate::s3_error::Fault;
use crate::store::{NO_ANSWER, Raw, StateStore};

/// A write that is tried, with the same bytes each time, so that it does not matter which attempt is done.
pub(crate) struct Write<'a, D> {
    key: &'a Key<D>,
    /// What it replaces; `None` where there must be nothing.
    base: Option<&'a Version>,
    lineage: Lineage,
    bytes: Vec<u8>,
}

/// What became of a write.
pub(crate) enum Put {
    /// It was done.
    Done(Version),
    /// It was not done, because this stands there.
    Lost(Option<Raw>),
}

impl<'a, D: Document> Write<'a, D> {
    pub(crate) fn new(key: &'a Key<D>, document: &D, base: Option<&'a Version>) -> Result<Self, Problem> {
        let lineage = Lineage::after(base.map(|base| &base.lineage));
        let bytes = pack(document, &lineage)?;
        Ok(Self { key, base, lineage, bytes })
    }
}

impl StateStore {
    /// Writes, and finds out what became of attempts that were not answered.
    pub(crate) async fn put<D: Document>(
        &self,
        write: &Write<'_, D>,
        attempts: &mut Attempts,
    ) -> Result<Put, StateError> {
        let mut unanswered = false;
        loop {
            let fault = match self.put_once(write, attempts).await {
                Ok(etag) => return Ok(Put::Done(Version::written(etag, write.lineage.clone()))),
                Err(fault) => fault,
            };
            // S3 answers a replacement of what is not there with 404.
            let is_refused = matches!(fault, Fault::Refused | Fault::Missing);
            unanswered |= matches!(fault, Fault::Unanswered(_));
            if is_refused || unanswered {
                let settled = self.settle(write, is_refused, unanswered, attempts).await;
                if let Some(put) = settled.map_err(|error| error.unanswered(unanswered))? {
                    return Ok(put);
                }
            }
            let again = match fault {
                // What refused it is gone again.
                Fault::Refused | Fault::Missing if attempts.go_on().await => Ok(()),
                Fault::Refused | Fault::Missing => Err(Problem::Contended { attempts: attempts.failed() }),
                fault => self.try_again(fault, attempts).await,
            };
            let failed = |problem| self.error(Action::Write, write.key, problem).unanswered(unanswered);
            again.map_err(failed)?;
        }
    }

    async fn put_once<D: Document>(&self, write: &Write<'_, D>, attempts: &Attempts) -> Result<Option<String>, Fault> {
        let request = self.client.put_object().bucket(&self.bucket).key(write.key.as_str());
        let request = match write.base {
            Some(base) => request.set_if_match(base.etag.clone()),
            None => request.if_none_match("*"),
        };
        let encryption = self.kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms);
        let request = request
            .content_type("application/json")
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(self.kms_key.clone())
            .body(write.bytes.clone().into());
        match tokio::time::timeout_at(attempts.answer_until(), request.send()).await {
            Ok(Ok(done)) => Ok(done.e_tag),
            Ok(Err(error)) => Err(Fault::of(&error, Action::Write, &self.bucket)),
            Err(_) => Err(Fault::Unanswered(NO_ANSWER.to_owned())),
        }
    }

    /// Looks at what is stored. `None` where the write can still be done.
    async fn settle<D: Document>(
        &self,
        write: &Write<'_, D>,
        is_refused: bool,
        unanswered: bool,
        attempts: &mut Attempts,
    ) -> Result<Option<Put>, StateError> {
        let Some(raw) = self.read(write.key, attempts).await? else {
            return match write.base {
                // What is not there can still be created.
                None => Ok(None),
                Some(_) if unanswered => Err(self.unknown(write)),
                Some(_) => Ok(Some(Put::Lost(None))),
            };
        };
        let base = write.base.map(|base| &base.lineage.write);
        match raw.version.lineage.standing(&write.lineage.write, base) {
            Standing::Latest => Ok(Some(Put::Done(raw.version))),
            Standing::Overwritten => Ok(Some(Put::Done(Version::written(None, write.lineage.clone())))),
            // The same write under another tag: somebody has restored it, and the condition can never hold again.
            Standing::Pending if is_refused && raw.version.etag != write.base.and_then(|base| base.etag.clone()) => {
                Ok(Some(Put::Lost(Some(raw))))
            }
            // An attempt that was not answered may be done after this was read; it then refuses the next one.
            Standing::Pending => Ok(None),
            Standing::Lost => Ok(Some(Put::Lost(Some(raw)))),
            Standing::Unknown if unanswered => Err(self.unknown(write)),
            Standing::Unknown if is_refused => Ok(Some(Put::Lost(Some(raw)))),
            Standing::Unknown => Ok(None),
        }
    }

    fn unknown<D: Document>(&self, write: &Write<'_, D>) -> StateError {
        self.error(Action::Write, write.key, Problem::OutcomeUnknown { remembered: REMEMBERED }).unanswered(true)
    }
}
