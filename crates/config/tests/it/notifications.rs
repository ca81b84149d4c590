//! Channels and notification routes.

use stagegate_config::{Channel, Config, NoticeKind, Notification, OncePer, WebhookUrl};

const CHANNELS: &str =
    "channels:\n  releases: {slack: C01}\n  oncall: {sns: 'arn:aws:sns:eu-west-1:111122223333:oncall'}\n";

/// Configurations that are refused, and what the error says. A comment in one stands for what only the reader sees.
pub(crate) fn refused_notification() -> Vec<(String, Vec<&'static str>)> {
    let route = |keys: &str| format!("{CHANNELS}notifications:\n  - {keys}\n");
    let webhook = |keys: &str| format!("channels:\n  ci:\n    webhook: {{{keys}}}\n");
    vec![
        (route("{pipeline: web, on: [faild], channel: oncall}"), vec!["did you mean \"failed\"", "stagegate.yaml:5"]),
        (route("{pipeline: web, on: [], channel: oncall}"), vec!["an empty list tells nothing"]),
        (route("{pipeline: web, on: [failed, failed], channel: oncall}"), vec!["\"failed\" stands here twice"]),
        (route("{pipeline: web, channel: oncall}"), vec!["on"]),
        (route("{pipeline: '', on: [failed], channel: oncall}"), vec!["an empty pattern"]),
        (route("{pipelin: web, on: [failed], channel: oncall}"), vec!["did you mean \"pipeline\""]),
        (route("{on: [failed], channel: oncall}"), vec!["notification 1 must have exactly one of `pipeline`"]),
        (route("{pipeline: web, project: web, on: [failed], channel: oncall}"), vec!["must have exactly one of"]),
        (route("{pipeline: web, on: [failed]}"), vec!["goes nowhere"]),
        (route("{pipeline: web, on: [failed], channel: oncall, channels: [releases]}"), vec!["keep one of them"]),
        (route("{pipeline: web, on: [failed], channels: []}"), vec!["a list without a channel"]),
        (route("{pipeline: web, on: [failed], channels: [oncall, oncall]}"), vec!["\"oncall\" stands here twice"]),
        (
            route("{pipeline: web, on: [failed], channel: on-call} # of the whole"),
            vec!["stagegate.yaml:5:35", "names a channel that is not there", "did you mean \"oncall\""],
        ),
        (
            route("{pipeline: web, on: [failed], channels: [oncall, release]} # of the whole"),
            vec!["stagegate.yaml:5:54", "did you mean \"releases\""],
        ),
        (
            route("{pipeline: web, on: [failed], channel: oncall, thread: true} # of the whole"),
            vec!["asks for threads", "only a `slack` channel"],
        ),
        (
            route("{pipeline: web, on: [failed], channel: oncall, mention_author: true} # of the whole"),
            vec!["asks for mentions"],
        ),
        (
            route("{pipeline: web, on: [stuck], channel: oncall} # of the whole"),
            vec!["does not say when; add `stuck_after`"],
        ),
        (
            route("{pipeline: web, on: [failed], channel: oncall, stuck_after: 30m} # of the whole"),
            vec!["add `stuck` to `on`", "stagegate.yaml:5:52"],
        ),
        (route("{pipeline: web, on: [stuck], channel: oncall, stuck_after: 30s}"), vec!["30s is too short"]),
        (
            route("{pipeline: web, on: [recovered], channel: oncall, first_failure_only: true} # of the whole"),
            vec!["add `failed` to `on`"],
        ),
        (
            route("{project: web, on: [failed, recovered], channel: oncall} # of the whole"),
            vec!["asks for `recovered`, of which only a pipeline tells", "started, failed, succeeded, stopped"],
        ),
        (
            route("{project: web, on: [failed], channel: oncall, once_per: stage} # of the whole"),
            vec!["`once_per`, which is for pipelines only"],
        ),
        (
            route("{application: web, stages: [a], on: [failed], channel: oncall} # of the whole"),
            vec!["only a pipeline has some"],
        ),
        (route("{pipeline: web, stages: [], on: [failed], channel: oncall}"), vec!["leave `stages` out"]),
        (route("{pipeline: web, on: [failed], channel: oncall, once_per: day}"), vec!["\"day\"", "revision"]),
        (route("{pipeline: web, on: [failed], channel: oncall, quiet_hours: {from: '09:00'}}"), vec!["zone"]),
        (
            route("{pipeline: web, on: [failed], channel: oncall, quiet_hours: {zone: UTC}} # of the whole"),
            vec!["this quiet time never ends"],
        ),
        (
            route(
                "{pipeline: web, on: [failed], channel: oncall, quiet_hours: {from: '09:00', to: '09:00', zone: UTC}} # before noon",
            ),
            vec!["this quiet time never begins"],
        ),
        (
            route("{pipeline: web, on: [failed], channel: oncall, quiet_hours: {from: '09:00', zone: UTC, exept: []}}"),
            vec!["did you mean \"except\""],
        ),
        ("templates: {faild: {slack: a}}".to_owned(), vec!["did you mean \"failed\""]),
        ("templates: {failed: {slak: a}}".to_owned(), vec!["did you mean \"slack\"", "stagegate.yaml:1"]),
        ("templates: {failed: {slack: ' '}}".to_owned(), vec!["an empty template tells nothing"]),
        ("templates: {failed: {slack: {fil: a}}}".to_owned(), vec!["did you mean \"file\""]),
        ("templates: {failed: {slack: {file: ../a}}}".to_owned(), vec!["\"../a\" is no path below stagegate.yaml"]),
        ("templates: {failed: {slack: {file: /a}}}".to_owned(), vec!["is no path below"]),
        ("templates: {failed: {slack: {}}}".to_owned(), vec!["file"]),
        ("channels: {a: {teams: 'https://a.logic.azure.com/x?sig=y'}}".to_owned(), vec!["is a secret"]),
        ("channels: {a: {webhook: /stagegate/webhooks/a}}".to_owned(), vec!["is written `slack_webhook:"]),
        ("channels: {a: {teams: /a, sns: 'arn:aws:sns:eu-west-1:111122223333:b'}}".to_owned(), vec!["exactly one of"]),
        (webhook("secret: /s"), vec!["stagegate.yaml:3:5", "exactly one of `url` and `url_parameter`"]),
        (webhook("url: 'https://example.com'"), vec!["secret"]),
        (webhook("url: 'https://example.com', url_parameter: /u, secret: /s"), vec!["exactly one of"]),
        (webhook("url: 'http://example.com/', secret: /s"), vec!["reached by https only"]),
        (webhook("url: 'http://127.0.0.1.example.com/', secret: /s"), vec!["https only"]),
        (webhook("url: 'https://a:b@example.com/', secret: /s"), vec!["without a user name"]),
        (webhook("url: 'https://example.com/#a', secret: /s"), vec!["no URL of a webhook"]),
        (webhook("url: 'ftp://example.com/', secret: /s"), vec!["no URL of a webhook"]),
        (webhook("url: 'https://', secret: /s"), vec!["no URL of a webhook"]),
        (webhook("url: 'https://exa mple.com', secret: /s"), vec!["no URL of a webhook"]),
        (webhook("url: 'https://example.com', secret: s"), vec!["not the name of an SSM parameter"]),
        (webhook("url: 'https://example.com', sekret: /s"), vec!["did you mean \"secret\""]),
        (
            webhook("url: 'http://127.0.0.1:8080/', secret: /s") + "# of the whole",
            vec!["stagegate.yaml:3:15", "leads to this machine", "allow_networks"],
        ),
    ]
}

