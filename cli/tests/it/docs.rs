//! The documentation, held against the code and the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stagegate_config::{Config, NoticeKind, UserParameters};

use crate::{root, run, stagegate};

const GATE_PAGE: &str = "docs/test-gate.md";
const RELEASE_PAGE: &str = "docs/release-gate.md";
const SMOKE_PAGE: &str = "docs/smoke-test.md";
const NOTICES_PAGE: &str = "docs/deploy-notify.md";

/// Folders that hold no documentation of this repository.
const ELSEWHERE: [&str; 4] = ["target", ".git", "venv", "node_modules"];

#[test]
fn the_rules_on_the_page_are_those_of_the_gate() {
    let rows = rules();
    let page: Vec<_> = rows.iter().map(|(rule, _)| rule.as_str()).collect();
    let known: BTreeSet<_> = test_gate::RULES.into_iter().collect();
    assert_eq!(page.iter().copied().collect::<BTreeSet<_>>(), known);
    assert_eq!(page.len(), known.len(), "a rule stands on the page twice");
}

/// The words of the messages are those of the code that writes them.
#[test]
fn the_messages_on_the_page_are_those_of_the_gate() {
    let mut code = String::new();
    read_all(&root().join("functions/test-gate/src/judge"), "rs", &mut |_, text| code += text);
    for (rule, message) in rules() {
        let words = message.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2);
        // A note in brackets is no message.
        for word in words.filter(|_| !message.starts_with('(')) {
            assert!(code.contains(word), "{rule}: the gate never says {word:?} ({message})");
        }
    }
}

#[test]
fn the_formats_on_the_page_are_those_that_are_read() {
    let page = page(GATE_PAGE);
    let row = |kind: &str| {
        let line = page.lines().find(|line| line.starts_with(&format!("| {kind} | `"))).expect(kind);
        line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("tests"), test_report::Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>());
    assert_eq!(row("coverage"), coverage_report::Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>());
}

/// Examples of UserParameters are read as the function reads them; those of actions hold such parameters; those of a
/// configuration are one.
#[test]
fn the_examples_are_read() {
    let mut seen = [0, 0, 0];
    each_page(&mut |file, text| {
        for block in blocks(text, "json") {
            let value: Value = serde_json::from_str(block).unwrap_or_else(|error| panic!("{file:?}: {error}: {block}"));
            let action = value["configuration"]["UserParameters"].as_str();
            let own = file.ends_with(GATE_PAGE) || file.ends_with("README.md") && value["gate"].is_string();
            if let Some(parameters) = action.or(own.then_some(block)) {
                // CodePipeline puts values in the place of variables before the function sees them.
                let resolved = parameters.replace("#{", "").replace("}\"", "\"");
                let read = UserParameters::parse(Some(&resolved)).and_then(|read| read.choice());
                read.unwrap_or_else(|error| panic!("{file:?}: failed to {error}: {resolved}"));
                seen[usize::from(action.is_some())] += 1;
            }
        }
        for block in blocks(text, "yaml").filter(|block| block.trim_start().starts_with("gates:")) {
            Config::parse("example", block).unwrap_or_else(|error| panic!("{file:?}: {error}"));
            seen[2] += 1;
        }
    });
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn the_rules_of_the_smoke_test_are_those_on_its_page() {
    let text = page(SMOKE_PAGE);
    let section = text.split("\n## Rules").nth(1).and_then(|rest| rest.split("\n### ").next()).expect("rules");
    let rows: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(rows, smoke_test::RULES);
}

#[test]
fn the_rights_on_the_page_are_those_of_the_template() {
    for (file, roles) in [
        (GATE_PAGE, ["TestGateRole"].as_slice()),
        (SMOKE_PAGE, &["SmokeTestRole", "SmokeTestHookRole"]),
        ("docs/job-guard.md", &["JobGuardRole"]),
        (RELEASE_PAGE, &["ReleaseGateRole"]),
        ("docs/custom-actions.md", &["JobWorkerRole"]),
        (NOTICES_PAGE, &["DeployNotifyRole"]),
    ] {
        check_rights(file, roles);
    }
}

/// What deploy-notify keeps lies in the folders that its page names. The verdicts of gates, which it reads, are told by name.
#[test]
fn the_folders_on_the_page_are_those_of_the_template() {
    let (template, page) = (page("infra/template.yaml"), page(NOTICES_PAGE));
    let section = page.split("## Rights").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("rights");
    let named: BTreeSet<_> = section.split('`').filter_map(|word| word.strip_suffix('/')).collect();
    let role = resource(&template, "DeployNotifyRole");
    let granted = role.split("${State.Arn}/").skip(1).filter_map(|rest| rest.split("/*").next());
    let granted: BTreeSet<_> = granted.filter(|folder| *folder != "executions").collect();
    assert_eq!(named, granted);
}

/// The functions of the desk share a policy, and lists of rights are written out there.
#[test]
fn the_rights_of_the_desk_are_those_of_the_template() {
    let template = page("infra/template.yaml");
    let parts = ["ApprovalsPolicy", "ApprovalRequestRole", "ApprovalResponseRole", "ApprovalWatchRole"];
    let mut granted = BTreeSet::new();
    for part in parts {
        let text = resource(&template, part);
        // Whoever may take on a role is not a right of it.
        let text = text.split("ManagedPolicyArns:").last().unwrap_or(text);
        let is_right = |word: &&str| {
            word.split_once(':').is_some_and(|(service, action)| {
                service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                    && action.starts_with(|c: char| c.is_ascii_uppercase())
                    && action.chars().all(|c| c.is_ascii_alphanumeric())
            })
        };
        let words = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(|line| line.split(|c: char| c.is_whitespace() || "[],".contains(c)).filter(is_right));
        granted.extend(words.map(str::to_owned));
    }
    let page = page("docs/approvals.md");
    let section = page.split("## Rights").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("rights");
    let named: BTreeSet<_> = section
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.contains(':') && word.chars().all(|c| c.is_ascii_alphanumeric() || c == ':'))
        .map(str::to_owned)
        .collect();
    assert!(granted.len() > 12, "{granted:?}");
    assert_eq!(named, granted);
}

