//! The core function library of XPath 1.0 (section 4).

use super::evaluate::{Context, Evaluated, Evaluation, Outcome, as_float, in_document_order, text_number};
use super::expression::Expression;
use super::tree::{Kind, NodeId};

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:expr;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Function {
            $($variant,)*
        }

        impl Function {
            pub(super) fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Whether the function takes so many arguments.
            pub(super) fn accepts(self, count: usize) -> bool {
                match self {
                    $(Self::$variant => ($least..=$most).contains(&count),)*
                }
            }
        }
    };
}

functions! {
    Last "last" 0 0;
    Position "position" 0 0;
    Count "count" 1 1;
    Id "id" 1 1;
    LocalName "local-name" 0 1;
    NamespaceUri "namespace-uri" 0 1;
    Name "name" 0 1;
    String "string" 0 1;
    Concat "concat" 2 usize::MAX;
    StartsWith "starts-with" 2 2;
    Contains "contains" 2 2;
    SubstringBefore "substring-before" 2 2;
    SubstringAfter "substring-after" 2 2;
    Substring "substring" 2 3;
    StringLength "string-length" 0 1;
    NormalizeSpace "normalize-space" 0 1;
    Translate "translate" 3 3;
    Boolean "boolean" 1 1;
    Not "not" 1 1;
    True "true" 0 0;
    False "false" 0 0;
    Lang "lang" 1 1;
    Number "number" 0 1;
    Sum "sum" 1 1;
    Floor "floor" 1 1;
    Ceiling "ceiling" 1 1;
    Round "round" 1 1;
}

