//! Reading, creating, replacing, updating and listing.

use std::fmt;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;

use crate::document::{Document, Stored, Version};
use crate::envelope::{ENVELOPE_BYTES, Lineage, lineage_of, unpack};
use crate::error::{Action, Problem, StateError};
use crate::key::{Folder, Key};
use crate::patience::{Attempts, Patience};
use crate::s3_error::Fault;
use crate::write::{Put, Write};

/// Documents in one bucket. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct StateStore {
    pub(crate) client: Client,
    pub(crate) bucket: String,
    pub(crate) kms_key: Option<String>,
    patience: Patience,
}

/// What became of a creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created<D: Document> {
    /// It was created by this call.
    Now(Version),
    /// Somebody else had created it; this is what is stored.
    AlreadyExists(Stored<D>),
}

/// What became of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced<D: Document> {
    /// It was replaced by this call.
    Now(Version),
    /// Somebody else has changed it since; this is what is stored, `None` if nothing is.
    Changed(Option<Stored<D>>),
}

/// What an update wants.
pub enum Decision<D> {
    /// Write this.
    Write(D),
    /// Leave everything as it is.
    Leave,
}

/// What became of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Updated<D: Document> {
    /// It was written.
    Written(Stored<D>),
    /// The decision was to leave it.
    Left,
}

/// An object as it was read.
pub(crate) struct Raw {
    pub(crate) bytes: Vec<u8>,
    pub(crate) version: Version,
}

impl StateStore {
    /// Documents in `bucket`, as the function's `SdkConfig` or a configuration of S3 says.
    ///
    /// With `kms_key` (id, ARN or alias) objects are encrypted with that key, else as the bucket's default says. The
    /// retries and time-outs of `config` are not used: [`Patience`] stands in for them.
    pub fn new(config: impl Into<Builder>, bucket: impl Into<String>, kms_key: Option<String>) -> Self {
        let config = config.into().retry_config(RetryConfig::disabled()).timeout_config(TimeoutConfig::disabled());
        let client = Client::from_conf(config.build());
        Self { client, bucket: bucket.into(), kms_key, patience: Patience::default() }
    }

    /// Sets how often and how long each call tries.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Reads a document; `None` if there is none.
    ///
    /// # Errors
    ///
    /// A right is missing, S3 is not available, or what is stored is no document of this kind.
    pub async fn get<D: Document>(&self, key: &Key<D>) -> Result<Option<Stored<D>>, StateError> {
        let raw = self.read::<D>(key, &mut Attempts::new(self.patience)).await?;
        raw.map(|raw| self.open(key, raw)).transpose()
    }

    /// Creates a document, unless there is one already.
    ///
    /// # Errors
    ///
    /// A right is missing, S3 is not available, the document is over its size, or what is stored is no document of this
    /// kind. [`StateError::may_have_been_written`] tells whether an attempt is open.
    pub async fn create<D: Document>(&self, key: &Key<D>, document: &D) -> Result<Created<D>, StateError> {
        let mut attempts = Attempts::new(self.patience);
        let write = Write::new(key, document, None).map_err(|problem| self.error(Action::Write, key, problem))?;
        match self.put::<D>(&write, &mut attempts).await? {
            Put::Done(version) => Ok(Created::Now(version)),
            Put::Lost(Some(raw)) => Ok(Created::AlreadyExists(self.open(key, raw)?)),
            Put::Lost(None) => Err(self.contended(key, &attempts)),
        }
    }

    /// Replaces the document that was read or written as `version`, unless somebody else has changed it since.
    ///
    /// # Errors
    ///
    /// As those of [`create`](Self::create).
    pub async fn replace<D: Document>(
        &self,
        key: &Key<D>,
        version: &Version,
        document: &D,
    ) -> Result<Replaced<D>, StateError> {
        let mut attempts = Attempts::new(self.patience);
        let current = if version.etag.is_none() {
            self.read::<D>(key, &mut attempts).await?
        } else {
            let write = Write::new(key, document, Some(version));
            let write = write.map_err(|problem| self.error(Action::Write, key, problem))?;
            match self.put::<D>(&write, &mut attempts).await? {
                Put::Done(version) => return Ok(Replaced::Now(version)),
                Put::Lost(current) => current,
            }
        };
        Ok(Replaced::Changed(current.map(|raw| self.open(key, raw)).transpose()?))
    }