fn check_rights(file: &str, roles: &[&str]) {
    let template = page("infra/template.yaml");
    let page = page(file);
    let section = page.split("## Rights").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("rights");
    let is_right = |word: &&str| word.contains(':') && word.chars().all(|c| c.is_ascii_alphanumeric() || c == ':');
    let rights: BTreeSet<_> = section.split('`').filter(is_right).collect();
    let policies = roles.iter().map(|role| resource(&template, role).split("Policies:").nth(1).expect("policies"));
    let role: String = policies.collect();
    let granted = role.lines().filter_map(|line| line.trim().strip_prefix("Action: "));
    let granted: BTreeSet<_> = granted.flat_map(|list| list.trim_matches(['[', ']']).split(", ")).collect();
    assert_eq!(rights, granted, "{file}");
}

/// The table has every kind of notice, and the example is one that is read.
#[test]
fn the_notices_on_the_page_are_those_of_stagegate_yaml() {
    let text = page(NOTICES_PAGE);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let named: BTreeSet<_> =
        rows.flat_map(|cell| cell.split(['`', ',', ' ']).filter(|word| !word.is_empty())).collect();
    for kind in NoticeKind::ALL {
        assert!(named.contains(kind.name()), "{} is not on the page: {named:?}", kind.name());
    }
    let examples: Vec<_> = blocks(&text, "yaml").filter(|block| block.contains("notifications:")).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let config = Config::parse("example", example).unwrap_or_else(|error| panic!("{error}: {example}"));
        assert!(config.notifications().len() > 1);
    }
}

#[test]
fn the_options_on_the_pages_are_those_of_the_command() {
    let commands: [(&str, &[&str]); 5] = [
        (GATE_PAGE, &["test-gate"]),
        (SMOKE_PAGE, &["smoke-test"]),
        ("docs/stagegate-yaml.md", &["check"]),
        (RELEASE_PAGE, &["release-gate", "override"]),
        ("docs/delivery.md", &["report"]),
    ];
    for (file, commands) in commands {
        let help: String = commands.iter().map(|command| run(stagegate().args([*command, "--help"])).1).collect();
        let page = page(file);
        let words = page.split(|c: char| c.is_whitespace() || c == '`').filter(|word| word.starts_with("--"));
        for option in words.filter(|word| word.len() > 3 && *word != "-->") {
            assert!(help.contains(option), "{file}: {commands:?} has no {option}");
        }
    }
}