impl Evaluation<'_> {
    /// Calls a function. The parser has checked the number of arguments.
    pub(super) fn call(&self, function: Function, arguments: &[Expression], context: Context) -> Evaluated<Outcome> {
        use Function as F;
        Ok(match function {
            F::Last => Outcome::Number(as_float(context.size)),
            F::Position => Outcome::Number(as_float(context.position)),
            F::Count => Outcome::Number(as_float(self.nodes(&arguments[0], context)?.len())),
            F::Id => Outcome::Nodes(self.id(&self.value(&arguments[0], context)?)?),
            F::Boolean => Outcome::Boolean(self.truth(&arguments[0], context)?),
            F::Not => Outcome::Boolean(!self.truth(&arguments[0], context)?),
            F::True => Outcome::Boolean(true),
            F::False => Outcome::Boolean(false),
            F::Lang => Outcome::Boolean(self.lang(&self.text(&arguments[0], context)?, context.node)),
            F::LocalName | F::NamespaceUri | F::Name => {
                let node = match arguments.first() {
                    Some(argument) => self.nodes(argument, context)?.first().copied(),
                    None => Some(context.node),
                };
                Outcome::String(node.map_or_else(String::new, |node| self.name(function, node)))
            }
            F::Number => Outcome::Number(match arguments.first() {
                Some(argument) => self.number(argument, context)?,
                None => text_number(&self.string_value(context.node)?),
            }),
            F::Sum => {
                let nodes = self.nodes(&arguments[0], context)?;
                let numbers = nodes.into_iter().map(|node| Ok(text_number(&self.string_value(node)?)));
                Outcome::Number(numbers.sum::<Evaluated<f64>>()?)
            }
            F::Floor => Outcome::Number(self.number(&arguments[0], context)?.floor()),
            F::Ceiling => Outcome::Number(self.number(&arguments[0], context)?.ceil()),
            F::Round => Outcome::Number((self.number(&arguments[0], context)? + 0.5).floor()),
            _ => self.text_function(function, arguments, context)?,
        })
    }

    fn text_function(&self, function: Function, arguments: &[Expression], context: Context) -> Evaluated<Outcome> {
        use Function as F;
        let mut texts = Vec::new();
        for argument in arguments {
            texts.push(self.text(argument, context)?);
        }
        if texts.is_empty() {
            texts.push(self.string_value(context.node)?);
        }
        let text = texts[0].as_str();
        let second = texts.get(1).map_or("", String::as_str);
        Ok(match function {
            F::StartsWith => Outcome::Boolean(text.starts_with(second)),
            F::Contains => Outcome::Boolean(text.contains(second)),
            F::StringLength => Outcome::Number(as_float(text.chars().count())),
            F::Concat => Outcome::String(texts.concat()),
            F::SubstringBefore => Outcome::String(text.split_once(second).map_or("", |(before, _)| before).to_owned()),
            F::SubstringAfter => Outcome::String(text.split_once(second).map_or("", |(_, after)| after).to_owned()),
            F::Substring => {
                let length = arguments.get(2).map(|argument| self.number(argument, context)).transpose()?;
                Outcome::String(substring(text, self.number(&arguments[1], context)?, length))
            }
            F::NormalizeSpace => {
                let words = text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty());
                Outcome::String(words.collect::<Vec<_>>().join(" "))
            }
            F::Translate => Outcome::String(translate(text, second, &texts[2])),
            _ => Outcome::String(text.to_owned()),
        })
    }

    fn name(&self, function: Function, id: NodeId) -> String {
        let node = self.document.node(id);
        match function {
            Function::NamespaceUri => node.namespace.clone().unwrap_or_default(),
            Function::LocalName => node.local_name().to_owned(),
            _ => node.name.clone(),
        }
    }

    /// The elements with one of the identifiers. HTML has them in `id`; in XML, without a document type, `xml:id`.
    fn id(&self, value: &Outcome) -> Evaluated<Vec<NodeId>> {
        let text = match value {
            Outcome::Nodes(nodes) => {
                let texts: Evaluated<Vec<_>> = nodes.iter().map(|&node| self.string_value(node)).collect();
                texts?.join(" ")
            }
            other => self.as_text(other)?,
        };
        let name = if self.document.is_html { "id" } else { "xml:id" };
        let wanted: Vec<&str> = text.split_ascii_whitespace().collect();
        let attributes = self.document.nodes.iter().filter(|node| node.kind == Kind::Attribute && node.name == name);
        let elements = attributes.filter(|node| wanted.contains(&node.value.as_str())).filter_map(|node| node.parent);
        Ok(in_document_order(elements.collect()))
    }

    /// Whether the nearest `xml:lang` (or `lang` in HTML) is `wanted` or a dialect of it.
    fn lang(&self, wanted: &str, node: NodeId) -> bool {
        let attribute = if self.document.is_html { "lang" } else { "xml:lang" };
        let mut ancestors = std::iter::successors(Some(node), |&id| self.document.node(id).parent);
        let found = ancestors.find_map(|id| {
            let attributes = &self.document.node(id).attributes;
            attributes.iter().map(|&id| self.document.node(id)).find(|node| node.name == attribute)
        });
        found.is_some_and(|node| {
            let (value, wanted) = (node.value.to_ascii_lowercase(), wanted.to_ascii_lowercase());
            value == wanted || value.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('-'))
        })
    }
}

/// The characters at the positions `p` with `round(start) <= p < round(start) + round(length)`; positions begin at 1.
fn substring(text: &str, start: f64, length: Option<f64>) -> String {
    let round = |value: f64| (value + 0.5).floor();
    let start = round(start);
    let end = length.map_or(f64::INFINITY, |length| start + round(length));
    let kept = text.chars().enumerate().filter(|(index, _)| {
        let position = as_float(index + 1);
        position >= start && position < end
    });
    kept.map(|(_, character)| character).collect()
}

fn translate(text: &str, from: &str, to: &str) -> String {
    let to: Vec<char> = to.chars().collect();
    let translated = text.chars().filter_map(|character| match from.chars().position(|other| other == character) {
        Some(index) => to.get(index).copied(),
        None => Some(character),
    });
    translated.collect()
}
