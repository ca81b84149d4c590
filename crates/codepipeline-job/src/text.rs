//! Cuts texts to the API's limits.

/// What stands at the end of a text that was cut.
const MARK: &str = "…";

/// Cuts `text` so that it fits `limit` on a character boundary, and marks the cut.
///
/// The API model gives its limits in characters, which may be counted as Unicode scalar values, as UTF-16 units or as
/// bytes. The UTF-8 length is the greatest of the three, so a text that fits in bytes fits in all of them. Control
/// characters other than a line feed and a tab become spaces, because consoles and chats do not show them. A text
/// without a visible character becomes `instead`: the API's least length is one.
pub(crate) fn cut(text: &str, limit: usize, instead: &str) -> String {
    let visible = text.trim();
    if visible.is_empty() {
        return floor(instead, limit).to_owned();
    }
    // Only as many characters as can be kept are cleaned, so that a huge text costs no more than its limit.
    // A control character has at least as many bytes as the space that replaces it, so no text gets longer.
    let mut kept: String = floor(visible, limit).chars().map(without_control).collect();
    if kept.trim().is_empty() {
        return floor(instead, limit).to_owned();
    }
    if visible.len() > limit {
        kept.truncate(floor(&kept, limit.saturating_sub(MARK.len())).len());
        kept.push_str(floor(MARK, limit));
    }
    kept
}

/// The longest beginning of `text` that has at most `limit` bytes and ends on a character boundary.
pub(crate) fn floor(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Cuts an optional text; a text without a visible character counts as absent.
pub(crate) fn cut_optional(text: Option<&str>, limit: usize) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).map(|text| cut(text, limit, MARK))
}

fn without_control(character: char) -> char {
    if character.is_control() && !matches!(character, '\n' | '\t') { ' ' } else { character }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts() {
        for (text, limit, expected) in [
            ("42 tests passed", 2048, "42 tests passed"),
            ("  padded\n", 2048, "padded"),
            ("", 2048, "instead"),
            (" \n\t ", 2048, "instead"),
            ("\u{0}", 2048, "instead"),
            ("a\u{7}b\u{85}c\nd\te", 2048, "a b c\nd\te"),
            ("abcdef", 6, "abcdef"),
            ("abcdefg", 6, "abc…"),
            ("äöüßä", 8, "äö…"),
            ("🎉🎉🎉", 11, "🎉🎉…"),
            ("🎉🎉", 4, "…"),
            ("🎉🎉", 2, "in"),
        ] {
            assert_eq!(cut(text, limit, "instead"), expected, "{text:?} cut to {limit}");
        }
        assert_eq!(cut_optional(Some(" "), 10), None);
        assert_eq!(cut_optional(None, 10), None);
        assert_eq!(cut_optional(Some("id-1"), 10).as_deref(), Some("id-1"));
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_however_it_is_counted(text in any::<String>(), limit in 8_usize..64) {
            let kept = cut(&text, limit, "instead");
            prop_assert!(!kept.is_empty());
            prop_assert!(kept.len() <= limit);
            prop_assert!(kept.encode_utf16().count() <= limit);
            prop_assert!(kept.chars().count() <= limit);
            prop_assert!(!kept.trim().is_empty());
            if kept != "instead" {
                prop_assert_eq!(kept.ends_with(MARK), text.trim().len() > limit || text.trim().ends_with(MARK));
            }
        }
    }
}
