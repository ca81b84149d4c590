//! S3 deploy and Commands.

use stagegate_local_actions::{CommandsProvider, S3DeployProvider};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::ActionProvider;

use crate::support::{Bucket, no_progress, request, zip_of};

#[tokio::test]
async fn s3_takes_the_archive_or_its_files() {
    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    let body = zip_of(&[("index.html", "page"), ("img/a.svg", "<svg/>")]);
    bucket.store("Site", body.clone());
    let provider = S3DeployProvider::new(data.path(), bucket.clone(), Clock::system());
    let run =
        |configuration: &[(&str, &str)]| provider.run(request("S3", configuration, &["Site"], &[]), no_progress());
    run(&[("BucketName", "www"), ("Extract", "true"), ("ObjectKey", "v1/")]).await.unwrap();
    assert_eq!(bucket.object("www/v1/index.html").unwrap(), b"page");
    assert_eq!(bucket.object("www/v1/img/a.svg").unwrap(), b"<svg/>");
    let success =
        run(&[("BucketName", "www"), ("Extract", "false"), ("ObjectKey", "site.zip"), ("CannedACL", "private")])
            .await
            .unwrap();
    assert_eq!(bucket.object("www/site.zip").unwrap(), body);
    assert_eq!(success.summary.unwrap(), "s3://www/site.zip (CannedACL without effect here)");
    for configuration in [
        &[("BucketName", "www"), ("Extract", "yes")][..],
        &[("Extract", "true")],
        &[("BucketName", "www"), ("Extract", "false")],
    ] {
        assert_eq!(run(configuration).await.unwrap_err().code, "ConfigurationError", "{configuration:?}");
    }
    assert_eq!(std::fs::read_dir(data.path().join("s3-deploy")).unwrap().count(), 0);
}

#[tokio::test]
async fn commands_run_in_the_input_artifact() {
    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    bucket.store("Source", zip_of(&[("a.txt", "content")]));
    let provider = CommandsProvider::new(data.path(), bucket, Clock::system());
    let mut asked = request("Commands", &[], &["Source"], &[]);
    asked.commands = vec!["x=$(cat a.txt)".into(), "[ \"$x\" = content ]".into()];
    provider.run(asked.clone(), no_progress()).await.unwrap();
    asked.commands.push("exit 9".into());
    let failure = provider.run(asked.clone(), no_progress()).await.unwrap_err();
    assert!(failure.message.contains("command: exit 9. Reason: exit status 9"), "{}", failure.message);
    asked.commands.clear();
    assert_eq!(provider.run(asked, no_progress()).await.unwrap_err().code, "ConfigurationError");
}
