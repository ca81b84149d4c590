//! Output artifacts.

use stagegate_pipeline_artifact::{ArtifactBuilder, ArtifactLocation, FailureKind};

use crate::server::{BUCKET, Fault, Server};

#[tokio::test]
async fn an_output_artifact_is_encrypted_and_can_be_read_back() {
    let server = Server::start().await;
    for key in [None, Some("arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-4333-8444-555555555555")] {
        let location = ArtifactLocation::new(BUCKET, "out");
        let artifact = ArtifactBuilder::new().file("verdict.json", "{}").file("reports/summary.md", "# Passed");
        server.store().put(&location, &artifact, key).await.unwrap();
        let (_, headers) = server.requests().pop().unwrap();
        let header = |name| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("x-amz-server-side-encryption"), Some("aws:kms"));
        assert_eq!(header("x-amz-server-side-encryption-aws-kms-key-id"), key);
        assert_eq!(header("x-amz-security-token"), Some("token-of-the-job"));
        assert!(header("authorization").unwrap().starts_with("AWS4-HMAC-SHA256"));
        let read = server.open(&location).await.unwrap();
        let paths: Vec<_> = read.entries().iter().map(|entry| entry.path()).collect();
        assert_eq!(paths, ["reports/summary.md", "verdict.json"]);
        assert_eq!(read.read(&read.entries()[1]).await.unwrap(), b"{}");
    }
}

#[tokio::test]
async fn paths_that_would_not_be_read_are_not_written() {
    let server = Server::start().await;
    let location = ArtifactLocation::new(BUCKET, "out");
    for path in ["", "/a", "../a", "a/../b", "./a", "a//b", "a/", "a\\b", "C:/a", "a\0"] {
        let artifact = ArtifactBuilder::new().file(path, "x");
        let error = server.store().put(&location, &artifact, None).await.unwrap_err();
        assert!(error.to_string().starts_with("write artifact s3://artifacts/out: cannot put `"), "{error}");
    }
    let twice = ArtifactBuilder::new().file("a", "x").file("a", "y");
    assert!(server.store().put(&location, &twice, None).await.is_err());
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_refused_upload_says_so() {
    let server = Server::start().await;
    server.fail([Fault::Answer(403, "AccessDenied")]);
    let artifact = ArtifactBuilder::new().file("a", "x");
    let error = server.store().put(&ArtifactLocation::new(BUCKET, "out"), &artifact, None).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Permission);
    assert!(error.to_string().starts_with("write artifact s3://artifacts/out: S3 denied access"), "{error}");
}
