//! What people and programs see: every recorded event in every channel, and what comes from outside.

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;
use stagegate_channel::Say;
use stagegate_notice::{Bulletin, Digest, Item, Kind, Line, Picture};
use stagegate_pipeline_event::{Change, Event};

use crate::world::bulletin;

/// The bulletins that follow from one event alone.
fn of_event(file: &Path) -> Vec<Bulletin> {
    let event: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let event = Event::read(&event).unwrap();
    let (name, execution) = match &event.change {
        Change::Build(build) => (build.project.clone(), build.build_id()),
        Change::Deployment(deployment) => (deployment.name(), deployment.deployment.as_deref()),
        _ => event.execution().map(|(name, execution)| (name.to_owned(), execution)).unzip(),
    };
    let (Some(name), Some(execution)) = (name, execution) else { return Vec::new() };
    let picture = Picture::of(&event, "2026-01-05T09:00:00Z".parse().unwrap());
    let head = picture.head(&name, execution);
    let notices = picture.notices();
    let notices = notices.iter().map(|notice| Bulletin::notice(&picture, notice, &head, false));
    std::iter::once(Bulletin::head(&picture, &head)).chain(notices).collect()
}

/// A message in the words of every channel.
fn rendered(say: &dyn Say) -> String {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let mail = say.mail().unwrap();
    format!(
        "slack: {}\nsns: {}\n\n{}\n\nteams: {}\nwebhook: {}\n",
        pretty(&say.slack(true).unwrap().to_json()),
        mail.subject(),
        mail.text(),
        pretty(&say.card().unwrap().to_json()),
        pretty(&say.data()),
    )
}

#[test]
fn every_event_is_shown_in_every_channel() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/eventbridge");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "json"));
    files.sort();
    let mut shown = 0;
    for file in &files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let texts: Vec<_> =
            of_event(file).iter().map(|bulletin| format!("--- {}\n{}", bulletin.key, rendered(bulletin))).collect();
        if !texts.is_empty() {
            insta::assert_snapshot!(name, texts.join("\n"));
            shown += 1;
        }
    }
    assert!(shown >= 20, "{shown} of {}", files.len());
}

#[test]
fn a_notice_with_everything_and_a_digest_are_shown_in_every_channel() {
    insta::assert_snapshot!("a-notice", rendered(&bulletin()));
    let reply = Bulletin { is_reply: true, ..bulletin() };
    insta::assert_snapshot!("a-reply", serde_json::to_string_pretty(&reply.slack(true).unwrap().to_json()).unwrap());
    let other = Bulletin { url: None, key: "other".to_owned(), ..bulletin() };
    insta::assert_snapshot!("a-digest", rendered(&digest(&[bulletin(), other])));
}

/// However long a change and the URL of its page are, Slack shows the change, and the link where it fits.
#[test]
fn a_long_change_is_shown_in_slack() {
    for (words, path, is_linked) in
        [(10, 10, true), (600, 10, true), (300, 300, true), (600, 550, true), (20, 700, false)]
    {
        let mut bulletin = Bulletin { mention: None, ..bulletin() };
        let change = &mut bulletin.about[0];
        change.text = "word & ".repeat(words / 7 + 1);
        change.url = Some(format!("https://example.com/{}", "x".repeat(path)));
        // The same in a section of a notice.
        bulletin.lines = vec![bulletin.about[0].clone()];
        for is_head in [true, false] {
            let shown = Bulletin { kind: bulletin.kind.filter(|_| !is_head), ..bulletin.clone() };
            let message = shown.slack(true).unwrap().to_json();
            check_slack(&message);
            let blocks = message["blocks"].as_array().unwrap();
            let context = blocks.last().unwrap()["elements"][0]["text"].as_str().unwrap();
            assert!(context.starts_with("*Change* ") && context.contains("word &amp; w"), "{words} {path}: {context}");
            assert_eq!(context.contains("<https://example.com/"), is_linked, "{words} {path}: {context}");
            let section = blocks[1]["text"]["text"].as_str().unwrap();
            assert!(is_head || section.contains("xx|word &amp; word"), "{words} {path}: {section}");
        }
    }
}

