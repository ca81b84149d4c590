//! What the functions have kept of executions: the folder `threads/` of the state bucket, in S3 or copied from there.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use stagegate_delivery::Observed;
use stagegate_notice::{Subject, Thread};

use crate::exit::CommandError;

/// The folder of the documents.
const THREADS: &str = "threads";
/// Documents are not greater than this; what is, is none of them.
const MAX_BYTES: u64 = 4 << 20;
/// The folder of the local S3 in what `stagegate up --data` names.
const LOCAL_S3: &str = "s3";

/// Where the documents are.
pub(crate) enum State {
    /// Folders like the bucket's `threads/`.
    Folders(Vec<PathBuf>),
    /// The bucket itself.
    Bucket(String),
}

/// A stored document.
#[derive(Deserialize)]
struct Stored {
    document: Thread,
}

impl State {
    /// A copy of the state bucket, or the data of a local AWS, in which each bucket is a folder.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, CommandError> {
        if folder.join(THREADS).is_dir() {
            return Ok(Self::Folders(vec![folder.join(THREADS)]));
        }
        let buckets = std::fs::read_dir(folder.join(LOCAL_S3)).into_iter().flatten().flatten();
        let folders: Vec<_> =
            buckets.map(|bucket| bucket.path().join(THREADS)).filter(|threads| threads.is_dir()).collect();
        if folders.is_empty() {
            return Err(CommandError::broken_input(format!(
                "find executions in {}: it has no folder `{THREADS}`; copy the state bucket with `aws s3 sync`, or name the \
                 folder that `stagegate up --data` was given",
                folder.display()
            )));
        }
        Ok(Self::Folders(folders))
    }

    /// Everything that is known, by execution.
    pub(crate) fn observed(&self) -> Result<Vec<Observed>, CommandError> {
        let mut observed = match self {
            Self::Folders(folders) => {
                let mut observed = Vec::new();
                for folder in folders {
                    each(folder, &mut |file| {
                        observed.extend(read(&file.display().to_string(), &bytes(file)?)?);
                        Ok(())
                    })?;
                }
                observed
            }
            Self::Bucket(bucket) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|error| CommandError::unavailable(format!("start: {error}")))?;
                runtime.block_on(from_s3(bucket))?
            }
        };
        observed.sort_by(|one, other| {
            (one.picture.started, &one.execution).cmp(&(other.picture.started, &other.execution))
        });
        Ok(observed)
    }
}

fn each(folder: &Path, visit: &mut impl FnMut(&Path) -> Result<(), CommandError>) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| CommandError::broken_input(format!("read {}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        // The local S3 keeps files of its own beside the objects; their names begin with a dot.
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_dir() {
            each(&path, visit)?;
        } else if !is_hidden && path.extension().is_some_and(|extension| extension == "json") {
            visit(&path)?;
        }
    }
    Ok(())
}

fn bytes(file: &Path) -> Result<Vec<u8>, CommandError> {
    let failed = |why: &dyn std::fmt::Display| CommandError::broken_input(format!("read {}: {why}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| failed(&error))?.len();
    if size > MAX_BYTES {
        return Err(failed(&format!("it has {size} bytes, and no document has more than {MAX_BYTES}")));
    }
    std::fs::read(file).map_err(|error| failed(&error))
}

/// The execution of a pipeline in a document; builds and deployments by themselves deliver nothing.
fn read(place: &str, bytes: &[u8]) -> Result<Option<Observed>, CommandError> {
    let stored: Stored = serde_json::from_slice(bytes).map_err(|error| {
        CommandError::broken_input(format!(
            "read {place}: {error}; it is no document of this Stagegate: use the version that runs in the functions"
        ))
    })?;
    let Thread { subject, pipeline, execution, picture, .. } = stored.document;
    Ok((subject == Subject::Pipeline).then_some(Observed { pipeline, execution, picture }))
}

async fn from_s3(bucket: &str) -> Result<Vec<Observed>, CommandError> {
    let sdk = aws_config::load_from_env().await;
    let client = aws_sdk_s3::Client::new(&sdk);
    let failed = |error: String| CommandError::unavailable(format!("read the state in s3://{bucket}: {error}"));
    let mut pages = client.list_objects_v2().bucket(bucket).prefix(format!("{THREADS}/")).into_paginator().send();
    let mut observed = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(aws_sdk_s3::error::DisplayErrorContext(error).to_string()))?;
        for key in page.contents().iter().filter_map(aws_sdk_s3::types::Object::key) {
            if !key.ends_with(".json") {
                continue;
            }
            let object = client.get_object().bucket(bucket).key(key).send().await;
            let object = object.map_err(|error| failed(aws_sdk_s3::error::DisplayErrorContext(error).to_string()))?;
            let bytes = object.body.collect().await.map_err(|error| failed(error.to_string()))?.into_bytes();
            observed.extend(read(&format!("s3://{bucket}/{key}"), &bytes)?);
        }
    }
    Ok(observed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_is_no_state_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = State::in_folder(folder.path()).err().map(|error| (Exit::from(&error), error.to_string()));
        let (exit, text) = error.expect("there is nothing");
        assert!(exit == Exit::BrokenInput && text.contains("aws s3 sync"), "{text}");
        std::fs::create_dir(folder.path().join("threads")).expect("a folder");
        std::fs::write(folder.path().join("threads/e1.json"), "{\"kind\":\"thread\"}").expect("a file");
        let error = State::in_folder(folder.path()).expect("it is there").observed().expect_err("it is broken");
        assert!(error.to_string().contains("e1.json") && error.to_string().contains("document"), "{error}");
    }
}
