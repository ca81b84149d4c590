//! What a folder becomes as a source artifact.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use stagegate_local_actions::{ArchiveLimits, SourceProvider};
use stagegate_local_codepipeline::provider::{ActionFailure, ActionProvider, ActionSuccess};

use crate::support::{Bucket, no_progress, request};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    folder
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = folder.join(name.trim_end_matches('*'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let mode = if name.ends_with('*') { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

async fn run(folder: &Path, provider: &str, revision: Option<&str>) -> (Result<ActionSuccess, ActionFailure>, Vec<u8>) {
    let bucket = Bucket::new();
    let source = SourceProvider::new(folder, bucket.clone());
    let configuration = [("ConnectionArn", "arn:x"), ("FullRepositoryId", "example/web"), ("BranchName", "main")];
    let mut asked = request(provider, &configuration, &[], &["Out"]);
    asked.requested_revision = revision.map(str::to_owned);
    let result = source.run(asked, no_progress()).await;
    (result, bucket.object("artifacts/web/Out").unwrap_or_default())
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn equal_content_gives_equal_bytes_and_revisions() {
    let files = [("b.txt", "b"), ("a/run.sh*", "#!/bin/sh\n"), (".hidden", "h")];
    let (one, two) = (folder(&files), folder(&[files[2], files[0], files[1]]));
    fs::File::options()
        .write(true)
        .open(two.path().join("b.txt"))
        .unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000))
        .unwrap();
    let ((first, first_body), (second, second_body)) =
        (run(one.path(), "S3", None).await, run(two.path(), "S3", None).await);
    assert_eq!(first_body, second_body);
    let (first, second) = (first.unwrap().revision.unwrap(), second.unwrap().revision.unwrap());
    assert_eq!((first.id.len(), &first.id), (40, &second.id));
    assert!(first.summary.contains("no Git repository"), "{}", first.summary);
    for change in [("b.txt", "c"), ("b.txt*", "b"), ("c.txt", "")] {
        let other = folder(&files);
        write(other.path(), &[change]);
        assert_ne!(run(other.path(), "S3", None).await.0.unwrap().revision.unwrap().id, first.id, "{change:?}");
    }
}

#[tokio::test]
async fn ignored_files_stay_at_home() {
    let files = [
        (".gitignore", "dist/\n*.log\n!keep.log\n"),
        ("dist/x", ""),
        ("a.log", ""),
        ("sub/keep.log", ""),
        ("sub/a.txt*", ""),
    ];
    let folder = folder(&files);
    write(folder.path(), &[(".git/config", "secret")]);
    fs::remove_dir_all(folder.path().join(".git")).unwrap();
    symlink("sub/a.txt", folder.path().join("link")).unwrap();
    let (result, body) = run(folder.path(), "GitHub", None).await;
    result.unwrap();
    let names: Vec<_> = crate::support::unzip(&body).into_keys().collect();
    assert_eq!(names, [".gitignore", "link@", "sub/a.txt*", "sub/keep.log"]);
}

#[tokio::test]
async fn links_out_of_the_folder_and_too_much_content_are_refused() {
    let folder = folder(&[("a.txt", "0123456789")]);
    let limited = |limits| SourceProvider::new(folder.path(), Bucket::new()).with_limits(limits);
    for (limits, expected) in [
        (ArchiveLimits { entries: 0, bytes: 100 }, "more than 0 files"),
        (ArchiveLimits { entries: 9, bytes: 9 }, "larger than 9 bytes"),
    ] {
        let failure = limited(limits).run(request("S3", &[], &[], &["Out"]), no_progress()).await.unwrap_err();
        assert!(failure.message.contains(expected), "{}", failure.message);
    }
    symlink("/etc/passwd", folder.path().join("link")).unwrap();
    let failure = run(folder.path(), "S3", None).await.0.unwrap_err();
    assert!(failure.message.contains("the symbolic link \"link\" points to \"/etc/passwd\""), "{}", failure.message);
    let failure = run(&folder.path().join("none"), "S3", None).await.0.unwrap_err();
    assert_eq!(failure.code, "ConfigurationError");
}

#[tokio::test]
async fn a_clean_repository_has_its_commit_as_revision() {
    if Command::new("git").arg("--version").output().is_err() {
        return;
    }
    let folder = folder(&[
        (".gitignore", "ignored\n"),
        ("app/a.txt", "committed"),
        ("other.txt", "not in app"),
        ("app/ignored", "tracked all the same"),
    ]);
    git(folder.path(), &["init", "-q", "-b", "trunk"]);
    git(folder.path(), &["remote", "add", "origin", "git@github.com:acme/harbour.git"]);
    git(folder.path(), &["add", "-f", "."]);
    git(folder.path(), &["commit", "-q", "-m", "Open the harbour\n\nAt last."]);
    let head = git(folder.path(), &["rev-parse", "HEAD"]);

    let (result, body) = run(&folder.path().join("app"), "CodeStarSourceConnection", None).await;
    let success = result.unwrap();
    let revision = success.revision.unwrap();
    assert_eq!((revision.id.as_str(), revision.summary.as_str()), (head.as_str(), "Open the harbour"));
    let expected = [
        ("AuthorEmail", "ada@example.com"),
        ("BranchName", "trunk"),
        ("CommitId", head.as_str()),
        ("CommitMessage", "Open the harbour\n\nAt last."),
        ("ConnectionArn", "arn:x"),
        ("FullRepositoryName", "example/web"),
    ];
    for (name, value) in expected {
        assert_eq!(success.output_variables[name], value, "{name}");
    }
    assert!(success.output_variables["AuthorDate"].contains('T'));
    assert_eq!(crate::support::unzip(&body).into_keys().collect::<Vec<_>>(), ["a.txt", "ignored"]);

    write(folder.path(), &[("app/a.txt", "changed"), ("app/new.txt", "")]);
    let (result, body) = run(&folder.path().join("app"), "CodeCommit", None).await;
    let revision = result.unwrap().revision.unwrap();
    assert_ne!(revision.id, head);
    assert_eq!(revision.summary, format!("uncommitted changes on top of {}: Open the harbour", &head[..8]));
    let files = crate::support::unzip(&body);
    assert_eq!((files["a.txt"].as_str(), files.len()), ("changed", 3), "what runs is the working tree");

    let (result, body) = run(&folder.path().join("app"), "CodeCommit", Some(&head[..12])).await;
    assert_eq!(result.unwrap().revision.unwrap().id, head);
    assert_eq!(
        crate::support::unzip(&body)["a.txt"],
        "committed",
        "a revision that is asked for is taken from history"
    );
    let failure = run(folder.path(), "CodeCommit", Some("--upload-pack=x")).await.0.unwrap_err();
    assert!(failure.message.contains("is not a commit of the repository"), "{}", failure.message);
}
