//! References to variables in a text: `#{namespace.key}` (AWS CodePipeline guide, variables reference).

/// A part of a text that may hold references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text that stands for itself.
    Literal(&'a str),
    /// `#{namespace.key}`.
    Reference {
        /// The part before the first period.
        namespace: &'a str,
        /// The part after it.
        key: &'a str,
        /// The whole reference with its braces.
        text: &'a str,
    },
    /// `#{...}` that is no namespace and key separated by a period.
    Malformed(&'a str),
}

/// Splits a text into literals and references. A `#{` that is never closed stands for itself.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("#{") {
        let Some(length) = rest[start..].find('}') else { break };
        let (literal, reference) = (&rest[..start], &rest[start..=start + length]);
        if !literal.is_empty() {
            found.push(Piece::Literal(literal));
        }
        found.push(reference_piece(reference));
        rest = &rest[start + length + 1..];
    }
    if !rest.is_empty() {
        found.push(Piece::Literal(rest));
    }
    found
}

fn reference_piece(text: &str) -> Piece<'_> {
    let inner = &text[2..text.len() - 1];
    match inner.split_once('.') {
        Some((namespace, key)) if is_namespace(namespace) && is_key(key) => Piece::Reference { namespace, key, text },
        _ => Piece::Malformed(text),
    }
}

fn is_namespace(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@-_".contains(&byte))
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c == '{' || c == '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[Piece<'_>]) {
        assert_eq!(pieces(text), expected, "{text}");
    }

    #[test]
    fn references_are_found_between_literals() {
        let build = Piece::Reference { namespace: "Build", key: "id", text: "#{Build.id}" };
        check("", &[]);
        check("plain", &[Piece::Literal("plain")]);
        check("#{Build.id}", &[build]);
        check("a#{Build.id}#{Build.id}b", &[Piece::Literal("a"), build, build, Piece::Literal("b")]);
        check("#{Build.id", &[Piece::Literal("#{Build.id")]);
        check("#{Build}", &[Piece::Malformed("#{Build}")]);
        check("#{Build.}", &[Piece::Malformed("#{Build.}")]);
        check("#{a b.c}", &[Piece::Malformed("#{a b.c}")]);
        check("#{#{Build.id}}", &[Piece::Malformed("#{#{Build.id}"), Piece::Literal("}")]);
        check("ü#{Build.id}ß", &[Piece::Literal("ü"), build, Piece::Literal("ß")]);
    }
}
