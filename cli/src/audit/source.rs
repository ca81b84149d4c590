//! Where the documents are: in a folder, or in a bucket.

use std::path::{Path, PathBuf};

use aws_sdk_s3::error::ProvideErrorMetadata;

use crate::args::AuditOptions;
use crate::exit::CommandError;

/// The most bytes of a document that are read; what functions write is smaller.
const MAX_BYTES: u64 = 2 << 20;

/// Documents of the functions' state.
pub(crate) enum Source {
    /// A folder that holds what the bucket holds.
    Folder(PathBuf),
    /// The bucket itself.
    Bucket { client: Box<aws_sdk_s3::Client>, name: String },
}

impl Source {
    /// What the options name.
    pub(crate) async fn new(options: &AuditOptions) -> Result<Self, CommandError> {
        if let Some(folder) = &options.state {
            return Self::folder(folder).map(Self::Folder);
        }
        let name = options.state_bucket.clone().unwrap_or_default();
        let sdk = aws_config::load_from_env().await;
        Ok(Self::Bucket { client: Box::new(aws_sdk_s3::Client::new(&sdk)), name })
    }

    /// The folder with `audit` in it: the named one, or the state bucket of a local AWS below it.
    fn folder(named: &Path) -> Result<PathBuf, CommandError> {
        let has_audit = |folder: &Path| folder.join("audit").is_dir();
        if has_audit(named) {
            return Ok(named.to_owned());
        }
        let buckets = std::fs::read_dir(named.join("s3")).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut found: Vec<_> = buckets.filter(|bucket| has_audit(bucket)).collect();
        match (found.pop(), found.is_empty()) {
            (Some(bucket), true) => Ok(bucket),
            (Some(_), false) => Err(CommandError::wrong_call(format!(
                "find the audit: several buckets below {} have one; name one of them",
                named.display()
            ))),
            (None, _) => Err(CommandError::unavailable(format!(
                "find the audit: {} has no folder audit; name a copy of the state bucket, or the --data folder of the local AWS, \
                 in which something was decided",
                named.display()
            ))),
        }
    }

    /// The keys that begin with a prefix, in their order; all of them.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>, CommandError> {
        let mut keys = Vec::new();
        match self {
            Self::Folder(root) => walk(root, &root.join(prefix.trim_end_matches('/')), &mut keys)?,
            Self::Bucket { client, name } => {
                let mut pages = client.list_objects_v2().bucket(name).prefix(prefix).into_paginator().send();
                while let Some(page) = pages.next().await {
                    let page = page.map_err(|error| refused("list", name, prefix, &error))?;
                    keys.extend(page.contents().iter().filter_map(|object| object.key()).map(str::to_owned));
                }
            }
        }
        // S3's console makes an object of a folder.
        keys.retain(|key| !key.ends_with('/'));
        keys.sort_unstable();
        Ok(keys)
    }

    /// An object; `None` where there is none.
    pub(crate) async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CommandError> {
        match self {
            Self::Folder(root) => read_file(&root.join(key)),
            Self::Bucket { client, name } => {
                let object = match client.get_object().bucket(name).key(key).send().await {
                    Ok(object) => object,
                    Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
                    Err(error) => return Err(refused("read", name, key, &error)),
                };
                if object.content_length().and_then(|length| u64::try_from(length).ok()).is_none_or(|it| it > MAX_BYTES)
                {
                    return Err(CommandError::broken_input(format!("read s3://{name}/{key}: it is too large")));
                }
                let bytes = object.body.collect().await;
                let bytes =
                    bytes.map_err(|error| CommandError::unavailable(format!("read s3://{name}/{key}: {error}")))?;
                Ok(Some(bytes.into_bytes().to_vec()))
            }
        }
    }
}

fn read_file(file: &Path) -> Result<Option<Vec<u8>>, CommandError> {
    use std::io::Read as _;
    let failed = |error: std::io::Error| CommandError::unavailable(format!("read {}: {error}", file.display()));
    let opened = match std::fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(CommandError::broken_input(format!("read {}: it is too large", file.display())));
    }
    Ok(Some(bytes))
}

/// The files below a folder, by their paths from the root. A folder that is not there has none; hidden files are none of
/// the bucket's.
fn walk(root: &Path, folder: &Path, keys: &mut Vec<String>) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| CommandError::unavailable(format!("list {}: {error}", folder.display()));
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, keys)?;
        } else if let Ok(key) = path.strip_prefix(root) {
            keys.push(key.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn refused<E, R>(what: &str, bucket: &str, key: &str, error: &aws_sdk_s3::error::SdkError<E, R>) -> CommandError
where
    aws_sdk_s3::error::SdkError<E, R>: ProvideErrorMetadata,
{
    let reason = match (error.code(), error.message()) {
        (Some(code), message) => format!("{code}: {}", message.unwrap_or("S3 says no more")),
        (None, _) => "S3 could not be asked; check the Region and the credentials of the environment".to_owned(),
    };
    CommandError::unavailable(format!("{what} s3://{bucket}/{key}: {reason}"))
}
