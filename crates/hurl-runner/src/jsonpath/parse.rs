//! The grammar of RFC 9535.

use super::function::{Function, Type};
use super::{Argument, Call, Condition, Operand, ParseError, Path, Query, Relation, Segment, Selector};
use crate::value::{Value, json};

/// The deepest nesting of filters and parentheses.
const DEPTH_MAX: usize = 32;

/// The largest whole number that an index may be (RFC 9535, 2.1).
const INDEX_MAX: i64 = 9_007_199_254_740_991;

type Parsed<T> = Result<T, ParseError>;

pub(super) fn path(text: &str) -> Parsed<Path> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    if !parser.take("$") {
        return Err(parser.error("a path begins with $"));
    }
    let segments = parser.segments()?;
    if parser.rest().is_empty() { Ok(Path { segments }) } else { Err(parser.error("unexpected character")) }
}

impl Operand {
    /// Whether the operand yields at most one value, by its form.
    fn is_comparable(&self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::Query(query) => query.is_singular(),
            Self::Call(call) => call.function.result() == Type::Value,
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn error(&self, reason: &'static str) -> ParseError {
        ParseError { at: self.text[..self.at].chars().count() + 1, reason }
    }

    fn take(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.at += token.len();
        }
        is_next
    }

    /// Takes a token that may have white space before it; without the token, nothing is taken.
    fn take_spaced(&mut self, token: &str) -> bool {
        let before = self.at;
        self.skip_space();
        let is_next = self.take(token);
        if !is_next {
            self.at = before;
        }
        is_next
    }

