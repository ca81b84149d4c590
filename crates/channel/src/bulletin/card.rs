//! For Microsoft Teams.

use stagegate_notice::{Bulletin, Line, Mark, Status};

use super::mail::web_page;
use super::{LINE, LINES, title};
use crate::{Card, Run};

/// A card.
pub(super) fn card(bulletin: &Bulletin) -> Card {
    let mut card = Card::new(&title(bulletin), Some(color(bulletin.status)));
    for line in bulletin.lines.iter().take(LINES) {
        card = card.line(runs(line));
    }
    for stage in bulletin.stages.iter().take(LINES) {
        let mut runs = vec![Run::literal(stage.mark.sign()), Run::literal(" "), Run::new(&stage.name, LINE).bold()];
        if stage.mark != Mark::Done && stage.mark != Mark::NotBegun {
            runs.extend([Run::literal(" "), Run::literal(stage.mark.word())]);
        }
        for (name, mark) in &stage.actions {
            runs.extend([Run::literal("  "), Run::literal(mark.sign()), Run::literal(" "), Run::new(name, LINE)]);
        }
        card = card.line(runs);
    }
    for line in &bulletin.about {
        card = card.line(runs(line).map(Run::subtle));
    }
    card = card.line([Run::literal("Execution ").subtle(), Run::new(&bulletin.execution, LINE).subtle()]);
    card.button("Open", web_page(bulletin.url.as_deref()).as_deref())
}

fn runs(line: &Line) -> [Run; 3] {
    let url = web_page(line.url.as_deref());
    [Run::new(&line.label, LINE).bold(), Run::literal(" "), Run::new(&line.text, LINE).link(url.as_deref())]
}

/// The colour of a status.
pub(crate) fn color(status: Status) -> &'static str {
    match status {
        Status::Running | Status::Waiting => "accent",
        Status::Succeeded => "good",
        Status::Failed => "attention",
        Status::Stopped | Status::Superseded => "warning",
    }
}
