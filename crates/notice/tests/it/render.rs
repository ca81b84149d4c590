//! What people see.

use stagegate_notice::{Kind, Picture, ReasonSource, Revision, Thread, json, slack_head, slack_notice, subject, text};

use crate::world::{EXECUTION, End, PIPELINE, Story, thread};

fn failed() -> Thread {
    let story =
        Story { stages: vec![1, 2, 1], failures: vec![], end: End::FailsInTheLastStage, pace: 1, failed_before: 0 };
    let world = story.tell();
    thread(&world.events, Some(&world.answers))
}

#[test]
fn the_head_is_a_picture_of_the_pipeline() {
    let mut thread = failed();
    thread.picture.about.stages.push("S3".to_owned());
    let shown = slack_head(&thread.picture, PIPELINE, EXECUTION).to_json();
    assert_eq!(shown["blocks"][0]["text"]["text"], "✖ web: failed");
    assert_eq!(shown["blocks"][1]["text"]["text"], "✔ *S0*\n✔ *S1*\n✖ *S2* failed  ✖ A0\n· *S3*");
    let small = shown["blocks"][2]["elements"].to_string();
    assert!(small.contains("0123456789ab Say hello") && small.contains("/pipelines/web/executions/"), "{small}");
}

#[test]
fn a_failure_tells_its_reason_everywhere() {
    let thread = failed();
    let (notices, head) = (thread.picture.notices(), thread.head());
    let notice = notices.iter().find(|notice| notice.kind == Kind::Failed).unwrap();
    let shown = slack_notice(&thread.picture, notice, &head, true).to_json().to_string();
    assert!(shown.contains("failed: 3 tests (JobFailed)"), "{shown}");
    let plain = text(&thread.picture, notice, &head);
    assert!(
        plain.starts_with("web: A0 has failed in S2\n\nReason: action-004 failed: 3 tests (JobFailed)\n"),
        "{plain}"
    );
    assert!(plain.contains("✖ S2 failed\n"), "{plain}");
    assert_eq!(subject(notice, &head), "web: A0 has failed in S2");
    let data = json(&thread.picture, notice, &head);
    assert_eq!((&data["kind"], &data["status"], &data["stage"]), (&"failed".into(), &"failed".into(), &"S2".into()));
    assert_eq!(data["stages"][2]["mark"], "failed");
}

/// What comes from commits, events and reports can neither mention nor link nor turn the direction of writing, and has an
/// end.
#[test]
fn hostile_texts_render_harmless() {
    for hostile in [
        "<!channel> <@U0123456789> @here <https://evil.example|click>",
        "*bold* `code` https://evil.example \u{202e}txt.exe\u{2066}",
        "a\r\nSubject: b\n\n\u{1b}[31mred",
        &"long <!channel> ".repeat(7000),
    ] {
        let mut thread = failed();
        let mut other = Picture::default();
        other.about.revision =
            Some(Revision { id: hostile.into(), summary: Some(hostile.into()), url: Some(hostile.into()) });
        other.about.author = Some(hostile.to_owned());
        other.about.trigger = Some(hostile.to_owned());
        other.about.region = Some("x.evil.example/?".to_owned());
        thread.picture.join(&other);
        thread.picture.about.stages.push(hostile.to_owned());
        for action in thread.picture.actions.values_mut() {
            action.name = Some(hostile.to_owned());
            if let Some(reason) = &mut action.reason {
                reason.text = hostile.to_owned();
                reason.source = ReasonSource::CodeBuild;
            }
        }
        let head = thread.head();
        let mut shown = vec![slack_head(&thread.picture, PIPELINE, EXECUTION).to_json()];
        for notice in thread.picture.notices() {
            shown.push(slack_notice(&thread.picture, &notice, &head, false).to_json());
            let (subject, plain) = (subject(&notice, &head), text(&thread.picture, &notice, &head));
            assert!(subject.len() <= 100 && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{subject}");
            assert!(!plain.contains(['\u{202e}', '\u{1b}', '\r']) && plain.len() < 12_000, "{}", plain.len());
        }
        for message in shown {
            let markup = message.to_string();
            for acts in ["<!channel", "<@U", "@here", "<https://evil", "https://evil", "\u{202e}", "\u{1b}"] {
                assert!(!markup.contains(acts), "{acts}: {markup}");
            }
            assert!(message["blocks"].as_array().unwrap().len() <= 50 && markup.len() < 40_000, "{}", markup.len());
        }
    }
}
