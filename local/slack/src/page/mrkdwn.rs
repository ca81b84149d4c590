//! Slack's markup as HTML: what acts in Slack acts here, so that text that should not can be seen to.

use maud::{Markup, PreEscaped, Render, html};

use crate::state::State;

/// Emoji by their names, those that messages about releases use.
const EMOJI: [(&str, &str); 24] = [
    ("white_check_mark", "✅"),
    ("heavy_check_mark", "✔️"),
    ("x", "❌"),
    ("warning", "⚠️"),
    ("rocket", "🚀"),
    ("tada", "🎉"),
    ("hourglass", "⌛"),
    ("hourglass_flowing_sand", "⏳"),
    ("no_entry", "⛔"),
    ("no_entry_sign", "🚫"),
    ("large_green_circle", "🟢"),
    ("large_yellow_circle", "🟡"),
    ("red_circle", "🔴"),
    ("white_circle", "⚪"),
    ("question", "❓"),
    ("bell", "🔔"),
    ("alarm_clock", "⏰"),
    ("lock", "🔒"),
    ("link", "🔗"),
    ("mag", "🔍"),
    ("rewind", "⏪"),
    ("fast_forward", "⏩"),
    ("octagonal_sign", "🛑"),
    ("speech_balloon", "💬"),
];

/// Slack's markup as HTML. `finds_names` is what Slack does where a text is not verbatim: it takes `@here` for a mention
/// and `https://...` for a link also where they are plainly written.
pub(crate) fn render(state: &State, markup: &str, finds_names: bool) -> Markup {
    let mut html = String::new();
    let mut rest = markup;
    while let Some(start) = rest.find("```") {
        let Some(length) = rest[start + 3..].find("```") else { break };
        html += &lines(state, &rest[..start], finds_names);
        let code = &rest[start + 3..start + 3 + length];
        html += &html! { pre { (PreEscaped(plain(code.trim_matches('\n')))) } }.into_string();
        rest = &rest[start + length + 6..];
    }
    html += &lines(state, rest, finds_names);
    PreEscaped(html)
}

fn lines(state: &State, text: &str, finds_names: bool) -> String {
    text.split('\n').map(|line| inline(state, line, finds_names)).collect::<Vec<_>>().join("<br>")
}

/// One line: code first, in which nothing else counts, then links and mentions, then bold and its like.
fn inline(state: &State, line: &str, finds_names: bool) -> String {
    if let Some((before, inside, after)) = between(line, '`') {
        let code = html! { code { (PreEscaped(plain(inside))) } }.into_string();
        return styled(state, before, finds_names) + &code + &inline(state, after, finds_names);
    }
    styled(state, line, finds_names)
}

fn styled(state: &State, text: &str, finds_names: bool) -> String {
    for (mark, tag) in [('*', "b"), ('_', "i"), ('~', "s")] {
        if let Some((before, inside, after)) = between(text, mark) {
            let inside = styled(state, inside, finds_names);
            return format!(
                "{}<{tag}>{inside}</{tag}>{}",
                styled(state, before, finds_names),
                styled(state, after, finds_names)
            );
        }
    }
    references(state, text, finds_names)
}

/// The text between two marks that stand at the edges of words, and outside of `<...>`.
fn between(text: &str, mark: char) -> Option<(&str, &str, &str)> {
    let outside: Vec<usize> = text
        .char_indices()
        .scan(false, |is_inside, (place, character)| {
            *is_inside = match character {
                '<' => true,
                '>' => false,
                _ => *is_inside,
            };
            Some((place, character, *is_inside))
        })
        .filter(|(_, character, is_inside)| *character == mark && !is_inside)
        .map(|(place, ..)| place)
        .collect();
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let is_blank = |character: Option<char>| character.is_none_or(char::is_whitespace);
    let opens =
        |place: usize| !is_word(text[..place].chars().next_back()) && !is_blank(text[place + 1..].chars().next());
    let closes =
        |place: usize| !is_blank(text[..place].chars().next_back()) && !is_word(text[place + 1..].chars().next());
    let open = outside.iter().copied().find(|place| opens(*place))?;
    let close = outside.iter().copied().find(|place| *place > open + 1 && closes(*place))?;
    Some((&text[..open], &text[open + 1..close], &text[close + 1..]))
}

/// Links and mentions in `<...>`.
fn references(state: &State, text: &str, finds_names: bool) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((inside, after)) = after.split_once('>') else { break };
        html += &words(before, finds_names);
        html += &reference(state, inside).into_string();
        rest = after;
    }
    html + &words(rest, finds_names)
}

