//! The local S3: objects are files under a folder, with the conditions that the real S3 has.
//!
//! `s3s-fs` checks a condition and then writes. The real S3 does both in one step, so reads and writes of one key are
//! put in a line here.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use futures_util::future::BoxFuture;
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use stagegate_local_codepipeline::provider::ArtifactBucket;
use tokio::sync::{Mutex, MutexGuard};

/// Looks up the secret that belongs to an access key.
pub(crate) trait Secrets: Send + Sync + 'static {
    /// The secret access key, or `None` where the access key is unknown or has expired.
    fn secret(&self, access_key_id: &str) -> Option<String>;
}

/// Objects in a folder; cloning gives another handle to the same.
#[derive(Clone)]
pub struct LocalS3 {
    inner: Arc<Inner>,
}

struct Inner {
    files: FileSystem,
    /// One lock for all keys of the same hash.
    lines: Vec<Mutex<()>>,
}

impl LocalS3 {
    /// Objects under `root`, which is made where it does not exist.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made or used.
    pub fn open(root: &Path) -> Result<Self, String> {
        std::fs::create_dir_all(root).map_err(|error| format!("make the folder {}: {error}", root.display()))?;
        let files = FileSystem::new(root).map_err(|error| format!("use the folder {}: {error:?}", root.display()))?;
        let lines = std::iter::repeat_with(Mutex::default).take(64).collect();
        Ok(Self { inner: Arc::new(Inner { files, lines }) })
    }

    /// The HTTP service, which lets in only requests signed with a secret that `secrets` knows.
    pub(crate) fn service(&self, secrets: Arc<dyn Secrets>) -> S3Service {
        let mut builder = S3ServiceBuilder::new(self.clone());
        builder.set_auth(Auth(secrets));
        builder.build()
    }

    /// The HTTP service alone, which lets in only requests signed with these credentials.
    pub fn router(&self, access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Router {
        let credentials = OneKey { access_key_id: access_key_id.into(), secret: secret_access_key.into() };
        Router::new().fallback(crate::endpoint::serve_s3).with_state(self.service(Arc::new(credentials)))
    }

    /// Makes a bucket; one that exists already stays as it is.
    ///
    /// # Errors
    ///
    /// If the folder of the bucket cannot be made.
    pub async fn create_bucket(&self, bucket: &str) -> Result<(), String> {
        let input = CreateBucketInput { bucket: bucket.to_owned(), ..Default::default() };
        match self.inner.files.create_bucket(request(input)).await {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.code().as_str(), "BucketAlreadyExists" | "BucketAlreadyOwnedByYou") => Ok(()),
            Err(error) => Err(format!("make the bucket {bucket}: {error}")),
        }
    }

    /// The keys of a bucket that begin with `prefix`, sorted; the first thousand of them.
    ///
    /// # Errors
    ///
    /// If there is no such bucket, or its folder cannot be read.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, String> {
        let input =
            ListObjectsV2Input { bucket: bucket.to_owned(), prefix: Some(prefix.to_owned()), ..Default::default() };
        let listed = self.inner.files.list_objects_v2(request(input)).await;
        let listed = listed.map_err(|error| format!("list s3://{bucket}/{prefix}: {error}"))?;
        let objects = listed.output.contents.unwrap_or_default();
        let mut keys: Vec<_> = objects.into_iter().filter_map(|object| object.key).collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// A range of the last bytes as a range from the start: `s3s-fs` fails where the object is shorter than the range,
    /// and S3 gives the whole object.
    async fn with_range_from_start(&self, mut get: S3Request<GetObjectInput>) -> S3Result<S3Request<GetObjectInput>> {
        if let Some(Range::Suffix { length }) = get.input.range {
            let GetObjectInput { bucket, key, .. } = &get.input;
            let input = HeadObjectInput { bucket: bucket.clone(), key: key.clone(), ..Default::default() };
            // S3 says of a key that is not there: NoSuchKey. A head has no body to say it in.
            let head = self.inner.files.head_object(request(input)).await;
            let head = head.map_err(|_| s3_error!(NoSuchKey, "The specified key does not exist."))?;
            let size = head.output.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
            if size == 0 || length == 0 {
                return Err(s3_error!(InvalidRange, "The requested range is not satisfiable"));
            }
            get.input.range = Some(Range::Int { first: size.saturating_sub(length), last: None });
        }
        Ok(get)
    }

    async fn line(&self, bucket: &str, key: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        (bucket, key).hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % 64).unwrap_or_default();
        self.inner.lines[at].lock().await
    }
}

struct OneKey {
    access_key_id: String,
    secret: String,
}

impl Secrets for OneKey {
    fn secret(&self, access_key_id: &str) -> Option<String> {
        (access_key_id == self.access_key_id).then(|| self.secret.clone())
    }
}

struct Auth(Arc<dyn Secrets>);

#[async_trait]
impl S3Auth for Auth {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        self.0.secret(access_key).map(SecretKey::from).ok_or_else(|| {
            s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records.")
        })
    }
}

fn request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: http::Method::GET,
        uri: http::Uri::from_static("/"),
        headers: http::HeaderMap::new(),
        extensions: http::Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