    /// Reads a document, has `decide` change it, and writes it; all over again if somebody else has changed it in
    /// between. So `decide` may be called many times, and only its last decision counts; that one is written once.
    ///
    /// # Errors
    ///
    /// As those of [`create`](Self::create), and if others were faster as often as [`Patience`] allows.
    pub async fn update<D, F>(&self, key: &Key<D>, mut decide: F) -> Result<Updated<D>, StateError>
    where
        D: Document,
        F: FnMut(Option<D>) -> Decision<D> + Send,
    {
        let mut attempts = Attempts::new(self.patience);
        loop {
            let current = self.read::<D>(key, &mut attempts).await?;
            let current = current.map(|raw| self.open(key, raw)).transpose()?;
            let (former, base) = current.map(|stored| (stored.document, stored.version)).unzip();
            let Decision::Write(document) = decide(former) else { return Ok(Updated::Left) };
            let write = Write::new(key, &document, base.as_ref());
            let write = write.map_err(|problem| self.error(Action::Write, key, problem))?;
            match self.put::<D>(&write, &mut attempts).await? {
                Put::Done(version) => return Ok(Updated::Written(Stored { document, version })),
                Put::Lost(_) if attempts.go_on().await => {}
                Put::Lost(_) => return Err(self.contended(key, &attempts)),
            }
        }
    }

