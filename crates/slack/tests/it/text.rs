//! What foreign text can and cannot do.

use jiff::Timestamp;
use proptest::prelude::*;
use stagegate_slack::{Plain, Text};

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

#[test]
fn foreign_text_is_only_text() {
    let cases = [
        ("a & b", "a &amp; b"),
        ("&amp;", "&amp;amp;"),
        ("<!channel> <!here|here>", "&lt;!channel&gt; &lt;!here|here&gt;"),
        ("<@U0001> <#C0001> <!subteam^S0001>", "&lt;@\u{200b}U0001&gt; &lt;#C0001&gt; &lt;!subteam^S0001&gt;"),
        ("<https://evil.example|click>", "&lt;https:\u{200b}//evil.example|click&gt;"),
        ("ping @here and @everyone", "ping @\u{200b}here and @\u{200b}everyone"),
        ("a@b.example", "a@\u{200b}b.example"),
        ("@ noon, 10:30", "@ noon, 10:30"),
        ("two\r\nlines\rmore\u{2028}end", "two\nlines\nmore\nend"),
        ("\u{202e}drowssap\u{2066}", "\u{fffd}drowssap\u{fffd}"),
        ("\u{1b}[31mred\u{0}\u{7f}", "\u{fffd}[31mred\u{fffd}\u{fffd}"),
        ("größer 👩‍🚀 日本", "größer 👩‍🚀 日本"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(Text::escaped(text).to_markup(), expected, "{text:?}");
    }
}

#[test]
fn markup_of_a_template_is_cut_between_its_links() {
    let markup = "ab <https://example.com|label> *c* < d";
    assert_eq!(Text::markup(markup).to_markup(), markup);
    assert_eq!(Text::markup(markup).cut(10).to_markup(), "ab …");
    assert_eq!(Text::markup("").to_markup(), "");
}

#[test]
fn the_program_can_mark_mention_and_link() {
    let url = |text: &str| text.parse().unwrap();
    let cases = [
        (Text::literal("*Approvers*") + Text::literal(" "), "*Approvers* "),
        (Text::bold("a\nb"), "*a b*"),
        (Text::bold("a*b"), "*a'b*"),
        (Text::bold(""), ""),
        (Text::italic("x"), "_x_"),
        (Text::struck("x"), "~x~"),
        (Text::code("a`<b>"), "`a'&lt;b&gt;`"),
        (Text::preformatted("a```\nb"), "```a'''\nb```"),
        (Text::user(&"U0001".parse().unwrap()), "<@U0001>"),
        (Text::group(&"S0001".parse().unwrap()), "<!subteam^S0001>"),
        (Text::channel(&"C0001".parse().unwrap()), "<#C0001>"),
        (
            Text::link(&url("https://h.example/a?b=1&c=<x>|y"), "see > here|now"),
            "<https://h.example/a?b=1&amp;c=%3Cx%3E%7Cy|see &gt; here│now>",
        ),
        (Text::link(&url("https://h.example/"), " "), "<https://h.example/>"),
        (Text::link(&url("javascript:alert(1)"), "no"), "no"),
        (
            Text::time(Timestamp::from_second(1_700_000_000).unwrap()),
            "<!date^1700000000^{date_short_pretty} {time}|2023-11-14 22:13 UTC>",
        ),
        (Text::join([Text::escaped("a"), Text::escaped("b")], &Text::literal(", ")), "a, b"),
    ];
    for (text, expected) in cases {
        assert_eq!(text.to_markup(), expected);
    }
}

/// A link that is too long would be left out, so its label is cut; a URL is never.
#[test]
fn the_label_of_a_link_is_cut_to_what_is_left_beside_the_url() {
    let url = "https://h.example/".parse().unwrap();
    for (label, max, expected) in [
        ("a label that is long", 41, "<https://h.example/|a label that is long>"),
        ("a label that is long", 40, "<https://h.example/|a label that is lo…>"),
        ("a label that is long", 37, "<https://h.example/|a label that is…>"),
        ("a label that is long", 36, "a label that is long"),
        ("a & & & & & & & & & b", 40, "<https://h.example/|a &amp; &amp;…>"),
        ("short", 26, "<https://h.example/|short>"),
        ("short", 25, "short"),
        ("", 10, ""),
    ] {
        assert_eq!(Text::link_within(&url, label, max).to_markup(), expected, "{label:?} {max}");
    }
    let long = Text::link(&url, &"<".repeat(3000));
    assert!(long.length() <= 3000 && long.to_markup().starts_with("<https://h.example/|&lt;"), "{}", long.length());
}

#[test]
fn texts_are_cut_where_it_does_not_hurt() {
    let link = || Text::link(&"https://h.example/".parse().unwrap(), "h");
    let cases = [
        (Text::escaped("abcdef"), 6, "abcdef"),
        (Text::escaped("abcdefg"), 6, "abcde…"),
        (Text::escaped("a & b & c"), 8, "a &amp;…"),
        (Text::escaped("&&"), 6, "&amp;…"),
        (Text::escaped("👩👩👩"), 4, "👩…"),
        (Text::bold("abcdefgh"), 7, "*abcd*…"),
        (Text::escaped("see ") + link() + Text::escaped(" now"), 12, "see …"),
        (Text::escaped("a"), 0, ""),
    ];
    for (text, max, expected) in cases {
        let cut = text.cut(max);
        assert_eq!(cut.to_markup(), expected);
        assert_eq!(cut.length(), utf16(expected));
    }
}

#[test]
fn texts_are_split_at_lines_then_at_blanks() {
    let pieces = |text: Text| text.split(20).iter().map(Text::to_markup).collect::<Vec<_>>();
    assert_eq!(pieces(Text::escaped("first line here\nsecond line here")), ["first line here\n", "second line here"]);
    assert_eq!(pieces(Text::escaped("these words do not fit there")), ["these words do not ", "fit there"]);
    assert_eq!(pieces(Text::escaped(&"x".repeat(45))), ["x".repeat(20), "x".repeat(20), "x".repeat(5)]);
    assert_eq!(
        pieces(Text::preformatted(&"y".repeat(20))),
        [format!("```{}```", "y".repeat(14)), "```yyyyyy```".into()]
    );
    let long = Text::link(&"https://h.example/longer-than-that".parse().unwrap(), "h");
    assert_eq!(pieces(Text::escaped("before ") + long + Text::escaped("after")), ["before ", "after"]);
    assert!(pieces(Text::new()).is_empty());
}

#[test]
fn plain_text_is_one_visible_line() {
    for (text, expected) in [(" a \r\n\n b\tc ", "a b c"), ("\u{202e}x\u{7}", "\u{fffd}x\u{fffd}"), ("<&>", "<&>")] {
        assert_eq!(Plain::new(text).as_str(), expected);
    }
}

/// Text of the characters that matter here, and of any others.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[<>&@#!|:/*_~`^ \n\r]{1,4}",
        1 => "(here|channel|everyone|https|U0001|amp;|lt;)",
        2 => "\\PC{1,6}",
        1 => proptest::string::string_regex("[\u{0}-\u{1f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}👩🚀]{1,3}").unwrap(),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// What Slack reads out of escaped text; `None` where something in it acts.
fn read(markup: &str) -> Option<String> {
    let acts = markup.contains(['<', '>'])
        || markup.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").contains('&');
    let mentions = markup
        .match_indices('@')
        .any(|(place, _)| markup[place + 1..].chars().next().is_some_and(char::is_alphanumeric));
    let links = markup.contains("://");
    (!acts && !mentions && !links).then(|| markup.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

proptest! {
    #[test]
    fn no_foreign_text_acts(text in hostile()) {
        let whole = Text::escaped(&text);
        let shown = read(&whole.to_markup());
        prop_assert!(shown.is_some(), "{:?}", whole.to_markup());
        // Nothing that can be seen is lost.
        let visible = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        prop_assert_eq!(visible(&shown.unwrap()), visible(&text));
        for text in [Text::line(&text), Text::code(&text).cut(30), Text::preformatted(&text).cut(30), Text::bold(&text)] {
            prop_assert!(read(&text.to_markup()).is_some(), "{:?}", text.to_markup());
        }
    }

    #[test]
    fn cut_text_is_a_start_of_the_text(text in hostile(), max in 0usize..80) {
        let whole = Text::escaped(&text);
        let cut = whole.cut(max);
        let markup = cut.to_markup();
        prop_assert!(utf16(&markup) <= max);
        prop_assert!(read(&markup).is_some(), "{markup:?}");
        if utf16(&whole.to_markup()) <= max {
            prop_assert_eq!(markup, whole.to_markup());
        } else {
            let start = markup.trim_end_matches('…').trim_end_matches('\u{200b}');
            prop_assert!(whole.to_markup().starts_with(start));
        }
    }

    #[test]
    fn pieces_make_the_whole(text in hostile(), max in 16usize..80) {
        let whole = Text::escaped(&text);
        let pieces = whole.split(max);
        for piece in &pieces {
            prop_assert!(utf16(&piece.to_markup()) <= max);
            prop_assert!(read(&piece.to_markup()).is_some(), "{:?}", piece.to_markup());
        }
        let words = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(words(&pieces.iter().map(Text::to_markup).collect::<String>()), words(&whole.to_markup()));
    }

    /// Marks are closed and links are whole, wherever a text of many parts is cut.
    #[test]
    fn markup_is_never_cut_through(words in hostile(), max in 0usize..120) {
        let url = "https://h.example/?a=1&b=2".parse().unwrap();
        let text = Text::bold(&words) + Text::link(&url, &words) + Text::escaped("\n") + Text::code(&words) + Text::escaped(&words);
        for piece in std::iter::once(text.cut(max)).chain(text.split(max)) {
            let markup = piece.to_markup();
            prop_assert!(utf16(&markup) <= max.max(16), "{markup:?}");
            let (mut rest, mut outside) = (markup.as_str(), String::new());
            while let Some((before, link)) = rest.split_once('<') {
                outside += before;
                let (link, after) = link.split_once('>').expect("a link ends");
                prop_assert!(link.starts_with("https://h.example/?a=1&amp;b=2"));
                rest = after;
            }
            outside += rest;
            prop_assert!(read(&outside).is_some(), "{markup:?}");
        }
    }
}
