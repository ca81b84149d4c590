//! The inside of a tag: names, attributes and references.

/// Whether `character` may begin a name (XML 1.0, fifth edition, production 4).
pub(crate) fn is_name_start(character: char) -> bool {
    matches!(character, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
        | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// Whether `character` may stand in a name after its first character (production 4a).
pub(crate) fn is_name(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether `character` may stand in a document at all (production 2).
pub(crate) fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether `character` is XML white space (production 3).
pub(crate) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// A start tag without its angle brackets.
#[derive(Debug)]
pub(crate) struct StartTag<'t> {
    pub(crate) name: &'t str,
    pub(crate) attributes: Vec<(&'t str, &'t str)>,
    pub(crate) is_empty: bool,
}

/// Splits off the name at the beginning of `text`; `None` where there is none.
pub(crate) fn split_name(text: &str) -> Option<(&str, &str)> {
    if !text.chars().next().is_some_and(is_name_start) {
        return None;
    }
    let end = text.find(|character| !is_name(character)).unwrap_or(text.len());
    Some(text.split_at(end))
}

/// Reads `name attribute="value"` with or without a closing slash; `None` where it is not well-formed.
pub(crate) fn parse_start_tag(text: &str) -> Option<StartTag<'_>> {
    let (name, mut rest) = split_name(text)?;
    let mut attributes: Vec<(&str, &str)> = Vec::new();
    loop {
        let trimmed = rest.trim_start_matches(is_space);
        if trimmed.is_empty() {
            return Some(StartTag { name, attributes, is_empty: false });
        }
        if trimmed == "/" {
            return Some(StartTag { name, attributes, is_empty: true });
        }
        if trimmed.len() == rest.len() {
            return None;
        }
        let (attribute, after_name) = split_name(trimmed)?;
        let value = after_name.trim_start_matches(is_space).strip_prefix('=')?.trim_start_matches(is_space);
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after_value) = value[1..].split_once(quote)?;
        if value.contains('<') || !has_known_references(value) || attributes.iter().any(|(seen, _)| *seen == attribute)
        {
            return None;
        }
        attributes.push((attribute, value));
        rest = after_value;
    }
}

/// Whether every `&` in `text` begins a character reference or names one of the five predefined entities.
pub(crate) fn has_known_references(text: &str) -> bool {
    let mut parts = text.split('&');
    parts.next();
    parts.all(|part| part.split_once(';').is_some_and(|(reference, _)| is_known_reference(reference)))
}

/// Whether `reference`, without ampersand and semicolon, stands for a character.
pub(crate) fn is_known_reference(reference: &str) -> bool {
    let code = match reference.strip_prefix('#') {
        None => return matches!(reference, "amp" | "lt" | "gt" | "quot" | "apos"),
        Some(number) => match number.strip_prefix('x') {
            Some(hex) if hex.chars().all(|digit| digit.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16),
            None if number.chars().all(|digit| digit.is_ascii_digit()) => number.parse(),
            _ => return false,
        },
    };
    code.ok().and_then(char::from_u32).is_some_and(is_char)
}