    /// Removes a document, whoever has written it; nothing happens where there is none.
    ///
    /// # Errors
    ///
    /// A right is missing, or S3 is not available.
    pub async fn remove<D: Document>(&self, key: &Key<D>) -> Result<(), StateError> {
        let mut attempts = Attempts::new(self.patience);
        loop {
            let request = self.client.delete_object().bucket(&self.bucket).key(key.as_str()).send();
            let fault = match tokio::time::timeout_at(attempts.answer_until(), request).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => Fault::of(&error, Action::Remove, &self.bucket),
                Err(_) => Fault::Unanswered(NO_ANSWER.to_owned()),
            };
            if matches!(fault, Fault::Missing) {
                return Ok(());
            }
            let again = self.try_again(fault, &mut attempts).await;
            again.map_err(|problem| self.error(Action::Remove, key, problem))?;
        }
    }

    /// The keys of all documents in a folder, in the order of their keys; at most `limit` objects.
    ///
    /// # Errors
    ///
    /// A right is missing, S3 is not available, there are more objects than `limit`, or one that is no document.
    pub async fn list<D: Document>(&self, folder: &Folder<D>, limit: usize) -> Result<Vec<Key<D>>, StateError> {
        let failed = |problem| StateError::new(Action::List, &self.bucket, folder.as_str(), problem);
        let mut attempts = Attempts::new(self.patience);
        let mut keys = Vec::new();
        let (mut seen, mut token) = (0, None);
        loop {
            let page = self.list_page(folder.as_str(), token.as_deref(), &mut attempts).await.map_err(failed)?;
            for object in page.contents() {
                seen += 1;
                if seen > limit {
                    return Err(failed(Problem::TooMany { limit }));
                }
                let path = object.key().unwrap_or_default();
                let key = folder.key_of(path).map_err(|_| {
                    let path = path.escape_debug();
                    failed(Problem::Corrupt { reason: format!("the object `{path}` is not a state document's") })
                })?;
                keys.extend(key);
            }
            match page.next_continuation_token() {
                Some(next) if page.is_truncated() == Some(true) => token = Some(next.to_owned()),
                _ => return Ok(keys),
            }
        }
    }

    async fn list_page(
        &self,
        prefix: &str,
        token: Option<&str>,
        attempts: &mut Attempts,
    ) -> Result<aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output, Problem> {
        loop {
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let request = request.set_continuation_token(token.map(str::to_owned));
            let fault = match tokio::time::timeout_at(attempts.answer_until(), request.send()).await {
                Ok(Ok(page)) => return Ok(page),
                Ok(Err(error)) => Fault::of(&error, Action::List, &self.bucket),
                Err(_) => Fault::Unanswered(NO_ANSWER.to_owned()),
            };
            self.try_again(fault, attempts).await?;
        }
    }

    /// Reads an object, again and again while S3 is not available.
    pub(crate) async fn read<D: Document>(
        &self,
        key: &Key<D>,
        attempts: &mut Attempts,
    ) -> Result<Option<Raw>, StateError> {
        loop {
            let until = attempts.answer_until();
            let fault = match tokio::time::timeout_at(until, self.read_once::<D>(key)).await {
                Ok(Ok(raw)) => return Ok(Some(raw)),
                Ok(Err(Fault::Missing)) => return Ok(None),
                Ok(Err(fault)) => fault,
                Err(_) => Fault::Unanswered(NO_ANSWER.to_owned()),
            };
            let again = self.try_again(fault, attempts).await;
            again.map_err(|problem| self.error(Action::Read, key, problem))?;
        }
    }

    async fn read_once<D: Document>(&self, key: &Key<D>) -> Result<Raw, Fault> {
        let response = self.client.get_object().bucket(&self.bucket).key(key.as_str()).send().await;
        let mut object = response.map_err(|error| Fault::of(&error, Action::Read, &self.bucket))?;
        let limit = D::MAX_BYTES + ENVELOPE_BYTES;
        let mut bytes = Vec::new();
        while let Some(chunk) = object.body.next().await {
            let chunk = chunk.map_err(|error| Fault::Unanswered(format!("the answer broke off: {error}")))?;
            if bytes.len() + chunk.len() > limit {
                let problem = Problem::TooLarge { kind: D::KIND, size: None, limit: D::MAX_BYTES };
                return Err(Fault::Fatal(problem));
            }
            bytes.extend_from_slice(&chunk);
        }
        let lineage = lineage_of::<D>(&bytes).map_err(Fault::Fatal)?;
        Ok(Raw { bytes, version: Version { etag: object.e_tag, lineage } })
    }

    /// Pauses where it is of use to try again.
    pub(crate) async fn try_again(&self, fault: Fault, attempts: &mut Attempts) -> Result<(), Problem> {
        let detail = match fault {
            Fault::Busy(detail) | Fault::Unanswered(detail) => detail,
            Fault::Fatal(problem) => return Err(problem),
            Fault::Missing => return Err(Problem::Rejected { detail: "there is no such object".to_owned() }),
            Fault::Refused => return Err(Problem::Rejected { detail: "a condition did not hold".to_owned() }),
        };
        if attempts.go_on().await {
            return Ok(());
        }
        Err(Problem::Unavailable { detail, attempts: attempts.failed() })
    }

    fn open<D: Document>(&self, key: &Key<D>, raw: Raw) -> Result<Stored<D>, StateError> {
        let document = unpack(&raw.bytes).map_err(|problem| self.error(Action::Read, key, problem))?;
        Ok(Stored { document, version: raw.version })
    }

    fn contended<D: Document>(&self, key: &Key<D>, attempts: &Attempts) -> StateError {
        self.error(Action::Write, key, Problem::Contended { attempts: attempts.failed() })
    }

    pub(crate) fn error<D: Document>(&self, action: Action, key: &Key<D>, problem: Problem) -> StateError {
        StateError::new(action, &self.bucket, key.as_str(), problem)
    }
}

pub(crate) const NO_ANSWER: &str = "no answer in time";

impl fmt::Debug for StateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateStore")
            .field("bucket", &self.bucket)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Version {
    /// The version of a write that was done.
    pub(crate) fn written(etag: Option<String>, lineage: Lineage) -> Self {
        Self { etag, lineage }
    }
}
