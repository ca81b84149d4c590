//! Reads JSON into values: whole numbers of any length keep their digits, members are sorted by name and the last
//! of several with one name counts, as Hurl has it.

use super::{Number, Value};

/// The deepest nesting that is read. Deeper documents are refused, because evaluation recurses.
const DEPTH_MAX: usize = 128;

/// Reads a document; `None` where it is not JSON or nests too deeply.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let mut parser = Parser { rest: text };
    let value = parser.value(0)?;
    parser.skip_space();
    parser.rest.is_empty().then_some(value)
}

struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip_space();
        match self.rest.bytes().next()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Value::String),
            b't' => self.take("true").map(|()| Value::Bool(true)),
            b'f' => self.take("false").map(|()| Value::Bool(false)),
            b'n' => self.take("null").map(|()| Value::Null),
            _ => self.number(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.take("[")?;
        let mut values = Vec::new();
        self.skip_space();
        if self.take("]").is_some() {
            return Some(Value::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(",").is_none() {
                self.take("]")?;
                return Some(Value::List(values));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.take("{")?;
        let mut members = std::collections::BTreeMap::new();
        self.skip_space();
        if self.take("}").is_some() {
            return Some(Value::Object(Vec::new()));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.take(":")?;
            members.insert(name, self.value(depth + 1)?);
            self.skip_space();
            if self.take(",").is_none() {
                self.take("}")?;
                return Some(Value::Object(members.into_iter().collect()));
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut text = String::new();
        loop {
            let plain = self.rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            text.push_str(&self.rest[..plain]);
            self.rest = &self.rest[plain..];
            if self.take("\"").is_some() {
                return Some(text);
            }
            self.take("\\")?;
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.code_unit()?;
                if let Some(character) = char::from_u32(high) {
                    return Some(character);
                }
                self.take("\\u")?;
                let low = self.code_unit()?;
                if !(0xD800..0xDC00).contains(&high) || !(0xDC00..0xE000).contains(&low) {
                    return None;
                }
                char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?
            }
            _ => return None,
        })
    }

    fn code_unit(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        self.rest = &self.rest[4..];
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
        let (text, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        parse_number(text).map(Value::Number)
    }
}

/// Reads a number with JSON's grammar.
pub(crate) fn parse_number(text: &str) -> Option<Number> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_valid = digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    if !is_valid {
        return None;
    }
    if fraction.is_some() || exponent.is_some() {
        return text.parse().ok().filter(|value: &f64| value.is_finite()).map(Number::Float);
    }
    Some(text.parse().map_or_else(|_| Number::BigInteger(text.to_owned()), Number::Integer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_json_is_and_nothing_else() {
        for (text, expected) in [
            ("null", "null"),
            (" [1, -2.5e1 ,\"a\\u00e9\\ud83d\\ude00\\n\"] ", "[1,-25.0,aé😀\n]"),
            ("12345678901234567890", "12345678901234567890"),
            ("[[],{}]", "[[],Object()]"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected, "{text}");
        }
        for text in [
            "",
            "01",
            "1.",
            ".5",
            "+1",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "\"\n\"",
            "\"\\ud800\"",
            "1 2",
            "nul",
            "[1",
            "\"\\x\"",
            "-",
            "1e",
            "NaN",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
        assert!(parse(&format!("{}{}", "[".repeat(128), "]".repeat(128))).is_some());
        assert!(parse(&"[".repeat(200_000)).is_none());
    }

    #[test]
    fn members_are_sorted_and_the_last_of_a_name_counts() {
        let Some(Value::Object(members)) = parse("{\"b\":1,\"a\":2,\"b\":3}") else { panic!("no object") };
        let members: Vec<String> = members.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(members, ["a=2", "b=3"]);
    }
}
