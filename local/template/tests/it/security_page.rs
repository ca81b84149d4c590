//! The page on security says of each role what the template says.
//!
//! `STAGEGATE_BLESS=1 cargo test -p stagegate-local-template security_page` writes the table anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use stagegate_local_template::{Role, Statement, Template, read_template};

use crate::deployed::everything_on;

const BEGIN: &str = "<!-- what each role may do: made from infra/template.yaml by a test -->\n";
const END: &str = "<!-- end -->\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_page_says_what_each_role_may_do() {
    let template = read_template(&root().join("infra/template.yaml"), &everything_on()).unwrap();
    let page = root().join("docs/security.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", table(&template));
    if std::env::var_os("STAGEGATE_BLESS").is_some() {
        std::fs::write(&page, &expected).unwrap();
    }
    let now = std::fs::read_to_string(&page).unwrap();
    assert!(
        now == expected,
        "docs/security.md has another table; STAGEGATE_BLESS=1 writes it anew:\n{}",
        table(&template)
    );
}

fn table(template: &Template) -> String {
    let mut table = String::from("\n| function | may | on | for |\n|---|---|---|---|\n");
    for function in &template.functions {
        let role = template.role_of(function).unwrap();
        for statement in own(role) {
            row(&mut table, &function.function_name, statement);
        }
    }
    let mut shared: Vec<&Statement> = Vec::new();
    for statement in template.roles.iter().flat_map(|role| &role.statements) {
        if !is_own(template, statement) && !shared.contains(&statement) {
            shared.push(statement);
        }
    }
    for statement in shared {
        let who = match statement.declared_in.as_str() {
            "KeyPolicy" => "all, with `KmsKeyArn`",
            "NetworkPolicy" => "all, with `SubnetIds`",
            "ApprovalsPolicy" => "the three of approvals",
            other => panic!("say here who has the policy {other}"),
        };
        row(&mut table, who, statement);
    }
    table.push('\n');
    table
}

fn own(role: &Role) -> impl Iterator<Item = &Statement> {
    role.statements.iter().filter(|statement| statement.declared_in == role.logical_id)
}

fn is_own(template: &Template, statement: &Statement) -> bool {
    template.roles.iter().any(|role| role.logical_id == statement.declared_in)
}

fn row(table: &mut String, who: &str, statement: &Statement) {
    let list = |items: &[String]| items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ");
    let resources: Vec<String> = statement.resources.iter().map(|arn| short(arn)).collect();
    let effect = if statement.allows { "" } else { "**not** " };
    let reason = words(statement.sid.as_deref().unwrap_or_default());
    let _ = writeln!(table, "| {who} | {effect}{} | {} | {reason} |", list(&statement.actions), list(&resources));
}

/// An ARN without what is the same for all of them.
fn short(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, service, .., resource] => format!("{service}: {resource}"),
        _ => arn.to_owned(),
    }
}

/// `WriteOwnLogs` as words.
fn words(sid: &str) -> String {
    let mut text = String::new();
    for letter in sid.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
