//! For people who read e-mail.

use stagegate_notice::Bulletin;

use super::{LINE, LINES, title};
use crate::Mail;
use crate::inert::inert_line;

/// A subject and a text.
pub(super) fn mail(bulletin: &Bulletin) -> Mail {
    let name = bulletin.subject.title(&bulletin.name);
    let subject = format!("{name}: {}", bulletin.title);
    let mut lines = vec![inert_line(&title(bulletin), LINE), String::new()];
    for line in bulletin.lines.iter().take(LINES) {
        lines.push(format!("{}: {}", line.label, inert_line(&line.text, LINE)));
        lines.extend(web_page(line.url.as_deref()).map(|url| format!("  {url}")));
    }
    lines.extend(
        bulletin
            .stages
            .iter()
            .take(LINES)
            .map(|stage| format!("{} {} {}", stage.mark.sign(), inert_line(&stage.name, LINE), stage.mark.word())),
    );
    lines.extend(bulletin.about.iter().map(|line| format!("{}: {}", line.label, inert_line(&line.text, LINE))));
    lines.push(format!("Execution: {}", inert_line(&bulletin.execution, LINE)));
    lines.extend(web_page(bulletin.url.as_deref()));
    Mail::new(&subject, lines.join("\n"))
}

/// A URL as a browser would write it, so that nothing in it is anything else.
pub(crate) fn web_page(url: Option<&str>) -> Option<String> {
    let url: url::Url = url?.parse().ok()?;
    (url.scheme() == "https" && url.as_str().len() <= 2000).then(|| url.to_string())
}
