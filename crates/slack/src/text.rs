//! Text with Slack's markup (mrkdwn), in which only the program itself can mention and link.

use std::ops::{Add, AddAssign};

use jiff::Timestamp;
use url::Url;

use crate::blocks::SECTION;
use crate::length::{ELLIPSIS, cut, length, prefix};
use crate::plain::visible;
use crate::{ChannelId, GroupId, Plain, UserId};

/// Keeps `@here` and `https://...` in foreign text from being taken for a mention or a link: it is invisible, and
/// separates.
const SEPARATOR: char = '\u{200b}';

/// The least that a label is cut to, so that it still says something.
const LEAST: usize = 16;

/// Text in Slack's markup.
///
/// Foreign text comes in by [`Text::escaped`] and its like, which take away its meaning; markup comes from the literals of
/// the program, and from templates of its owner ([`Text::markup`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// May end between any two characters.
    Words(String),
    /// Words between two marks; where the words are cut, the second mark stays.
    Marked { mark: &'static str, words: String },
    /// A link or a mention: whole, or not at all.
    Whole(String),
}

impl Text {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Markup of the program itself, such as `*Approvers*`. It is not escaped.
    pub fn literal(markup: &'static str) -> Self {
        Self::of(Part::Words(markup.to_owned()))
    }

    /// Markup that a template of the program's owner has written, in which all that is foreign was escaped as by
    /// [`Text::escaped`]. What stands between `<` and `>` stays whole.
    pub fn markup(markup: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = markup;
        while let Some((start, end)) = rest.find('<').and_then(|start| Some((start, start + rest[start..].find('>')?)))
        {
            parts.push(Part::Words(rest[..start].to_owned()));
            parts.push(Part::Whole(rest[start..=end].to_owned()));
            rest = &rest[end + 1..];
        }
        parts.push(Part::Words(rest.to_owned()));
        parts.retain(|part| part.length() > 0);
        Self { parts }
    }

    /// Any text, with its line ends. It cannot mention or link anything.
    pub fn escaped(text: &str) -> Self {
        Self::of(Part::Words(escape(text)))
    }

    /// Any text on one line.
    pub fn line(text: &str) -> Self {
        Self::escaped(Plain::new(text).as_str())
    }

    /// Any text on one line, in bold.
    pub fn bold(text: &str) -> Self {
        Self::marked("*", text)
    }

    /// Any text on one line, in italics.
    pub fn italic(text: &str) -> Self {
        Self::marked("_", text)
    }

    /// Any text on one line, struck out.
    pub fn struck(text: &str) -> Self {
        Self::marked("~", text)
    }

    /// Any text on one line, as code.
    pub fn code(text: &str) -> Self {
        Self::marked("`", text)
    }

    /// Any text as a block of code, with its line ends.
    pub fn preformatted(text: &str) -> Self {
        Self::of(Part::Marked { mark: "```", words: escape(&text.replace('`', "'")) })
    }

    /// A link to a web page that fits into a section. Other schemes than `http` and `https` give the label alone.
    pub fn link(url: &Url, label: &str) -> Self {
        Self::link_within(url, label, SECTION)
    }

    /// A link of at most `max`: of a label for which there is too little room beside the URL, the start. Where there is next
    /// to no room, the label alone, which can be cut anywhere.
    pub fn link_within(url: &Url, label: &str, max: usize) -> Self {
        if !matches!(url.scheme(), "http" | "https") {
            return Self::line(label);
        }
        // A URL has no blanks, brackets or controls as they are; the bar would end it.
        let target = escape_references(url.as_str()).replace('|', "%7C");
        let words = escape(Plain::new(label).as_str()).replace('|', "\u{2502}");
        let words = words.trim_end();
        let room = max.saturating_sub(length(&target) + "<|>".len());
        if room < length(words).clamp(1, LEAST) {
            return Self::line(label);
        }
        let label = if words.is_empty() { String::new() } else { format!("|{}", cut(words, room)) };
        Self::of(Part::Whole(format!("<{target}{label}>")))
    }

    /// A mention of a person.
    pub fn user(id: &UserId) -> Self {
        Self::of(Part::Whole(format!("<@{id}>")))
    }

    /// A mention of a user group.
    pub fn group(id: &GroupId) -> Self {
        Self::of(Part::Whole(format!("<!subteam^{id}>")))
    }

    /// A link to a channel.
    pub fn channel(id: &ChannelId) -> Self {
        Self::of(Part::Whole(format!("<#{id}>")))
    }

    /// A time, which Slack shows in the reader's time zone; in UTC where it cannot.
    pub fn time(time: Timestamp) -> Self {
        let fallback = time.strftime("%Y-%m-%d %H:%M UTC");
        Self::of(Part::Whole(format!("<!date^{}^{{date_short_pretty}} {{time}}|{fallback}>", time.as_second())))
    }

    /// The texts with another one between them.
    pub fn join(texts: impl IntoIterator<Item = Self>, between: &Self) -> Self {
        let mut joined = Self::new();
        for (number, text) in texts.into_iter().enumerate() {
            if number > 0 {
                joined += between.clone();
            }
            joined += text;
        }
        joined
    }