fn read(routes: &str) -> Vec<Notification> {
    let text = format!("{CHANNELS}notifications:\n{routes}");
    let config = Config::parse("stagegate.yaml", &text).unwrap_or_else(|error| panic!("{error}"));
    config.notifications().to_vec()
}

#[test]
fn a_route_says_what_it_wants() {
    let routes = read(
        "  - {pipeline: 'web-*', stages: [Prod*], on: [failed, succeeded], channels: [releases, oncall], once_per: revision}\n  \
         - {project: nightly, on: [failed], channel: oncall}\n",
    );
    let (web, nightly) = (&routes[0], &routes[1]);
    assert!(web.is_of_pipeline("web-eu") && !web.is_of_pipeline("api") && !web.is_of_project("web-eu"));
    assert!(nightly.is_of_project("nightly") && !nightly.is_of_pipeline("nightly"));
    assert!(!nightly.is_of_application("nightly"));
    for (kind, stage, expected) in [
        (NoticeKind::Failed, Some("Production"), true),
        (NoticeKind::Failed, Some("Test"), false),
        // A failure of the whole execution belongs to no stage.
        (NoticeKind::Failed, None, true),
        (NoticeKind::Succeeded, None, true),
        (NoticeKind::Started, None, false),
    ] {
        assert_eq!(web.wants(kind, stage), expected, "{kind:?} {stage:?}");
    }
    assert_eq!((web.channels.len(), web.once_per, web.thread), (2, Some(OncePer::Revision), true));
}

#[test]
fn a_webhook_has_its_url_in_the_file_or_in_a_parameter() {
    let text = "channels: {a: {webhook: {url: 'https://example.com/a', secret: /s}}, b: {webhook: {url_parameter: /u, secret: /s}}}";
    let config = Config::parse("stagegate.yaml", text).unwrap();
    let url = |name| match config.channel(name) {
        Ok(Channel::Webhook(webhook)) => webhook.url.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(url("a"), WebhookUrl::Public("https://example.com/a".to_owned()));
    assert_eq!(url("b"), WebhookUrl::Parameter("/u".to_owned()));
}

#[test]
fn kinds_have_the_names_by_which_they_are_read() {
    for kind in NoticeKind::ALL {
        let name = serde_json::to_value(kind).unwrap();
        assert_eq!(name, kind.name());
        assert_eq!(serde_json::from_value::<NoticeKind>(name).unwrap(), kind);
    }
}