/// Bulletins that were kept.
fn digest(bulletins: &[Bulletin]) -> Digest {
    let mut digest = Digest::new("releases");
    for bulletin in bulletins {
        let item = Item {
            at: "2026-01-05T23:00:00Z".parse().unwrap(),
            kind: bulletin.kind.unwrap_or(Kind::Started),
            name: bulletin.subject.title(&bulletin.name),
            execution: bulletin.execution.clone(),
            title: bulletin.title.clone(),
            url: bulletin.url.clone(),
            origin: None,
        };
        digest.add(&bulletin.key, item);
    }
    digest
}

/// A bulletin in which everything that can come from outside is this text. Where a URL is expected it is none of a page,
/// since a link may lead to every page.
pub(crate) fn hostile(text: &str) -> Bulletin {
    let mut bulletin = bulletin();
    let is_page = text.trim_start_matches(|c: char| c <= ' ').to_lowercase().starts_with("https");
    let url = if is_page { format!("x{text}") } else { text.to_owned() };
    let put = |place: &mut String| *place = text.to_owned();
    put(&mut bulletin.name);
    put(&mut bulletin.execution);
    put(&mut bulletin.title);
    for line in bulletin.lines.iter_mut().chain(&mut bulletin.about) {
        put(&mut line.text);
        line.url = line.url.as_ref().map(|_| url.clone());
    }
    for stage in &mut bulletin.stages {
        put(&mut stage.name);
        stage.actions.iter_mut().for_each(|(name, _)| put(name));
    }
    for place in [&mut bulletin.stage, &mut bulletin.author, &mut bulletin.trigger, &mut bulletin.region] {
        *place = Some(text.to_owned());
    }
    bulletin.mention = Some(text.to_owned());
    bulletin.url = Some(url.clone());
    if let Some(revision) = &mut bulletin.revision {
        put(&mut revision.id);
        revision.summary = Some(text.to_owned());
        revision.url = Some(url);
    }
    bulletin
}

/// What would act, reorder or control, if it got through.
const ACTS: [&str; 6] = ["@here", "@channel", "://evil", "\u{202e}", "\u{1b}", "\u{2066}"];
/// What would act in Slack.
const ACTS_IN_SLACK: [&str; 3] = ["<!", "<@", "<#"];

