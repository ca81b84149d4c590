//! Deployments to instances that are served over HTTP.

use std::sync::Arc;

use stagegate_local_actions::{CodeDeployProvider, DeploymentStatus, InstanceServers};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::{ActionFailure, ActionProvider, ActionSuccess};

use crate::support::{Bucket, content_of, get, is_gone, no_progress, request, zip_of};

struct World {
    bucket: Arc<Bucket>,
    provider: CodeDeployProvider,
    data: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
        let provider =
            CodeDeployProvider::new(data.path(), bucket.clone(), Clock::system(), InstanceServers::new(None));
        Self { bucket, provider, data }
    }

    async fn deploy(&self, files: &[(&str, &str)]) -> Result<ActionSuccess, ActionFailure> {
        self.bucket.store("Site", zip_of(files));
        let configuration = [("ApplicationName", "web"), ("DeploymentGroupName", "Production")];
        self.provider.run(request("CodeDeploy", &configuration, &["Site"], &[]), no_progress()).await
    }

    async fn url(&self) -> String {
        self.provider.serve("web", "Production").await.unwrap()
    }

    async fn page(&self) -> String {
        get(&self.url().await, "/").await.1
    }
}

const FILES: &str = "version: 0.0\nos: linux\nfiles: [{source: site, destination: /var/www/html}]\n";

fn site(page: &str) -> Vec<(&str, &str)> {
    vec![("appspec.yml", FILES), ("site/index.html", page)]
}

#[tokio::test]
async fn a_deployment_shows_at_once_and_a_failed_one_never() {
    let world = World::new();
    let url = world.url().await;
    assert_eq!(get(&url, "/").await.0, 503, "nothing is deployed yet");
    let first = world.deploy(&site("one")).await.unwrap();
    assert_eq!(world.page().await, "one");
    assert_eq!(first.external_execution_url, Some(url));
    world.deploy(&site("two")).await.unwrap();
    assert_eq!(world.page().await, "two");

    let events = ["ApplicationStop", "BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService"];
    for event in events {
        // ApplicationStop runs from the last successful revision: deploy one first whose script fails.
        let appspec = format!("{FILES}hooks: {{{event}: [{{location: hook.sh}}]}}\n");
        let files = [
            ("appspec.yml", appspec.as_str()),
            ("site/index.html", "bad"),
            ("hook.sh*", "#!/bin/sh\necho 'no database'\nexit 7\n"),
        ];
        let outcome = world.deploy(&files).await;
        let (outcome, served) = match event {
            "ApplicationStop" => {
                outcome.unwrap();
                (world.deploy(&site("three")).await, "bad")
            }
            _ => (outcome, "two"),
        };
        let failure = outcome.unwrap_err();
        for expected in
            [event, "ScriptFailed: hook.sh ended with exit status 7", "last output:\nno database", "still serves d-"]
        {
            assert!(failure.message.contains(expected), "{event}: no {expected:?} in {:?}", failure.message);
        }
        assert_eq!(world.page().await, served, "{event}");
        let record = world.provider.deployments().get(&failure.external_execution_id.unwrap()).unwrap();
        assert_eq!(record.status, DeploymentStatus::Failed);
        assert_eq!(record.lifecycle_events.last().unwrap().name, event);
        if event == "ApplicationStop" {
            return_to_two(&world).await;
        }
    }
}

/// The last revision's ApplicationStop always fails, so only a new instance helps, as with a broken script on AWS.
async fn return_to_two(world: &World) {
    let instance = world.data.path().join("instances/web/Production");
    std::fs::remove_file(instance.join("current")).unwrap();
    world.deploy(&site("two")).await.unwrap();
}

