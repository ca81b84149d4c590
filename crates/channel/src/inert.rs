//! Text from outside that must not act.

use stagegate_slack::Plain;

/// Keeps `@name` and `https://...` in foreign text from being taken for a mention or a link: it is invisible, and
/// separates.
const SEPARATOR: char = '\u{200b}';

/// The sign that something was cut.
const ELLIPSIS: char = '…';

/// Foreign text on one line, of at most `longest` characters: what would control a terminal or turn the direction of
/// writing is replaced, and nothing in it is a mention or a link for programs that look for them.
pub fn inert_line(text: &str, longest: usize) -> String {
    // What is far too long is not even looked at.
    let start: String = text.chars().take(longest.saturating_mul(4)).collect();
    let was_cut = start.len() < text.len();
    let shown = separated(Plain::new(&start).as_str());
    if !was_cut && shown.chars().count() <= longest {
        return shown;
    }
    shown.chars().take(longest.saturating_sub(1)).chain([ELLIPSIS]).collect()
}

/// Foreign text with its lines; as [`inert_line`].
pub fn inert(text: &str, longest: usize) -> String {
    let start: String = text.chars().take(longest.saturating_mul(4)).collect();
    let was_cut = start.len() < text.len();
    let lines: Vec<_> = start.lines().map(|line| separated(Plain::new(line).as_str())).collect();
    let shown = lines.join("\n");
    if !was_cut && shown.chars().count() <= longest {
        return shown;
    }
    shown.chars().take(longest.saturating_sub(1)).chain([ELLIPSIS]).collect()
}

fn separated(text: &str) -> String {
    let mut separated = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        separated.push(character);
        let acts = match character {
            '@' => rest.peek().is_some_and(|next| !next.is_whitespace() && *next != SEPARATOR),
            ':' => rest.peek() == Some(&'/'),
            _ => false,
        };
        if acts {
            separated.push(SEPARATOR);
        }
    }
    separated
}
