//! What was kept in quiet hours, told together.

use serde_json::{Value, json};
use stagegate_notice::{Digest, Item};
use stagegate_slack::blocks::Message;
use stagegate_slack::{Plain, Text};

use crate::bulletin::web_page;
use crate::inert::inert_line;
use crate::{Card, Mail, Run, Say, Unsayable};

/// The most notices that are shown one by one.
const SHOWN: usize = 40;
/// The most characters of one of them.
const LINE: usize = 300;

/// The notices that are told, and how many there are.
struct Told<'a> {
    items: Vec<&'a Item>,
    count: usize,
}

impl<'a> Told<'a> {
    fn of(digest: &'a Digest) -> Self {
        let items = digest.lines();
        let count = items.len() + usize::try_from(digest.more).unwrap_or(usize::MAX);
        Self { items, count }
    }

    fn title(&self) -> String {
        match self.count {
            1 => "1 notice from the quiet hours".to_owned(),
            count => format!("{count} notices from the quiet hours"),
        }
    }

    /// Each notice with where it leads.
    fn shown(&self) -> impl Iterator<Item = (String, Option<String>)> {
        self.items.iter().take(SHOWN).map(|item| {
            let text = inert_line(&format!("{}: {}", item.name, item.title), LINE);
            (text, web_page(item.url.as_deref()))
        })
    }

    fn rest(&self) -> Option<String> {
        let rest = self.count - self.items.len().min(SHOWN);
        (rest > 0).then(|| format!("and {rest} more"))
    }
}

impl Say for Digest {
    fn slack(&self, _: bool) -> Result<Message, Unsayable> {
        let told = Told::of(self);
        let line = |(title, url): (String, Option<String>)| {
            let text = match url.and_then(|url| url.parse().ok()) {
                Some(url) => Text::link(&url, &title),
                None => Text::line(&title),
            };
            Text::literal("• ") + text
        };
        let lines = told.shown().map(line).chain(told.rest().map(|rest| Text::line(&rest)));
        let title = told.title();
        let message = Message::new(Text::line(&title)).header(Plain::new(&title));
        Ok(message.section(Text::join(lines, &Text::literal("\n"))))
    }

    fn mail(&self) -> Result<Mail, Unsayable> {
        let told = Told::of(self);
        let title = told.title();
        let line = |(title, url): (String, Option<String>)| {
            let url = url.map(|url| format!("\n  {url}")).unwrap_or_default();
            format!("- {title}{url}")
        };
        let lines: Vec<_> = told.shown().map(line).chain(told.rest()).collect();
        Ok(Mail::new(&title, format!("{title}\n\n{}", lines.join("\n"))))
    }

    fn card(&self) -> Result<Card, Unsayable> {
        let told = Told::of(self);
        let card = told.shown().fold(Card::new(&told.title(), None), |card, (title, url)| {
            card.line([Run::literal("• "), Run::new(&title, LINE).link(url.as_deref())])
        });
        Ok(card.line(told.rest().map(|rest| Run::new(&rest, LINE))))
    }

    fn data(&self) -> Value {
        let told = Told::of(self);
        let text = |text: &str| text.chars().take(LINE).collect::<String>();
        let notice = |item: &&Item| {
            json!({
                "at": item.at.to_string(),
                "kind": item.kind,
                "name": text(&item.name),
                "execution": text(&item.execution),
                "title": text(&item.title),
                "url": web_page(item.url.as_deref()),
            })
        };
        let notices: Vec<_> = told.items.iter().map(notice).collect();
        json!({"version": 1, "kind": "digest", "title": told.title(), "count": told.count, "notices": notices})
    }
}