#[tokio::test]
async fn hooks_run_in_their_order_with_their_environment() {
    let world = World::new();
    let hook = "#!/bin/sh\nset -eu\nprintf '%s %s %s %s %s\\n' \"$LIFECYCLE_EVENT\" \"$APPLICATION_NAME\" \"$DEPLOYMENT_GROUP_NAME\" \
        \"$(cat \"$INSTANCE_ROOT/var/www/html/index.html\" 2>/dev/null || echo none)\" \"${INSTANCE_URL:+url}${CARGO_MANIFEST_DIR:-}\" \
        >>\"$INSTANCE_ROOT/events\"\n[ \"$PWD\" = \"$INSTANCE_ROOT\" ]\n[ \"${DEPLOYMENT_ID#d-}\" != \"$DEPLOYMENT_ID\" ]\n";
    let hooks = "hooks:\n  ValidateService: [{location: h.sh}]\n  ApplicationStart: [{location: h.sh, runas: root}]\n  \
        AfterInstall: [{location: h.sh, timeout: 30}]\n  BeforeInstall: [{location: ./h.sh}]\n  ApplicationStop: [{location: h.sh}]\n";
    let appspec = format!("{FILES}permissions: [{{object: /var}}]\n{hooks}");
    // Not executable: it is made so.
    world.deploy(&[("appspec.yml", &appspec), ("site/index.html", "v1"), ("h.sh", hook)]).await.unwrap();
    world.deploy(&[("appspec.yml", &appspec), ("site/index.html", "v2"), ("h.sh", hook)]).await.unwrap();
    let events = std::fs::read_to_string(world.data.path().join("instances/web/Production/current/events")).unwrap();
    let expected = "BeforeInstall web Production none \nAfterInstall web Production v1 \nApplicationStart web Production v1 url\n\
        ValidateService web Production v1 url\nApplicationStop web Production v1 \nBeforeInstall web Production v1 \n\
        AfterInstall web Production v2 \nApplicationStart web Production v2 url\nValidateService web Production v2 url\n";
    assert_eq!(events, expected);
    let record = world.provider.deployments().list().pop().unwrap();
    let log = std::fs::read_to_string(&record.log).unwrap();
    for expected in ["permissions have no effect", "runas has no effect", "h.sh is not executable"] {
        assert!(log.contains(expected), "no {expected:?} in {log}");
    }
}

#[tokio::test]
async fn validation_sees_the_new_revision_while_users_see_the_old_one() {
    let world = World::new();
    world.deploy(&site("old")).await.unwrap();
    let seen = world.data.path().join("seen");
    let go = world.data.path().join("go");
    let hook = format!(
        "#!/bin/sh\necho \"$INSTANCE_URL\" >'{}'\nwhile [ ! -f '{}' ]; do sleep 0.05; done\n",
        seen.display(),
        go.display()
    );
    let appspec = format!("{FILES}hooks: {{ValidateService: [{{location: v.sh}}]}}\n");
    let files = [("appspec.yml", appspec.as_str()), ("site/index.html", "new"), ("v.sh*", &hook)];
    let checks = async {
        let preview = content_of(&seen).await;
        assert_eq!(get(preview.trim(), "/").await.1, "new");
        assert_eq!(world.page().await, "old");
        std::fs::write(&go, "").unwrap();
    };
    let (deployed, ()) = tokio::join!(world.deploy(&files), checks);
    deployed.unwrap();
    assert_eq!(world.page().await, "new");
}

#[tokio::test]
async fn files_that_are_not_the_last_deployments_follow_file_exists_behavior() {
    let world = World::new();
    world
        .deploy(&[("appspec.yml", FILES), ("site/index.html", "1"), ("site/old.html", "gone with the next")])
        .await
        .unwrap();
    let root = world.data.path().join("instances/web/Production/current/var/www/html");
    std::fs::write(root.join("extra.html"), "by hand").unwrap();
    let deploy = async |behavior: &str| {
        let appspec = format!("{FILES}{behavior}\n");
        world.deploy(&[("appspec.yml", &appspec), ("site/index.html", "2"), ("site/extra.html", "shipped")]).await
    };
    let failure = deploy("").await.unwrap_err();
    assert!(
        failure.message.contains("already exists at this location: /var/www/html/extra.html"),
        "{}",
        failure.message
    );
    assert_eq!(get(&world.url().await, "/old.html").await.0, 200);
    deploy("file_exists_behavior: RETAIN").await.unwrap();
    assert_eq!(get(&world.url().await, "/extra.html").await.1, "by hand");
    assert_eq!(get(&world.url().await, "/old.html").await.0, 404, "what the last deployment has installed is removed");
    deploy("file_exists_behavior: OVERWRITE").await.unwrap();
    assert_eq!(get(&world.url().await, "/extra.html").await.1, "shipped");
}

