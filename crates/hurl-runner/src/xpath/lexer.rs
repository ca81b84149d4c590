//! The tokens of XPath 1.0 (section 3.7).

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A punctuation mark or operator.
    Symbol(&'static str),
    /// A name, with its prefix where it has one; the local part may be `*`.
    Name {
        prefix: Option<String>,
        local: String,
    },
    Number(f64),
    Literal(String),
}

const SYMBOLS: [&str; 21] =
    ["::", "//", "..", "!=", "<=", ">=", "(", ")", "[", "]", ".", "@", ",", "/", "|", "+", "-", "=", "<", ">", "$"];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let (token, after) = if matches!(first, '"' | '\'') {
            let (literal, after) = rest[1..].split_once(first).ok_or_else(|| "a string is not closed".to_owned())?;
            (Token::Literal(literal.to_owned()), after)
        } else if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            number(rest)?
        } else if is_name_start(first) {
            name(rest, tokens.last())
        } else if first == '*' {
            (star(tokens.last()), &rest[1..])
        } else {
            let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            let symbol = symbol.ok_or_else(|| format!("unexpected character {first:?}"))?;
            (Token::Symbol(symbol), &rest[symbol.len()..])
        };
        tokens.push(token);
        rest = after.trim_start_matches(is_space);
    }
    Ok(tokens)
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn is_name_start(character: char) -> bool {
    character == '_' || character.is_alphabetic()
}

fn is_name(character: char) -> bool {
    is_name_start(character) || character.is_alphanumeric() || matches!(character, '-' | '.' | '\u{b7}')
}

fn number(text: &str) -> Result<(Token, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let digits = &text[..end];
    // The range of `..` is no part of XPath 1.0, so two dots in a number are an error.
    let value = digits.parse().map_err(|_| format!("{digits} is not a number"))?;
    Ok((Token::Number(value), &text[end..]))
}

/// Whether an operator may follow: then `*`, `and`, `or`, `div` and `mod` are operators.
fn expects_operator(previous: Option<&Token>) -> bool {
    match previous {
        None => false,
        Some(Token::Symbol(symbol)) => matches!(*symbol, ")" | "]" | "." | ".."),
        Some(Token::Name { .. } | Token::Number(_) | Token::Literal(_)) => true,
    }
}

fn star(previous: Option<&Token>) -> Token {
    if expects_operator(previous) { Token::Symbol("*") } else { Token::Name { prefix: None, local: "*".to_owned() } }
}

fn name<'t>(text: &'t str, previous: Option<&Token>) -> (Token, &'t str) {
    let end = |text: &str| text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (first, rest) = text.split_at(end(text));
    if expects_operator(previous)
        && let Some(operator) = ["and", "or", "div", "mod"].into_iter().find(|operator| *operator == first)
    {
        return (Token::Symbol(operator), rest);
    }
    let local = rest.strip_prefix(':').filter(|local| !local.starts_with(':'));
    if let Some(local) = local {
        let prefix = Some(first.to_owned());
        if let Some(after) = local.strip_prefix('*') {
            return (Token::Name { prefix, local: "*".to_owned() }, after);
        }
        if local.starts_with(is_name_start) {
            let (local, after) = local.split_at(end(local));
            return (Token::Name { prefix, local: local.to_owned() }, after);
        }
    }
    (Token::Name { prefix: None, local: first.to_owned() }, rest)
}