fn check_harmless(bulletin: &Bulletin) {
    // Of long texts a few are enough.
    let count = if bulletin.title.len() > 10_000 { 3 } else { 120 };
    let many = (0..count).map(|number| Bulletin { key: format!("{number}"), ..bulletin.clone() });
    let digest = digest(&many.collect::<Vec<_>>());
    for say in [bulletin as &dyn Say, &digest] {
        for message in [say.slack(true).unwrap(), say.slack(false).unwrap()] {
            check_slack(&message.to_json());
        }
        let mail = say.mail().unwrap();
        let (subject, text) = (mail.subject(), mail.text());
        assert!((1..=100).contains(&subject.len()) && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        check_text(text, "mail");
        assert!(!text.contains('\r') && text.len() < 100_000, "{}", text.len());
        check_card(&say.card().unwrap().to_json());
        let data = say.data().to_string();
        assert!(data.len() < 4_000_000 && serde_json::from_str::<Value>(&data).unwrap() == say.data());
    }
    assert!(bulletin.data().to_string().len() < 200_000, "it fits into a message of SNS");
}

pub(crate) fn check_text(text: &str, what: &str) {
    let in_slack = ACTS_IN_SLACK.iter().filter(|_| what == "slack");
    for acts in ACTS.iter().chain(in_slack) {
        assert!(!text.contains(*acts), "{what} has {acts:?}: {text:?}");
    }
}

pub(crate) fn check_slack(message: &Value) {
    let blocks = message["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50 && message.to_string().len() < 60_000);
    let mut texts = vec![&message["text"]];
    for block in blocks {
        texts.push(&block["text"]["text"]);
        texts.extend(block["elements"].as_array().into_iter().flatten().map(|element| &element["text"]));
    }
    for text in texts.into_iter().filter_map(Value::as_str) {
        check_text(text, "slack");
        assert!(text.chars().count() <= 4000);
    }
}

/// A card shows foreign text in runs only, which know no markup.
fn check_card(message: &Value) {
    assert!(message.to_string().len() < 28 * 1024, "{}", message.to_string().len());
    let card = &message["attachments"][0]["content"];
    for block in card["body"].as_array().unwrap() {
        assert_eq!(block["type"], "RichTextBlock");
        for run in block["inlines"].as_array().unwrap() {
            assert_eq!(run["type"], "TextRun");
            check_text(run["text"].as_str().unwrap(), "teams");
            check_no_date(run["text"].as_str().unwrap());
            check_url(&run["selectAction"]["url"]);
        }
    }
    card["actions"].as_array().unwrap().iter().for_each(|action| check_url(&action["url"]));
}

/// Between double braces a card writes dates.
pub(crate) fn check_no_date(text: &str) {
    assert!(!text.contains("{{"), "{text:?}");
}

fn check_url(url: &Value) {
    assert!(url.as_str().is_none_or(|url| url.starts_with("https://")), "{url}");
}

/// A line of a text from outside is not taken for a line of the message.
#[test]
fn several_lines_stand_in_a_block_of_their_own() {
    for (text, expected) in [
        ("one line", "*Reason* one line"),
        ("one line\n", "*Reason* one line\n"),
        ("it failed\n*Gate* web: passed", "*Reason* \n```it failed\n*Gate* web: passed```"),
        ("it failed\r\n*Gate* web: passed", "*Reason* \n```it failed\n*Gate* web: passed```"),
        ("a\n```\n*Gate* web: passed", "*Reason* \n```a\n'''\n*Gate* web: passed```"),
    ] {
        let mut bulletin = bulletin();
        bulletin.lines = vec![Line { label: "Reason".into(), text: text.to_owned(), url: None }];
        let message = bulletin.slack(true).unwrap().to_json().to_string();
        let expected = serde_json::to_string(expected).unwrap();
        assert!(message.contains(&expected), "{text:?}: {message}");
    }
}

#[test]
fn hostile_texts_render_harmless() {
    for text in [
        "<!channel> <@U0123456789> @here <https://evil.example|click> <#C0123456789>",
        "*bold* `code` ```block``` https://evil.example [click](https://evil.example) ![x](https://evil.example/x.png)",
        "\u{202e}txt.exe\u{2066} \u{1b}[31mred",
        "a\r\nSubject: b\n\n# c\n- d\n> e",
        "<at>everyone</at> &lt;!channel&gt;",
        "javascript:alert(1)",
        "{{{DATE(2017-02-14T06:08:00Z)}}} {{TIME(2017-02-14T06:08:00Z)}}",
        "",
        " ",
    ] {
        check_harmless(&hostile(text));
    }
    for long in ["x", "long <!channel> ", "\u{1f469}\u{200d}\u{1f680} @here ", "&", "\u{202e}"] {
        check_harmless(&hostile(&long.repeat(100_000 / long.len())));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_comes_from_outside_is_text(pieces in prop::collection::vec(prop_oneof![
        prop::sample::select(vec![
            "<!channel>", "<@U01>", "@here", "@channel", "://evil", "https", "<", ">", "|", "&", ":", "/", "@", "!", "\n",
            "\r", "\u{202e}", "\u{1b}", "`", "*", "_", "[a](", ")", "\\", "\u{200b}", "\u{feff}", " ",
        ]).prop_map(str::to_owned),
        ".{0,12}",
    ], 0..24)) {
        check_harmless(&hostile(&pieces.concat()));
    }
}