#[tokio::test]
async fn bad_revisions_say_what_to_change() {
    let world = World::new();
    let cases: &[(&str, &str)] = &[
        ("version: 0.0\nos: windows\n", "os \"windows\" is not supported"),
        ("version: 0.1\nos: linux\n", "write `version: 0.0`"),
        (
            "version: 0.0\nResources: [{web: {Type: AWS::ECS::Service}}]\nHooks: [{BeforeInstall: f}]\n",
            "use the provider CodeDeployToECS",
        ),
        ("version: 0.0\nos: linux\nfiles: [{source: site, destination: var}]\n", "must be a full path"),
        ("version: 0.0\nos: linux\nfiles: [{source: site, destination: /a/../../b}]\n", "must be a full path"),
        (
            "version: 0.0\nos: linux\nfiles: [{source: ../site, destination: /a}]\n",
            "must be a path within the revision",
        ),
        ("version: 0.0\nos: linux\nfiles: [{source: none, destination: /a}]\n", "the revision has no none"),
        ("version: 0.0\nos: linux\nhooks: {AfterInstal: [{location: a}]}\n", "AfterInstal"),
        ("version: 0.0\nos: linux\nhooks: {AfterInstall: [{location: a, timeout: 4000}]}\n", "the most is 3600 s"),
        (
            "version: 0.0\nos: linux\nhooks: {AfterInstall: [{location: a}]}\n",
            "ScriptMissing: the revision has no script a",
        ),
        (
            "version: 0.0\nos: linux\nhooks: {AfterInstall: [{location: slow.sh, timeout: 1}]}\n",
            "ScriptTimedOut: slow.sh ran longer than",
        ),
    ];
    for (appspec, expected) in cases {
        let files = [("appspec.yml", *appspec), ("site/index.html", "x"), ("slow.sh*", "#!/bin/sh\nsleep 300\n")];
        let failure = world.deploy(&files).await.unwrap_err();
        assert!(failure.message.contains(expected), "no {expected:?} in {:?}", failure.message);
        assert!(failure.message.contains("nothing is deployed there"), "{:?}", failure.message);
    }
    let failure = world.deploy(&[("site/index.html", "x")]).await.unwrap_err();
    assert!(failure.message.contains("has no appspec.yml at its root"), "{:?}", failure.message);
    let bad = request("CodeDeploy", &[("ApplicationName", "../web"), ("DeploymentGroupName", "P")], &["Site"], &[]);
    let failure = world.provider.run(bad, no_progress()).await.unwrap_err();
    assert_eq!(failure.code, "ConfigurationError");
}

#[tokio::test]
async fn a_hook_cannot_lead_the_installation_out_of_the_instance() {
    let world = World::new();
    let outside = world.data.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let hook = format!("#!/bin/sh\nmkdir -p var/www\nln -s '{}' var/www/html\n", outside.display());
    let appspec = format!("{FILES}hooks: {{BeforeInstall: [{{location: h.sh}}]}}\n");
    let failure =
        world.deploy(&[("appspec.yml", &appspec), ("site/index.html", "x"), ("h.sh*", &hook)]).await.unwrap_err();
    assert!(failure.message.contains("leads out of the instance's root"), "{}", failure.message);
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

#[tokio::test]
async fn nothing_is_left_when_the_deployment_is_dropped() {
    let world = World::new();
    world.deploy(&site("old")).await.unwrap();
    let pid = world.data.path().join("pid");
    let hook = format!("#!/bin/sh\necho $$ >'{}'\nsleep 300\n", pid.display());
    let appspec = format!("{FILES}hooks: {{ApplicationStart: [{{location: h.sh}}]}}\n");
    let files = [("appspec.yml", appspec.as_str()), ("site/index.html", "new"), ("h.sh*", &hook)];
    let running = tokio::select! {
        _ = world.deploy(&files) => panic!("the deployment cannot end by itself"),
        pid = content_of(&pid) => pid,
    };
    assert!(is_gone(running.trim()).await);
    assert_eq!(world.page().await, "old");
    assert_eq!(world.provider.deployments().list().pop().unwrap().status, DeploymentStatus::Stopped);
    let deployments = world.data.path().join("instances/web/Production/deployments");
    assert_eq!(std::fs::read_dir(deployments).unwrap().count(), 1, "only the served deployment is left");
}

#[tokio::test]
async fn groups_have_their_own_instance_and_port() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    let serve = async |servers: &InstanceServers, group: &str| {
        let provider = CodeDeployProvider::new(data.path(), bucket.clone(), Clock::system(), servers.clone());
        provider.serve("web", group).await
    };
    let failure = serve(&InstanceServers::new(Some(port..=port)), "Staging").await.unwrap_err();
    assert!(failure.message.contains("is free for the instance web/Staging"), "{}", failure.message);

    let servers = InstanceServers::new(Some(20_000..=60_000));
    let (staging, production) =
        (serve(&servers, "Staging").await.unwrap(), serve(&servers, "Production").await.unwrap());
    assert_ne!(staging, production);
    assert_eq!(serve(&servers, "Staging").await.unwrap(), staging, "the port stays the same");
    assert_eq!(servers.url("web", "Production"), Some(production));
    assert_eq!(servers.list().len(), 2);
}

#[tokio::test]
async fn only_the_last_deployments_are_kept() {
    let world = World::new();
    for page in ["1", "2", "3", "4", "5", "6", "7"] {
        world.deploy(&site(page)).await.unwrap();
    }
    let deployments = world.data.path().join("instances/web/Production/deployments");
    assert_eq!(std::fs::read_dir(deployments).unwrap().count(), 5);
    assert_eq!(world.page().await, "7");
}