    fn expect(&mut self, token: &str, reason: &'static str) -> Parsed<()> {
        if self.take_spaced(token) { Ok(()) } else { Err(self.error(reason)) }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn take_while(&mut self, accepts: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|character| !accepts(character)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn segments(&mut self) -> Parsed<Vec<Segment>> {
        let mut segments = Vec::new();
        loop {
            if self.take_spaced("..") {
                let selectors = if self.take("[") { self.selectors()? } else { vec![self.shorthand()?] };
                segments.push(Segment::Descendant(selectors));
            } else if self.take_spaced(".") {
                self.skip_space();
                segments.push(Segment::Child(vec![self.shorthand()?]));
            } else if self.take_spaced("[") {
                segments.push(Segment::Child(self.selectors()?));
            } else {
                return Ok(segments);
            }
        }
    }

    fn shorthand(&mut self) -> Parsed<Selector> {
        if self.take("*") {
            return Ok(Selector::Wildcard);
        }
        let is_first = |character: char| character.is_ascii_alphabetic() || character == '_' || !character.is_ascii();
        if !self.rest().starts_with(is_first) {
            return Err(self.error("expected a name"));
        }
        let name = self.take_while(|character| is_first(character) || character.is_ascii_digit());
        Ok(Selector::Name(name.to_owned()))
    }

    fn selectors(&mut self) -> Parsed<Vec<Selector>> {
        let mut selectors = Vec::new();
        loop {
            self.skip_space();
            selectors.push(self.selector()?);
            if self.take_spaced("]") {
                return Ok(selectors);
            }
            self.expect(",", "expected , or ]")?;
        }
    }

    fn selector(&mut self) -> Parsed<Selector> {
        match self.rest().chars().next() {
            Some('*') => {
                self.at += 1;
                Ok(Selector::Wildcard)
            }
            Some('?') => {
                self.at += 1;
                self.any().map(Selector::Filter)
            }
            Some('\'' | '"') => self.string().map(Selector::Name),
            _ => self.index_or_slice(),
        }
    }

    fn index_or_slice(&mut self) -> Parsed<Selector> {
        let start = self.optional_integer()?;
        if !self.take_spaced(":") {
            return start.map(Selector::Index).ok_or_else(|| self.error("expected a selector"));
        }
        self.skip_space();
        let end = self.optional_integer()?;
        let mut step = None;
        if self.take_spaced(":") {
            self.skip_space();
            step = self.optional_integer()?;
        }
        Ok(Selector::Slice { start, end, step: step.unwrap_or(1) })
    }

    fn optional_integer(&mut self) -> Parsed<Option<i64>> {
        let begin = self.at;
        let is_negative = self.take("-");
        let digits = self.take_while(|character| character.is_ascii_digit());
        if digits.is_empty() && !is_negative {
            return Ok(None);
        }
        let has_leading_zero = digits.starts_with('0') && (digits.len() > 1 || is_negative);
        match self.text[begin..self.at].parse::<i64>() {
            Ok(number) if !has_leading_zero && number.abs() <= INDEX_MAX => Ok(Some(number)),
            _ => Err(self.error("not a valid index")),
        }
    }

    fn string(&mut self) -> Parsed<String> {
        let quote = if self.take("'") { '\'' } else { '"' };
        if quote == '"' {
            self.at += 1;
        }
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|character| character != quote && character != '\\' && character >= ' '));
            match self.rest().chars().next() {
                Some(character) if character == quote => {
                    self.at += 1;
                    return Ok(text);
                }
                Some('\\') => text.push(self.escape(quote)?),
                _ => return Err(self.error("a string is not closed")),
            }
        }
    }

    /// The escapes are those of JSON, and the quote that the string is in.
    fn escape(&mut self, quote: char) -> Parsed<char> {
        let escaped = &self.rest()[1..];
        if escaped.starts_with(quote) {
            self.at += 2;
            return Ok(quote);
        }
        let longest = if escaped.starts_with('u') { [12, 6] } else { [2, 2] };
        for length in longest {
            let escape = self.rest().get(..length).filter(|escape| !escape.contains('"'));
            let decoded = escape.and_then(|escape| json::parse(&format!("\"{escape}\"")));
            if let Some(Value::String(text)) = decoded {
                let mut characters = text.chars();
                if let (Some(character), None) = (characters.next(), characters.next()) {
                    self.at += length;
                    return Ok(character);
                }
            }
        }
        Err(self.error("not a valid escape"))
    }

    fn any(&mut self) -> Parsed<Condition> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("filters nest too deeply"));
        }
        let mut alternatives = vec![self.all()?];
        while self.take_spaced("||") {
            alternatives.push(self.all()?);
        }
        self.depth -= 1;
        Ok(Condition::Any(alternatives))
    }

    fn all(&mut self) -> Parsed<Condition> {
        let mut conditions = vec![self.basic()?];
        while self.take_spaced("&&") {
            conditions.push(self.basic()?);
        }
        Ok(Condition::All(conditions))
    }

    fn basic(&mut self) -> Parsed<Condition> {
        if self.take_spaced("!") {
            if self.take_spaced("(") {
                return Ok(Condition::Not(Box::new(self.parenthesized()?)));
            }
            let operand = self.operand()?;
            return Ok(Condition::Not(Box::new(self.test(operand)?)));
        }
        if self.take_spaced("(") {
            return self.parenthesized();
        }
        let left = self.operand()?;
        match self.relation() {
            None => self.test(left),
            Some(relation) => {
                let right = self.operand()?;
                if left.is_comparable() && right.is_comparable() {
                    Ok(Condition::Compare { left, relation, right })
                } else {
                    Err(self.error("only single values can be compared"))
                }
            }
        }
    }

    fn parenthesized(&mut self) -> Parsed<Condition> {
        let condition = self.any()?;
        self.expect(")", "expected )")?;
        Ok(condition)
    }

    fn test(&self, operand: Operand) -> Parsed<Condition> {
        match operand {
            Operand::Query(query) => Ok(Condition::Exists(query)),
            Operand::Call(call) if call.function.result() == Type::Logical => Ok(Condition::Call(call)),
            _ => Err(self.error("a value is not a condition")),
        }
    }

    fn relation(&mut self) -> Option<Relation> {
        let relations = [
            ("==", Relation::Equal),
            ("!=", Relation::NotEqual),
            ("<=", Relation::LessOrEqual),
            (">=", Relation::GreaterOrEqual),
            ("<", Relation::Less),
            (">", Relation::Greater),
        ];
        relations.into_iter().find(|(token, _)| self.take_spaced(token)).map(|(_, relation)| relation)
    }

    fn operand(&mut self) -> Parsed<Operand> {
        self.skip_space();
        match self.rest().chars().next() {
            Some('@' | '$') => self.query().map(Operand::Query),
            Some('\'' | '"') => self.string().map(|text| Operand::Literal(Value::String(text))),
            Some('-' | '0'..='9') => {
                let text = self.take_while(|character| matches!(character, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
                let number = json::parse_number(text).ok_or_else(|| self.error("not a valid number"))?;
                Ok(Operand::Literal(Value::Number(number)))
            }
            _ => {
                let name = self.take_while(|character| character.is_ascii_alphanumeric() || character == '_');
                match name {
                    "true" => Ok(Operand::Literal(Value::Bool(true))),
                    "false" => Ok(Operand::Literal(Value::Bool(false))),
                    "null" => Ok(Operand::Literal(Value::Null)),
                    _ => self.call(name).map(Operand::Call),
                }
            }
        }
    }

    fn query(&mut self) -> Parsed<Query> {
        let is_absolute = self.take("$");
        if !is_absolute {
            self.at += 1;
        }
        Ok(Query { is_absolute, segments: self.segments()? })
    }

    fn call(&mut self, name: &str) -> Parsed<Call> {
        let function = Function::from_name(name).ok_or_else(|| self.error("expected a value or a known function"))?;
        if !self.take("(") {
            return Err(self.error("expected ("));
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("filters nest too deeply"));
        }
        let mut arguments = Vec::new();
        for (index, parameter) in function.parameters().iter().enumerate() {
            if index > 0 {
                self.expect(",", "expected another argument")?;
            }
            let operand = self.operand()?;
            arguments.push(match (parameter, operand) {
                (Type::Nodes, Operand::Query(query)) => Argument::Nodes(query),
                (Type::Value, operand) if operand.is_comparable() => Argument::Value(operand),
                _ => return Err(self.error("the argument is of another type than the function takes")),
            });
        }
        self.depth -= 1;
        self.expect(")", "expected )")?;
        Ok(Call { function, arguments })
    }
}
