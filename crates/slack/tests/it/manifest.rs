//! The manifest of the app asks for what the client needs, and for nothing else.

use std::collections::BTreeSet;

use serde_json::Value;
use stagegate_slack::METHODS;

#[test]
fn the_manifest_names_the_scopes_of_the_methods_and_no_others() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/slack-app-manifest.yaml");
    let manifest: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let named = manifest.pointer("/oauth_config/scopes/bot").and_then(Value::as_array).unwrap();
    let named: Vec<_> = named.iter().map(|scope| scope.as_str().unwrap()).collect();
    let needed: BTreeSet<_> = METHODS.iter().flat_map(|method| method.scopes).copied().collect();
    assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), needed);
    assert_eq!(named.len(), needed.len(), "a scope stands there twice");
    assert_eq!(manifest["oauth_config"]["scopes"].as_object().unwrap().len(), 1, "no scope of a person is needed");

    let text = |place: &str| manifest.pointer(place).and_then(Value::as_str).unwrap_or_else(|| panic!("{place}"));
    assert!(text("/display_information/name").len() <= 35);
    assert!(text("/display_information/description").len() <= 140);
    assert!(text("/features/bot_user/display_name").len() <= 80);
    assert_eq!(manifest["settings"]["interactivity"]["is_enabled"], true);
    assert!(text("/settings/interactivity/request_url").starts_with("https://"));
    // Requests come to the URL, where their signatures are verified, and by no other way.
    assert_eq!(manifest["settings"]["socket_mode_enabled"], false);
}