fn reference(state: &State, inside: &str) -> Markup {
    let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    let mention = |name: String, id: &str| html! { span class="slack-mention" data-mention=(id) { "@" (name) } };
    if let Some(id) = target.strip_prefix('@') {
        return mention(state.person(id).map_or(id, |person| &person.name).to_owned(), id);
    }
    if let Some(id) = target.strip_prefix("!subteam^") {
        let group = state.groups.iter().find(|group| group.id == id);
        return mention(group.map_or(id, |group| &group.handle).to_owned(), id);
    }
    if let Some(date) = target.strip_prefix("!date^") {
        let seconds = date.split('^').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
        let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        return html! { time datetime=(time.to_string()) { (PreEscaped(plain(label.unwrap_or(date)))) } };
    }
    if let Some(everybody) = target.strip_prefix('!') {
        return mention(everybody.to_owned(), everybody);
    }
    if let Some(id) = target.strip_prefix('#') {
        let name = state.channel(id).map_or(id, |channel| &channel.name);
        return html! { span class="slack-mention" { "#" (name) } };
    }
    let url = unescape(target);
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let label = PreEscaped(plain(label.unwrap_or(target)));
    html! { @if is_web { a href=(url) rel="noopener noreferrer" target="_blank" { (label) } } @else { (label) } }
}

/// Plain words, in which Slack finds names and links unless they are verbatim.
fn words(text: &str, finds_names: bool) -> String {
    let mut html = String::new();
    for (number, word) in text.split(' ').enumerate() {
        if number > 0 {
            html.push(' ');
        }
        let acts =
            ["@here", "@channel", "@everyone"].iter().find(|name| word.starts_with(*name)).filter(|_| finds_names);
        if let Some(name) = acts {
            html += &html! { span class="slack-mention" data-mention=(name[1..]) { (name) } }.into_string();
            html += &plain(&word[name.len()..]);
        } else if finds_names && (word.starts_with("https://") || word.starts_with("http://")) {
            html += &html! { a href=(unescape(word)) rel="noopener noreferrer" { (PreEscaped(plain(word))) } }
                .into_string();
        } else {
            html += &emoji(&plain(word));
        }
    }
    html
}

fn emoji(html: &str) -> String {
    let mut html = html.to_owned();
    if html.contains(':') {
        for (name, sign) in EMOJI {
            html = html.replace(&format!(":{name}:"), sign);
        }
    }
    html
}

/// Slack's three references as characters.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Slack's text as HTML, in which nothing acts.
fn plain(text: &str) -> String {
    unescape(text).render().into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    fn state() -> State {
        let options = Options::default();
        State { channels: options.channels, people: options.people, groups: options.groups, ..State::default() }
    }

    #[test]
    fn markup_is_shown_as_slack_shows_it() {
        let cases = [
            ("a *b c* d", "a <b>b c</b> d"),
            ("2*3*4 and * x *", "2*3*4 and * x *"),
            ("_i_ ~s~ `*c*`", "<i>i</i> <s>s</s> <code>*c*</code>"),
            ("*Tests* _12_", "<b>Tests</b> <i>12</i>"),
            ("a\nb", "a<br>b"),
            ("```x < y```", "<pre>x &lt; y</pre>"),
            ("&lt;b&gt; &amp; &amp;amp;", "&lt;b&gt; &amp; &amp;amp;"),
            ("<script>x</script>", "scriptx/script"),
            ("<@U0001>", "<span class=\"slack-mention\" data-mention=\"U0001\">@Ada Adler</span>"),
            ("<!subteam^S0001>", "<span class=\"slack-mention\" data-mention=\"S0001\">@release-managers</span>"),
            ("<!here>", "<span class=\"slack-mention\" data-mention=\"here\">@here</span>"),
            ("<javascript:alert(1)|x>", "x"),
            (
                "*<https://h.example/a_b_c?x=1&amp;y=2|a *b*>*",
                "<b><a href=\"https://h.example/a_b_c?x=1&amp;y=2\" rel=\"noopener noreferrer\" target=\"_blank\">a *b*</a></b>",
            ),
            ("<!date^0^{date}|then>", "<time datetime=\"1970-01-01T00:00:00Z\">then</time>"),
            (":rocket: :unknown:", "🚀 :unknown:"),
        ];
        for (markup, expected) in cases {
            assert_eq!(render(&state(), markup, false).into_string(), expected, "{markup}");
        }
    }

    /// What is not verbatim acts where it is plainly written; that is why the app sends everything verbatim.
    #[test]
    fn names_are_found_in_text_that_is_not_verbatim() {
        let shown = |text| render(&state(), text, true).into_string();
        assert!(shown("go @here now").contains("data-mention=\"here\""));
        assert!(shown("see https://h.example/").contains("<a href"));
        assert!(!shown("go @\u{200b}here now, https:\u{200b}//h.example").contains('<'));
    }
}
