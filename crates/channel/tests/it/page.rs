//! `docs/channels.md`: its tables and examples are those of the code.

use std::path::Path;

use stagegate_channel::{ATTRIBUTES, MEMBERS, Say, Templates, Variable, samples, variables};
use stagegate_config::{Config, NoticeKind};

/// Set to make the page anew instead of checking it.
const RENEW: &str = "STAGEGATE_RENEW";

fn table(rows: impl IntoIterator<Item = Variable>, first: &str) -> String {
    let rows = rows.into_iter().map(|row| format!("| `{}` | {} |\n", row.name, row.meaning));
    format!("| {first} | what it holds |\n|---|---|\n{}", rows.collect::<String>())
}

/// Puts a text between two marks of the page.
fn put(page: &mut String, name: &str, text: &str) {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let from = page.find(&begin).unwrap_or_else(|| panic!("the page lacks {begin}")) + begin.len();
    let to = from + page[from..].find(&end).unwrap_or_else(|| panic!("the page lacks {end}"));
    page.replace_range(from..to, text);
}

#[test]
fn the_tables_and_the_example_are_those_of_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/channels.md");
    let kept = std::fs::read_to_string(&file).unwrap();
    let mut page = kept.clone();
    let attributes = MEMBERS.into_iter().filter(|member| ATTRIBUTES.contains(&member.name));
    put(&mut page, "attributes", &table(attributes, "attribute"));
    put(&mut page, "members", &table(MEMBERS, "member"));
    put(&mut page, "variables", &table(variables().skip(MEMBERS.len()), "variable, beside these members"));
    let failed = samples().into_iter().find(|sample| sample.kind == Some(NoticeKind::Failed)).unwrap();
    let example = serde_json::to_string_pretty(&failed.data()).unwrap();
    put(&mut page, "example", &format!("```json\n{example}\n```\n"));
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(&file, &page).unwrap();
    } else {
        assert!(
            kept == page,
            "docs/channels.md is stale; renew it: {RENEW}=1 cargo test -p stagegate-channel --test it"
        );
    }
}

/// Every member that is written is described, and every one that is described is written.
#[test]
fn every_member_is_described() {
    let described: Vec<_> = MEMBERS.iter().map(|member| member.name).collect();
    let mut written: Vec<String> = Vec::new();
    for sample in samples() {
        let data = sample.data();
        for name in data.as_object().unwrap().keys() {
            assert!(described.contains(&name.as_str()), "{name} is not described");
            written.push(name.clone());
        }
    }
    for name in described {
        assert!(written.iter().any(|known| known == name), "{name} is described and never written");
    }
}

#[test]
fn the_examples_are_read_and_their_templates_can_say_everything() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/channels.md")).unwrap();
    let mut examples = 0;
    for block in page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        let config = Config::parse("docs/channels.md", block).unwrap_or_else(|error| panic!("{error}\n{block}"));
        let templates = Templates::load(&config, Path::new(".")).unwrap_or_else(|errors| panic!("{}", errors[0]));
        assert_eq!(templates.check(), [], "{block}");
        examples += 1;
    }
    assert!(examples >= 2, "{examples}");
}
