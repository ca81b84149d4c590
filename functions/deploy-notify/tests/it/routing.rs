//! Who wants to hear what.

use deploy_notify::routes;
use jiff::{SignedDuration, Timestamp};
use stagegate_config::Config;
use stagegate_notice::{Kind, Notice, Picture, Revision, Subject};

fn notice(kind: Kind, stage: Option<&str>) -> Notice {
    Notice {
        key: kind.name().to_owned(),
        kind,
        stage: stage.map(str::to_owned),
        title: String::new(),
        lines: Vec::new(),
        silence: (kind == Kind::Stuck).then(|| SignedDuration::from_mins(45)),
    }
}

/// How a route wants a notice: `-` not at all, else with `later`, `mention` and what it is once for.
fn wish(route: &str, subject: Subject, name: &str, notice: &Notice, picture: &Picture) -> String {
    let text = format!(
        "channels: {{c: {{slack: C0001}}, s: {{sns: \"arn:aws:sns:eu-west-1:111122223333:s\"}}}}\nnotifications: [{route}]"
    );
    let config = Config::parse("stagegate.yaml", &text).unwrap();
    let noon: Timestamp = "2026-01-07T12:00:00Z".parse().unwrap();
    let routes = routes(&config, subject, name, noon);
    let Some(route) = routes.first() else { return "-".to_owned() };
    let Some(wish) = (route.wish)(notice, picture) else { return "-".to_owned() };
    let mut words = vec![if route.is_threaded { "thread" } else { "message" }.to_owned()];
    words.extend(wish.is_for_later.then(|| "later".to_owned()));
    words.extend(wish.mentions.then(|| "mention".to_owned()));
    words.extend(
        wish.once.into_iter().map(|once| format!("{}{}", once.key, if once.is_shared { " shared" } else { "" })),
    );
    words.join(", ")
}

#[test]
fn routes_want_what_they_say() {
    let known = |breaks: bool| Picture { breaks: Some(breaks), ..Picture::default() };
    let mut revised = Picture::default();
    revised.about.revision = Some(Revision { id: "abc".to_owned(), summary: None, url: None });
    let (pipeline, build, deployment) = (Subject::Pipeline, Subject::Build, Subject::Deployment);
    let failed = notice(Kind::Failed, Some("Production"));
    let none = Picture::default();
    for (route, subject, name, notice, picture, expected) in [
        ("{pipeline: 'web-*', on: [failed], channel: c}", pipeline, "web-eu", &failed, &none, "thread"),
        ("{pipeline: 'web-*', on: [failed], channel: c}", pipeline, "api", &failed, &none, "-"),
        ("{pipeline: '*', on: [succeeded], channel: c}", pipeline, "web", &failed, &none, "-"),
        ("{pipeline: '*', stages: [Prod*], on: [failed], channel: c}", pipeline, "web", &failed, &none, "thread"),
        ("{pipeline: '*', stages: [Test], on: [failed], channel: c}", pipeline, "web", &failed, &none, "-"),
        ("{pipeline: '*', on: [failed], channel: c, thread: false}", pipeline, "web", &failed, &none, "message"),
        // Only Slack has threads and mentions.
        (
            "{pipeline: '*', on: [failed], channels: [s, c], mention_author: true}",
            pipeline,
            "web",
            &failed,
            &none,
            "message",
        ),
        (
            "{pipeline: '*', on: [failed], channel: c, mention_author: true}",
            pipeline,
            "web",
            &failed,
            &none,
            "thread, mention",
        ),
        (
            "{pipeline: '*', on: [failed], channel: c, first_failure_only: true}",
            pipeline,
            "web",
            &failed,
            &known(true),
            "thread, first failure",
        ),
        (
            "{pipeline: '*', on: [failed], channel: c, first_failure_only: true}",
            pipeline,
            "web",
            &failed,
            &known(false),
            "-",
        ),
        (
            "{pipeline: '*', on: [failed], channel: c, once_per: stage}",
            pipeline,
            "web",
            &failed,
            &none,
            "thread, failed of the stage Production",
        ),
        (
            "{pipeline: '*', on: [failed], channel: c, once_per: revision}",
            pipeline,
            "web",
            &failed,
            &revised,
            "thread, web/abc/failed shared",
        ),
        ("{pipeline: '*', on: [failed], channel: c, once_per: revision}", pipeline, "web", &failed, &none, "thread"),
        (
            "{pipeline: '*', on: [failed], channel: c, quiet_hours: {from: '11:00', to: '13:00', zone: UTC}}",
            pipeline,
            "web",
            &failed,
            &none,
            "thread, later",
        ),
        (
            "{pipeline: '*', on: [failed], channel: c, quiet_hours: {from: '11:00', to: '13:00', zone: UTC, except: [failed]}}",
            pipeline,
            "web",
            &failed,
            &none,
            "thread",
        ),
        (
            "{pipeline: '*', on: [stuck], stuck_after: 30m, channel: c}",
            pipeline,
            "web",
            &notice(Kind::Stuck, None),
            &none,
            "thread",
        ),
        (
            "{pipeline: '*', on: [stuck], stuck_after: 1h, channel: c}",
            pipeline,
            "web",
            &notice(Kind::Stuck, None),
            &none,
            "-",
        ),
        ("{project: nightly, on: [failed], channel: c}", build, "nightly", &failed, &none, "thread"),
        ("{project: nightly, on: [failed], channel: c}", pipeline, "nightly", &failed, &none, "-"),
        ("{application: shop, on: [failed], channel: c}", deployment, "shop/blue", &failed, &none, "thread"),
        ("{application: shop, on: [failed], channel: c}", deployment, "shoe/blue", &failed, &none, "-"),
    ] {
        assert_eq!(wish(route, subject, name, notice, picture), expected, "{route}");
    }
}
