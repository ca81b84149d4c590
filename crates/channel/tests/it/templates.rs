//! Words of one's own.

use std::path::Path;

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;
use stagegate_channel::{Say, Templates, samples};
use stagegate_config::{Config, NoticeKind, TemplateForm};
use stagegate_notice::Bulletin;

use crate::bulletins::{check_no_date, check_slack, check_text, hostile};
use crate::world::bulletin;

fn config(templates: &str) -> Config {
    Config::parse("stagegate.yaml", &format!("templates:\n{templates}")).unwrap_or_else(|error| panic!("{error}"))
}

fn load(templates: &str) -> Templates {
    let loaded = Templates::load(&config(templates), Path::new("."));
    loaded.unwrap_or_else(|errors| panic!("{}", errors[0]))
}

/// The errors of loading and checking.
fn errors(templates: &str, folder: &Path) -> Vec<String> {
    Templates::faults(&config(templates), folder).iter().map(ToString::to_string).collect()
}

/// The same words in each form, for each kind.
fn everywhere(words: &str, json: &str) -> String {
    let kinds = NoticeKind::ALL.map(NoticeKind::name);
    let forms = |kind: &str| {
        format!("  {kind}:\n    slack: {words:?}\n    sns: {words:?}\n    teams: {words:?}\n    webhook: {json:?}\n")
    };
    kinds.into_iter().chain(["status"]).map(forms).collect()
}

#[test]
fn a_template_takes_the_place_of_the_words() {
    let templates = load(&everywhere("{{ name }} {{ title }}: {{ link(url, 'more') }}", "{\"text\": {{ title }}}"));
    assert!(templates.check().is_empty());
    let bulletin = bulletin();
    let said = templates.say(&bulletin);
    let slack = said.slack(true).unwrap().to_json();
    let url = "https://eu-west-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/web";
    assert_eq!(slack["blocks"][0]["text"]["text"], format!("web Gate has failed in Test: <{url}|more>"));
    assert_eq!(slack["blocks"].as_array().unwrap().len(), 1);
    let mail = said.mail().unwrap();
    assert_eq!(
        (mail.subject(), mail.text()),
        ("web: Gate has failed in Test", &*format!("web Gate has failed in Test: more ({url})"))
    );
    let card = said.card().unwrap().to_json();
    let body = &card["attachments"][0]["content"]["body"];
    assert_eq!(body[1]["text"], format!("web Gate has failed in Test: [more]({url})"));
    assert_eq!(said.webhook_data(), serde_json::json!({"text": "Gate has failed in Test"}));
    // Programs that subscribe to a topic get what they always get.
    assert_eq!(said.data(), bulletin.data());
}

#[test]
fn what_has_no_template_keeps_its_words() {
    let templates = load("  failed: {slack: 'x'}");
    let other = Bulletin { kind: Some(NoticeKind::Succeeded), ..bulletin() };
    assert_eq!(templates.say(&other).slack(true).unwrap(), other.slack(true).unwrap());
    let bulletin = bulletin();
    assert_eq!(templates.say(&bulletin).mail().unwrap(), bulletin.mail().unwrap());
    assert!(templates.has(&bulletin, TemplateForm::Slack) && !templates.has(&bulletin, TemplateForm::Mail));
}

/// What is wrong with a template is found before anything has to be told.
#[test]
fn a_template_that_cannot_say_everything_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("templates")).unwrap();
    std::fs::write(folder.path().join("templates/bad.j2"), "a\nb {{ titel }}\n{{ ").unwrap();
    std::fs::write(folder.path().join("templates/huge.j2"), "x".repeat(70_000)).unwrap();
    for (templates, expected) in [
        ("  failed: {slack: '{{ titel }}'}", "no variable \"titel\" (did you mean \"title\"?)"),
        ("  failed: {slack: '{{ title'}", "the template of `failed` for `slack`, line 1: syntax error"),
        ("  failed: {slack: '{{ revision.id }}'}", "it fails for \"web\""),
        ("  failed: {slack: '{{ pipeline }}'}", "it fails for \"build nightly\""),
        ("  status: {slack: '{{ pipeline }}'}", "it fails for \"build nightly\""),
        ("  failed: {slack: '{{ title | shout }}'}", "unknown filter"),
        ("  failed: {slack: '{{ title | safe }}'}", "unknown filter"),
        ("  failed: {slack: '{{ shout(title) }}'}", "no variable \"shout\""),
        ("  failed: {slack: '{% if stage %}x{% endif %}'}", "it says nothing for"),
        ("  failed: {webhook: '[1]'}", "it is not an object"),
        ("  failed: {webhook: '{\"a\": \"{{ title }}\"}'}", "values bring their own quotes"),
        ("  failed: {sns: '{% include \"/etc/passwd\" %}'}", "unknown statement"),
        ("  failed: {sns: {file: templates/none.j2}}", "(templates/none.j2): it cannot be read"),
        ("  failed: {sns: {file: templates/bad.j2}}", "(templates/bad.j2), line 3: syntax error"),
        ("  failed: {sns: {file: templates/huge.j2}}", "at most 65536 are read"),
        (
            "  failed: {sns: '{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}'}",
            "out of fuel",
        ),
        ("  failed: {sns: '{{ \"x\" * 999999999 }}'}", "it fails for"),
    ] {
        let errors = errors(templates, folder.path());
        assert!(errors.len() == 1 && errors[0].contains(expected), "{templates}: {errors:?}");
    }
}

