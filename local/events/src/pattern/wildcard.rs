//! The operator `wildcard`: a star stands for any characters, a backslash takes its meaning away.

/// A parsed wildcard: texts with stars between them.
#[derive(Clone, Debug)]
pub(super) struct Wildcard {
    parts: Vec<String>,
}

impl Wildcard {
    /// # Errors
    ///
    /// What is wrong with the text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = vec![String::new()];
        let mut characters = text.chars();
        let mut after_star = false;
        while let Some(character) = characters.next() {
            let is_star = character == '*';
            if is_star && after_star {
                return Err(format!("the wildcard `{text}` has two stars in a row"));
            }
            after_star = is_star;
            let literal = match character {
                '*' => {
                    parts.push(String::new());
                    continue;
                }
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => escaped,
                    _ => {
                        return Err(format!(
                            "the wildcard `{text}` has a backslash before something other than * or \\"
                        ));
                    }
                },
                other => other,
            };
            if let Some(part) = parts.last_mut() {
                part.push(literal);
            }
        }
        Ok(Self { parts })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|only| only == text);
        };
        let Some(rest) = text.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        // Taking each part where it first occurs leaves the most for those that follow.
        for part in middle {
            match rest.find(part.as_str()) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}