/// Hands operations to the files: those that touch one object one at a time for each key, the others at once.
///
/// The real S3 does an operation as a whole or not at all. The files take several steps, so what has begun is brought to its
/// end, also where whoever asked for it has gone: a task of its own does that.
///
/// `async_trait` does not see into a macro, so the methods have the signature that it would give them.
macro_rules! hand_on {
    (@method $operation:ident, $input:ty, $output:ty, $this:ident, $request:ident, $done:expr) => {
        fn $operation<'s, 'f>(&'s self, $request: S3Request<$input>) -> BoxFuture<'f, S3Result<S3Response<$output>>>
        where
            's: 'f,
            Self: 'f,
        {
            let $this = self;
            Box::pin(async move { $done })
        }
    };
    (in_line { $($one:ident($one_in:ty) -> $one_out:ty;)* } at_once { $($any:ident($any_in:ty) -> $any_out:ty;)* }) => {
        $(hand_on!(@method $one, $one_in, $one_out, this, request, {
            let this = this.clone();
            let operation = async move {
                let _line = this.line(&request.input.bucket, &request.input.key).await;
                this.inner.files.$one(request).await
            };
            let done = tokio::spawn(operation).await;
            done.unwrap_or_else(|error| Err(s3_error!(InternalError, "the local S3 failed: {error}")))
        });)*
        $(hand_on!(@method $any, $any_in, $any_out, this, request, this.inner.files.$any(request).await);)*
    };
}

#[async_trait]
impl S3 for LocalS3 {
    hand_on! {
        in_line {
        put_object(PutObjectInput) -> PutObjectOutput;
        head_object(HeadObjectInput) -> HeadObjectOutput;
        delete_object(DeleteObjectInput) -> DeleteObjectOutput;
        complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
        }
        at_once {
        create_bucket(CreateBucketInput) -> CreateBucketOutput;
        delete_bucket(DeleteBucketInput) -> DeleteBucketOutput;
        head_bucket(HeadBucketInput) -> HeadBucketOutput;
        get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput;
        list_buckets(ListBucketsInput) -> ListBucketsOutput;
        list_objects(ListObjectsInput) -> ListObjectsOutput;
        list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output;
        delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput;
        copy_object(CopyObjectInput) -> CopyObjectOutput;
        create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput;
        upload_part(UploadPartInput) -> UploadPartOutput;
        upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput;
        list_parts(ListPartsInput) -> ListPartsOutput;
        abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
        }
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let _line = self.line(&request.input.bucket, &request.input.key).await;
        let request = self.with_range_from_start(request).await?;
        let (wanted, unwanted) = (request.input.if_match.clone(), request.input.if_none_match.clone());
        let response = self.inner.files.get_object(request).await?;
        let etag = response.output.e_tag.as_ref();
        let is = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(other) => etag.is_some_and(|etag| etag.weak_cmp(other)),
        };
        if wanted.as_ref().is_some_and(|condition| !is(condition)) {
            return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
        }
        if unwanted.as_ref().is_some_and(is) {
            return Err(s3_error!(NotModified));
        }
        Ok(response)
    }
}

#[async_trait]
impl ArtifactBucket for LocalS3 {
    async fn get(&self, bucket: &str, key: &str) -> Result<Vec<u8>, String> {
        let input = GetObjectInput { bucket: bucket.to_owned(), key: key.to_owned(), ..Default::default() };
        let place = || format!("s3://{bucket}/{key}");
        let response = self.get_object(request(input)).await.map_err(|error| format!("read {}: {error}", place()))?;
        let Some(mut body) = response.output.body else { return Ok(Vec::new()) };
        let mut bytes = Vec::new();
        while let Some(chunk) = futures_util::StreamExt::next(&mut body).await {
            bytes.extend_from_slice(&chunk.map_err(|error| format!("read {}: {error}", place()))?);
        }
        Ok(bytes)
    }

    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<(), String> {
        let input = PutObjectInput {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            content_length: i64::try_from(body.len()).ok(),
            body: Some(StreamingBlob::from(s3s::Body::from(body))),
            ..Default::default()
        };
        self.put_object(request(input)).await.map_err(|error| format!("write s3://{bucket}/{key}: {error}"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};
    use std::time::Duration;

    use super::*;

    /// Two texts and their checksums.
    const TEXTS: [(&str, &str); 2] = [("one", "emyG8Q=="), ("the other", "iRCZMA==")];

    fn put((text, checksum): (&str, &str)) -> S3Request<PutObjectInput> {
        request(PutObjectInput {
            bucket: "bucket".to_owned(),
            key: "key".to_owned(),
            body: Some(StreamingBlob::from(s3s::Body::from(text.as_bytes().to_vec()))),
            checksum_crc32: Some(checksum.to_owned()),
            ..Default::default()
        })
    }

    /// What is stored: the text, and what S3 says about it.
    async fn get(s3: &LocalS3) -> (Vec<u8>, Option<ETag>, Option<String>) {
        let input = GetObjectInput { bucket: "bucket".to_owned(), key: "key".to_owned(), ..Default::default() };
        let found = s3.get_object(request(input)).await.unwrap().output;
        (s3.get("bucket", "key").await.unwrap(), found.e_tag, found.checksum_crc32)
    }

    #[tokio::test]
    async fn a_write_is_done_as_a_whole_where_the_writer_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let s3 = LocalS3::open(folder.path()).unwrap();
        s3.create_bucket("bucket").await.unwrap();
        let mut known = Vec::new();
        for text in TEXTS {
            s3.put_object(put(text)).await.unwrap();
            known.push(get(&s3).await);
        }
        assert!(known[0].2.is_some() && known[0].2 != known[1].2, "{known:?}");
        // The writer goes away after so many steps of the write.
        for steps in 0..40 {
            let mut writing = s3.put_object(put(TEXTS[steps % 2]));
            for _ in 0..steps / 2 {
                if writing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            drop(writing);
            let found = get(&s3).await;
            assert!(known.contains(&found), "after {steps}: {found:?}");
        }
    }
}