/// Nothing that a template says lets foreign text through.
#[test]
fn no_template_takes_the_escaping_away() {
    let bulletin = hostile("<!channel> https://evil.example");
    for words in [
        "{{ title }}",
        "{% autoescape false %}{{ title }}{% endautoescape %}",
        "{{ '<b>' ~ title }}",
        "{% set x %}{{ title }}{% endset %}{{ x }}",
        "{{ title | upper | lower }}",
        "{{ [title] | join }}",
        "{{ link(title, title) }}",
        "{{ link('https://a.example', title) }}",
        "{{ link(url, title) ~ title }}",
        "{{ lines }}",
        "{{ '%s' | format(title) }}",
        "{% filter upper %}{{ title }}{% endfilter %}",
    ] {
        let templates = load(&format!("  failed: {{slack: {words:?}}}"));
        let message = templates.say(&bulletin).slack(true).unwrap().to_json();
        let text = message["blocks"][0]["text"]["text"].as_str().unwrap();
        assert!(
            !text.to_lowercase().contains("<!channel") && !text.to_lowercase().contains("://evil"),
            "{words}: {text}"
        );
    }
}

/// A template that fails only for what really happened does not lose the message.
#[test]
fn where_a_template_fails_the_words_of_stagegate_are_sent() {
    let templates = load("  failed: {slack: '{{ lines[0].text }}', webhook: '{\"a\": {{ lines[0].text }}}'}");
    let bulletin = Bulletin { lines: Vec::new(), ..bulletin() };
    let said = templates.say(&bulletin);
    assert_eq!(said.slack(true).unwrap(), bulletin.slack(true).unwrap());
    assert_eq!(said.webhook_data(), bulletin.data());
}

#[test]
fn there_is_a_sample_of_everything() {
    let samples = samples();
    for kind in std::iter::once(None).chain(NoticeKind::ALL.map(Some)) {
        assert!(samples.iter().any(|sample| sample.kind == kind), "{kind:?}");
    }
}

const WORDS: &str = "a {{ title }} b\n{% for line in lines %}{{ line.text }}\n{% endfor %}{{ link(url, title) }}";

fn check_harmless(templates: &Templates, bulletin: &Bulletin) {
    let said = templates.say(bulletin);
    check_slack(&said.slack(true).unwrap().to_json());
    check_text(said.mail().unwrap().text(), "mail");
    let card = said.card().unwrap().to_json();
    assert!(card.to_string().len() < 28 * 1024);
    for block in card["attachments"][0]["content"]["body"].as_array().unwrap() {
        if block["type"] == "TextBlock" {
            let text = block["text"].as_str().unwrap();
            check_text(text, "teams");
            check_no_date(text);
            check_markdown(text);
        }
    }
    let json = said.webhook_data();
    let title: String = bulletin.title.chars().take(2000).collect();
    assert_eq!(json, serde_json::json!({"title": title}));
}

/// What readers of Markdown know beside CommonMark.
const EXTENSIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_DEFINITION_LIST);

/// An independent reader of Markdown sees nothing but text.
fn check_markdown(text: &str) {
    for event in Parser::new_ext(text, EXTENSIONS) {
        let is_text = matches!(
            event,
            Event::Start(Tag::Paragraph) | Event::End(_) | Event::Text(_) | Event::SoftBreak | Event::HardBreak
        );
        assert!(is_text, "{event:?} in {text:?}");
    }
}

#[test]
fn hostile_values_in_templates_are_text() {
    let templates = load(&everywhere(WORDS, "{\"title\": {{ title }}}"));
    for text in [
        "<!channel> <@U0123456789> @here <https://evil.example|click>",
        "*bold* **b** _i_ __b__ `code` ```block``` ~s~ ~~s~~ [click](https://evil.example) ![x](https://evil.example)",
        "[a]: https://evil.example\n\n[a]",
        "# h\n- i\n+ i\n1. i\n> q\n---\n===\n| a | b |\n|---|---|\n: d",
        "<at>everyone</at> <b>x</b> &lt;!channel&gt; &amp; &copy;",
        "\\[a](b) \\",
        "\u{202e}txt.exe\u{2066} \u{1b}[31mred",
        "$x$ ^a^ {{DATE(2017-02-14T06:08:00Z)}} {{{DATE(2017-02-14T06:08:00Z)}} {{ title }} {% raw %}",
        "www.evil.example mailto:a@evil.example <a@evil.example>",
        "    indented\n\tcode",
        "",
    ] {
        check_harmless(&templates, &hostile(text));
    }
    check_harmless(&templates, &hostile(&"long <!channel> ".repeat(7000)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_a_value_holds_it_is_text(pieces in prop::collection::vec(prop_oneof![
        prop::sample::select(vec![
            "<!channel>", "<@U01>", "@here", "://evil", "https", "<", ">", "|", "&", ":", "/", "@", "!", "\n", "\r", "`",
            "*", "**", "_", "__", "~", "[a](", "]", ")", "\\", "- ", "# ", "1. ", "    ", "\t", "\u{202e}", "$", "^", "{", "}", "=",
        ]).prop_map(str::to_owned),
        "[a-z ]{0,6}",
    ], 0..24)) {
        let templates = load(&everywhere(WORDS, "{\"title\": {{ title }}}"));
        check_harmless(&templates, &hostile(&pieces.concat()));
    }
}

/// A value of the JSON form is the value itself.
#[test]
fn json_values_are_whole() {
    let templates = load("  failed: {webhook: '{\"all\": {{ lines }}, \"none\": {{ stage }}, \"n\": {{ version }}}'}");
    let bulletin = Bulletin { stage: None, ..bulletin() };
    let json = templates.say(&bulletin).webhook_data();
    assert_eq!((&json["all"], &json["none"], &json["n"]), (&bulletin.data()["lines"], &Value::Null, &1.into()));
}
