//! `stagegate audit` over what the functions have written.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stagegate_local_aws::LOCAL_ACCESS_KEY;

use super::world::{ADA, ANYBODY, BEN, RELEASES, World};
use crate::{run, stagegate};

const GATE: &str = "web-release: {alarms: {names: [web-5xx]}, sampling: {every: 30s, give_up_after: 30d}, overriders: {users: [U0002]}}";

/// An approval by Ada, and one that Ben has overridden.
async fn decided() -> World {
    let terms = format!("{ANYBODY}\nautomatic: web-release");
    let world = World::with_gates(&terms, GATE, |options| options).await;
    world.alarm("ALARM");
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    world.vote(ADA, &request, "approve", "Looks\ngood").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.message(RELEASES, "Approved: web to Production").await;
    let id = world.start_again().await;
    let request = world.request().await;
    world.click(BEN, &request, "override").await;
    let why = [("comment", "comment", "The outage.")];
    assert!(world.slack.submit(BEN, &why).await.unwrap().is_acknowledged());
    assert_eq!(world.status_in_time(&id).await, "Succeeded");
    world.check_over().await;
    world
}

fn audit(world: &World, more: &[&str]) -> (i32, String) {
    run(stagegate().arg("audit").arg("--state").arg(world.aws.data()).args(more))
}