/// The page on approvals speaks of other commands' options as well.
#[test]
fn the_options_of_the_audit_are_those_of_the_command() {
    let help = run(stagegate().args(["audit", "--help"])).1 + &run(stagegate().args(["up", "--help"])).1;
    let page = page("docs/approvals.md");
    let section = page.split("## What is kept").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("audit");
    let words = section.split(|c: char| c.is_whitespace() || c == '`').filter(|word| word.starts_with("--"));
    let options: BTreeSet<_> = words.collect();
    assert!(options.len() > 5 && options.iter().all(|option| help.contains(option)), "{options:?}: {help}");
}

/// Every package and every folder beside them has its place in the tour.
#[test]
fn the_tour_leaves_nothing_out() {
    let tour = page("docs/tour.md");
    let folders = |of: &str| -> Vec<String> {
        let entries = fs::read_dir(root().join(of)).unwrap().flatten();
        let folders = entries.filter(|entry| entry.path().is_dir());
        folders.map(|entry| format!("{of}{}", entry.file_name().to_str().unwrap())).collect()
    };
    let mut all: Vec<String> = ["crates/", "functions/", "local/", "infra/"].into_iter().flat_map(folders).collect();
    let top = folders("").into_iter().filter(|name| !name.starts_with('.') && !ELSEWHERE.contains(&name.as_str()));
    all.extend(top.filter(|name| !["crates", "functions", "local", "infra"].contains(&name.as_str())));
    assert!(all.len() > 40, "{all:?}");
    let missing: Vec<_> = all.iter().filter(|name| !tour.contains(&format!("`{name}"))).collect();
    assert!(missing.is_empty(), "docs/tour.md does not name {missing:?}");
}

/// Every relative link leads to a file, and to a heading where it names one.
#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    each_page(&mut |file, text| {
        for target in targets(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let linked = if path.is_empty() { file.to_owned() } else { file.parent().unwrap().join(path) };
            assert!(linked.exists(), "{}: {target} leads nowhere", file.display());
            if !heading.is_empty() {
                let headings = fs::read_to_string(&linked).unwrap();
                let known = headings.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading);
                assert!(known, "{}: {target} names no heading", file.display());
            }
            links += 1;
        }
    });
    assert!(links > 10, "{links}");
}

/// The text of a resource of the template, up to the next one.
fn resource<'a>(template: &'a str, name: &str) -> &'a str {
    let from = template.split(&format!("\n  {name}:\n")).nth(1).expect(name);
    let end = from.match_indices("\n  ").find(|(at, _)| from[at + 3..].starts_with(|c: char| c.is_ascii_uppercase()));
    &from[..end.map_or(from.len(), |(at, _)| at)]
}

/// The rows of the tables of rules: the rule's name and its message.
fn rules() -> Vec<(String, String)> {
    let page = page(GATE_PAGE);
    let section = page.split("\n## Rules").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("rules");
    let rows = section.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let rule = cells.next()?.trim_end_matches('`').to_owned();
        Some((rule, cells.last()?.trim_end_matches(" |").to_owned()))
    });
    rows.collect()
}

fn page(file: &str) -> String {
    fs::read_to_string(root().join(file)).expect(file)
}

fn each_page(visit: &mut impl FnMut(&Path, &str)) {
    read_all(&root(), "md", visit);
}

fn read_all(folder: &Path, extension: &str, visit: &mut impl FnMut(&Path, &str)) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !ELSEWHERE.contains(&name.as_str()) {
            read_all(&path, extension, visit);
        } else if path.extension().is_some_and(|found| found == extension) && path.is_file() {
            visit(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// The code blocks of a language, without the blanks of a list around them.
fn blocks<'a>(text: &'a str, language: &str) -> impl Iterator<Item = &'a str> {
    let fence = format!("```{language}\n");
    text.split("```")
        .enumerate()
        .filter(|(number, _)| number % 2 == 1)
        .filter_map(move |(_, block)| block.strip_prefix(&fence[3..]))
}

/// The targets of the links outside of code.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// The anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Every condition of a release gate has a row, and every row is a condition.
#[test]
fn the_conditions_on_the_page_are_those_of_the_gate() {
    let page = page(RELEASE_PAGE);
    let section = page.split("\n## Conditions").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("conditions");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let rows: BTreeSet<_> = rows.collect();
    let known: BTreeSet<_> =
        stagegate_release::RULES.into_iter().filter(|rule| !["sampling", "override"].contains(rule)).collect();
    assert_eq!(rows, known);
}
