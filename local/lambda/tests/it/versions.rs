//! Versions and aliases.

use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{Alias, LATEST, LambdaHost};

use crate::support::{arn, config, host_with, invoke, json as answer};

fn alias(version: &str, additional: Option<(&str, f64)>) -> Alias {
    let additional = additional.map(|(version, share)| (version.to_owned(), share));
    Alias { name: "live".to_owned(), function_version: version.to_owned(), additional }
}

/// The state of the function that answers, and the version that it takes itself for.
async fn seen(host: &LambdaHost, reference: &str) -> (Option<String>, String) {
    let result = invoke(host, reference, json!({"mode": "describe"})).await;
    let described: Value = answer(&result);
    let text = |name: &str| described["variables"][name].as_str().map(str::to_owned);
    assert_eq!(text("AWS_LAMBDA_FUNCTION_VERSION").as_ref(), Some(&result.executed_version));
    let qualifier = reference.rsplit_once("web").unwrap().1;
    assert_eq!(described["arn"], format!("{}{qualifier}", arn("web")), "the function is told how it was named");
    (text("STATE"), result.executed_version)
}

fn with_state(state: &str) -> stagegate_local_lambda::FunctionConfig {
    let mut config = config("web");
    config.environment.insert("STATE".to_owned(), state.to_owned());
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_version_does_not_change_and_an_alias_leads_to_it() {
    let (host, _) = host_with(Clock::system());
    host.create_function(with_state("old")).unwrap();
    assert_eq!(host.publish_version("web").unwrap(), "1");
    assert_eq!(host.publish_version(&arn("web")).unwrap(), "1", "nothing has changed");
    host.create_alias("web", alias("1", None)).unwrap();
    host.update_function(with_state("new")).unwrap();
    assert_eq!(host.publish_version("web").unwrap(), "2");
    assert_eq!(host.versions("web"), ["1", "2"]);
    for (reference, state, version) in [
        ("web".to_owned(), "new", LATEST),
        ("web:1".to_owned(), "old", "1"),
        (format!("{}:2", arn("web")), "new", "2"),
        ("web:live".to_owned(), "old", "1"),
    ] {
        assert_eq!(seen(&host, &reference).await, (Some(state.to_owned()), version.to_owned()), "{reference}");
    }
    for (share, versions) in [(0.0, &["1"][..]), (1.0, &["2"]), (0.5, &["1", "2"])] {
        host.update_alias("web", alias("1", Some(("2", share)))).unwrap();
        let mut met = std::collections::BTreeSet::new();
        for _ in 0..40 {
            met.insert(seen(&host, "web:live").await.1);
        }
        assert_eq!(met.into_iter().collect::<Vec<_>>(), versions, "{share}");
    }
    assert!(host.function("web:3").is_none() && host.function("web:none").is_none());
    host.shutdown().await;
}

#[test]
fn aliases_that_lambda_would_not_take_are_refused() {
    let (host, _) = host_with(Clock::system());
    host.create_function(config("web")).unwrap();
    let _ = host.publish_version("web").unwrap();
    let named = |name: &str| Alias { name: name.to_owned(), ..alias("1", None) };
    for (alias, expected) in [
        (named("7"), "not digits only"),
        (named(""), "1 to 128 letters"),
        (alias("2", None), "failed to find the version 2 of the function web"),
        (alias("1", Some(("3", 0.1))), "find the version 3"),
        (alias("1", Some(("1", 0.1))), "must be another published version"),
        (alias(LATEST, Some(("1", 0.1))), "$LATEST shares with no other version"),
    ] {
        let error = host.create_alias("web", alias).unwrap_err();
        assert!(format!("failed to {error}").contains(expected), "{error}");
    }
    assert!(host.update_alias("web", alias("1", None)).unwrap_err().to_string().contains("find the alias live"));
    host.create_alias("web", alias("1", None)).unwrap();
    assert!(host.create_alias("web", alias("1", None)).unwrap_err().to_string().contains("exists already"));
    assert!(host.create_alias("api", alias("1", None)).unwrap_err().to_string().contains("find the function api"));
    assert!(host.publish_version("api").is_err());
}