fn json_of(world: &World, more: &[&str]) -> Value {
    let (_, text) = audit(world, &[&["--json"], more].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The one file of the state below a folder, whose path contains a text.
fn file(world: &World, part: &str) -> PathBuf {
    fn find(folder: &Path, part: &str, found: &mut Vec<PathBuf>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match path.is_dir() {
                _ if name.starts_with('.') => {}
                true => find(&path, part, found),
                false if path.to_string_lossy().contains(part) => found.push(path),
                false => {}
            }
        }
    }
    let mut found = Vec::new();
    find(&world.aws.data().join("s3"), part, &mut found);
    found.sort();
    found.into_iter().next().unwrap_or_else(|| panic!("no file with {part}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_listed_and_shown() {
    let world = decided().await;
    let (code, text) = audit(&world, &[]);
    assert_eq!(code, 0, "{text}");
    for part in [
        "approved    web Production, Approve  by Ada Adler (U0001)",
        "approved    web Production, Approve  by the gate web-release",
        "through web-release  by Ben Boyd (U0002): The outage.",
        "3 of 3 records; nothing is missing or was changed",
    ] {
        assert!(text.contains(part), "lacks {part:?}: {text}");
    }
    for (more, count) in [
        (vec!["--by", "ada"], 1),
        (vec!["--by", "U0002"], 1),
        (vec!["--by", "nobody"], 0),
        (vec!["--pipeline", "w*"], 3),
        (vec!["--pipeline", "api"], 0),
        (vec!["--from", "2000-01-01", "--to", "2000-01-02"], 0),
        (vec!["--from", "2000-01-01"], 3),
    ] {
        let listed = json_of(&world, &more);
        assert_eq!(
            (listed["records"].as_array().unwrap().len(), &listed["complete"]),
            (count, &json!(true)),
            "{more:?}"
        );
    }
    let by_ada = json_of(&world, &["--by", "ada"]);
    let id = by_ada["records"][0]["record"]["id"].as_str().unwrap();
    let (code, text) = audit(&world, &[&id[..8]]);
    assert_eq!(code, 0, "{text}");
    for part in [id, "Approved by Ada Adler (U0001)", ": Looks good", "Open the harbour", "/archives/C0001/p"] {
        assert!(text.contains(part), "lacks {part:?}: {text}");
    }
    let token = world.documents("approvals")[0]["document"]["token"].as_str().unwrap().to_owned();
    assert!(!text.contains(&token) && !json_of(&world, &[]).to_string().contains(&token));
    for (more, part) in [
        (["zz", "--json"], "none has an id"),
        (["--from=2026-02-01", "--to=2026-01-01"], "is after"),
        (["--from=now", "--json"], "now"),
    ] {
        let (code, text) = audit(&world, &more);
        assert_eq!(code, 64, "{text}");
        assert!(text.contains(part), "{text}");
    }
    // The same from the bucket.
    let mut command = stagegate();
    command.args(["audit", "--state-bucket", world.aws.bucket("State").unwrap(), "--json"]);
    command.env("AWS_ENDPOINT_URL", world.aws.endpoint_url()).env("AWS_REGION", world.aws.region());
    command.env("AWS_ACCESS_KEY_ID", LOCAL_ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", LOCAL_ACCESS_KEY);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    let (code, text) = run(&mut command);
    assert_eq!(code, 0, "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json_of(&world, &[]));
}

/// Whatever is taken away or changed is noticed. Each change is made to the state as it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_changed_is_found() {
    let world = decided().await;
    let approval = file(&world, "/audit/").parent().unwrap().to_owned();
    let of_ada = json_of(&world, &["--by", "ada"])["records"][0]["key"].as_str().unwrap().to_owned();
    let of_ada = approval.parent().unwrap().parent().unwrap().join(of_ada);
    let replaced = |from: &'static str, to: &'static str| {
        move |text: String| {
            assert!(text.contains(from), "{from}: {text}");
            Some(text.replace(from, to))
        }
    };
    type Change = Box<dyn Fn(String) -> Option<String>>;
    let cases: Vec<(PathBuf, Change, &str)> = vec![
        (of_ada.clone(), Box::new(|_| None), "it was decided and audited, and there is no record of it"),
        (
            file(&world, "/audit/2").with_file_name(override_record(&world)),
            Box::new(|_| None),
            "no record of who gave it",
        ),
        (of_ada.clone(), Box::new(|text| Some(text[..text.len() / 2].to_owned())), "it ends too early"),
        (of_ada.clone(), Box::new(|_| Some("{}".to_owned())), "a member is missing"),
        (
            of_ada.clone(),
            Box::new(replaced("\"ruling\":\"approved\",\"comment\"", "\"ruling\":\"rejected\",\"comment\"")),
            "holds 0 of the 1 that were needed",
        ),
        (
            of_ada.clone(),
            Box::new(replaced("\"kind\":\"audit\"", "\"kind\":\"approval\"")),
            "neither the record of an approval nor",
        ),
        (
            of_ada.clone(),
            Box::new(replaced("\"document\":", "\"earlier\":[\"0\"],\"document\":")),
            "it was written over",
        ),
        (
            file(&world, "/verdicts/"),
            Box::new(replaced("has overridden the gate", "did not override")),
            "is not the one that people were shown",
        ),
        (file(&world, "/approvals/"), Box::new(|_| Some("no json".to_owned())), "it is not valid JSON"),
    ];
    for (path, change, expected) in cases {
        let before = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        match change(String::from_utf8(before.clone()).unwrap()) {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let (code, text) = audit(&world, &[]);
        assert_eq!(code, 1, "{}: {text}", path.display());
        assert!(text.contains(expected), "{}: lacks {expected:?}: {text}", path.display());
        std::fs::write(&path, before).unwrap();
        assert_eq!(audit(&world, &[]).0, 0, "it is whole again");
    }
    // Moved to another day.
    let moved = approval.parent().unwrap().join("2001-01-01");
    std::fs::create_dir_all(&moved).unwrap();
    std::fs::rename(&of_ada, moved.join(of_ada.file_name().unwrap())).unwrap();
    let (code, text) = audit(&world, &[]);
    assert!(code == 1 && text.contains("it was moved, or its content was changed"), "{text}");
    let (code, text) = run(stagegate().args(["audit", "--state"]).arg(moved));
    assert!(code == 69 && text.contains("has no folder audit"), "{text}");
}

/// The name of the file that records the override.
fn override_record(world: &World) -> String {
    let records = json_of(world, &[]);
    let records = records["records"].as_array().unwrap().iter();
    let key = records.filter(|record| record["kind"] == "override").find_map(|record| record["key"].as_str());
    key.unwrap().rsplit('/').next().unwrap().to_owned()
}