    /// Whether there is nothing to see.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| match part {
            Part::Words(words) | Part::Marked { words, .. } => words.trim().is_empty(),
            Part::Whole(_) => false,
        })
    }

    /// The length in UTF-16 units, which are never fewer than characters.
    pub fn length(&self) -> usize {
        self.parts.iter().map(Part::length).sum()
    }

    /// The markup as it is sent.
    pub fn to_markup(&self) -> String {
        self.parts.iter().map(Part::markup).collect()
    }

    /// The text, or its start and an ellipsis where it is longer than `max`. Never ends inside a character, a link or a
    /// mention.
    pub fn cut(&self, max: usize) -> Self {
        if self.length() <= max {
            return self.clone();
        }
        let mut start = self.split_off(max.saturating_sub(1)).0;
        if max > 0 {
            start += Self::of(Part::Words(ELLIPSIS.to_string()));
        }
        start
    }

    /// The text in pieces of at most `max` each (at least 16), cut at line ends or blanks where there are some. A link
    /// that is longer than `max` is left out.
    pub fn split(&self, max: usize) -> Vec<Self> {
        let max = max.max(16);
        let mut pieces = Vec::new();
        let mut rest = self.clone();
        while rest.length() > max {
            let (start, end) = rest.split_off(max);
            if start.parts.is_empty() {
                rest = Self { parts: end.parts.into_iter().skip(1).collect() };
                continue;
            }
            pieces.push(start);
            rest = end;
        }
        pieces.push(rest);
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    /// What fits into `max`, and the rest.
    fn split_off(&self, max: usize) -> (Self, Self) {
        let mut left = max;
        let mut parts = self.parts.iter();
        let (mut start, mut end) = (Vec::new(), Vec::new());
        for part in parts.by_ref() {
            let length = part.length();
            if length <= left {
                left -= length;
                start.push(part.clone());
                continue;
            }
            let (fits, rest) = part.split(left, max);
            start.extend(fits);
            end.extend(rest);
            break;
        }
        end.extend(parts.cloned());
        (Self { parts: start }, Self { parts: end })
    }

    fn marked(mark: &'static str, text: &str) -> Self {
        let words = escape(Plain::new(text).as_str()).replace(mark, "'");
        if words.is_empty() { Self::new() } else { Self::of(Part::Marked { mark, words }) }
    }

    fn of(part: Part) -> Self {
        Self { parts: vec![part] }
    }
}

impl Part {
    fn length(&self) -> usize {
        match self {
            Self::Words(words) | Self::Whole(words) => length(words),
            Self::Marked { mark, words } => 2 * length(mark) + length(words),
        }
    }

    fn markup(&self) -> String {
        match self {
            Self::Words(words) | Self::Whole(words) => words.clone(),
            Self::Marked { mark, words } => format!("{mark}{words}{mark}"),
        }
    }

    /// What fits into `left` of a piece of `max`, and the rest.
    fn split(&self, left: usize, max: usize) -> (Option<Self>, Option<Self>) {
        match self {
            Self::Words(words) => {
                let (fits, rest) = split_words(words, left, max);
                let part = |words: &str| (!words.is_empty()).then(|| Self::Words(words.to_owned()));
                (part(fits), part(rest))
            }
            Self::Marked { mark, words } => {
                let marks = 2 * length(mark);
                let (fits, rest) = split_words(words, left.saturating_sub(marks), max.saturating_sub(marks));
                let part = |words: &str| (!words.is_empty()).then(|| Self::Marked { mark, words: words.to_owned() });
                (part(fits), part(rest))
            }
            Self::Whole(_) => (None, Some(self.clone())),
        }
    }
}

/// Cuts after a line, else at a blank, else between two characters; not so early that the piece would be nearly empty.
fn split_words(words: &str, left: usize, max: usize) -> (&str, &str) {
    let fits = prefix(words, left);
    let is_late = |place: &usize| left - length(&fits[..*place]) <= max / 4;
    let line = fits.rfind('\n').map(|place| place + 1).filter(is_late);
    let place = line.or_else(|| fits.rfind(' ').map(|place| place + 1).filter(is_late)).unwrap_or(fits.len());
    words.split_at(place)
}

/// Takes away from a text whatever Slack could take for markup that acts: `<...>`, `@name`, `scheme://`, and characters
/// that hide or reorder others.
fn escape(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n");
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' => escaped.push('\n'),
            '\t' => escaped.push('\t'),
            '@' | ':' => {
                escaped.push(character);
                let acts = rest.peek().is_some_and(|next| *next == '/' || character == '@' && !next.is_whitespace());
                if acts {
                    escaped.push(SEPARATOR);
                }
            }
            other => escaped.push(visible(other)),
        }
    }
    escaped
}

fn escape_references(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "%3C").replace('>', "%3E")
}

impl Add for Text {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl AddAssign for Text {
    fn add_assign(&mut self, other: Self) {
        self.parts.extend(other.parts);
    }
}
