//! Templates, expressions and the bodies that are made of them.

use hurl_core::ast::{
    Bytes, Expr, ExprKind, File, Function, JsonValue, MultilineString, MultilineStringKind, Placeholder, Template,
    TemplateElement,
};
use hurl_core::types::ToSource as _;

use crate::fault::Fault;
use crate::files::FileRoot;
use crate::value::{Value, json};
use crate::variables::Variables;

/// What an expression can refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'s> {
    pub(crate) variables: &'s Variables,
    pub(crate) files: &'s FileRoot,
    /// Whether a JSONPath with one result yields the value in place of a list of one.
    pub(crate) jsonpath_coercion: bool,
}

impl Scope<'_> {
    pub(crate) fn value(&self, expr: &Expr) -> Result<Value, Fault> {
        match &expr.kind {
            ExprKind::Variable(variable) => match self.variables.get(&variable.name) {
                Some(value) => Ok(value.clone()),
                None => Err(Fault::undefined_variable(variable.source_info, &variable.name)),
            },
            ExprKind::Function(Function::NewDate) => Ok(Value::Date(std::time::SystemTime::now().into())),
            ExprKind::Function(Function::NewUuid) => Ok(Value::String(uuid::Uuid::new_v4().to_string())),
        }
    }

    pub(crate) fn render(&self, expr: &Expr) -> Result<String, Fault> {
        let value = self.value(expr)?;
        value.rendered().ok_or_else(|| Fault::unrenderable(expr.source_info, &value))
    }

    pub(crate) fn text(&self, template: &Template) -> Result<String, Fault> {
        let mut text = String::new();
        for element in &template.elements {
            match element {
                TemplateElement::String { value, .. } => text.push_str(value),
                TemplateElement::Placeholder(Placeholder { expr, .. }) => text.push_str(&self.render(expr)?),
            }
        }
        Ok(text)
    }

    pub(crate) fn file(&self, file: &Template) -> Result<Vec<u8>, Fault> {
        let name = self.text(file)?;
        self.files.read(&name).map_err(|fault| Fault::file(file.source_info, &name, &fault))
    }

    pub(crate) fn multiline(&self, multiline: &MultilineString) -> Result<String, Fault> {
        match &multiline.kind {
            MultilineStringKind::Text(text) | MultilineStringKind::Json(text) | MultilineStringKind::Xml(text) => {
                self.text(text)
            }
            MultilineStringKind::Raw(text) => Ok(text.to_source().to_string()),
            MultilineStringKind::GraphQl(graphql) => {
                let query = quoted(self.text(&graphql.value)?.trim());
                Ok(match &graphql.variables {
                    None => format!("{{\"query\":{query}}}"),
                    Some(variables) => {
                        format!("{{\"query\":{query},\"variables\":{}}}", self.json(&variables.value, false)?)
                    }
                })
            }
        }
    }

    /// The text of a JSON body. `keep_space` keeps the white space as it was written.
    pub(crate) fn json(&self, value: &JsonValue, keep_space: bool) -> Result<String, Fault> {
        let space = |text: &str| if keep_space { text.to_owned() } else { String::new() };
        match value {
            JsonValue::Null => Ok("null".to_owned()),
            JsonValue::Number(digits) => Ok(digits.clone()),
            JsonValue::Boolean(value) => Ok(value.to_string()),
            JsonValue::String(template) => Ok(format!("\"{}\"", self.json_text(template)?)),
            JsonValue::List { space0, elements } => {
                let elements = elements.iter().map(|element| {
                    let value = self.json(&element.value, keep_space)?;
                    Ok(space(&element.space0) + &value + &space(&element.space1))
                });
                Ok(format!("[{}{}]", space(space0), elements.collect::<Result<Vec<_>, Fault>>()?.join(",")))
            }
            JsonValue::Object { space0, elements } => {
                let members = elements.iter().map(|member| {
                    let name = self.json_text(&member.name)?;
                    let value = self.json(&member.value, keep_space)?;
                    let (before, after) = (space(&member.space0), space(&member.space1));
                    Ok(format!("{before}\"{name}\"{after}:{}{value}{}", space(&member.space2), space(&member.space3)))
                });
                Ok(format!("{{{}{}}}", space(space0), members.collect::<Result<Vec<_>, Fault>>()?.join(",")))
            }
            JsonValue::Placeholder(Placeholder { expr, .. }) => {
                let text = self.render(expr)?;
                let is_literal = matches!(text.as_str(), "true" | "false" | "null");
                if is_literal || json::parse_number(&text).is_some() {
                    Ok(text)
                } else {
                    Err(Fault::new(expr.source_info, "Invalid JSON", format!("actual value is <{text}>")))
                }
            }
        }
    }

    fn json_text(&self, template: &Template) -> Result<String, Fault> {
        let mut text = String::new();
        for element in &template.elements {
            match element {
                TemplateElement::String { source, .. } => text.push_str(source.as_str()),
                TemplateElement::Placeholder(Placeholder { expr, .. }) => escape_into(&self.render(expr)?, &mut text),
            }
        }
        Ok(text)
    }

    /// The bytes of a request body, or of a response body that is expected.
    pub(crate) fn body(&self, bytes: &Bytes) -> Result<Vec<u8>, Fault> {
        match bytes {
            Bytes::OnelineString(text) => self.text(text).map(String::into_bytes),
            Bytes::MultilineString(text) => self.multiline(text).map(String::into_bytes),
            Bytes::Xml(text) => Ok(text.clone().into_bytes()),
            Bytes::Json(value) => self.json(value, true).map(String::into_bytes),
            Bytes::Base64(literal) => Ok(literal.value.clone()),
            Bytes::Hex(literal) => Ok(literal.value.clone()),
            Bytes::File(File { filename, .. }) => self.file(filename),
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    escape_into(text, &mut quoted);
    quoted.push('"');
    quoted
}

fn escape_into(text: &str, target: &mut String) {
    for character in text.chars() {
        match character {
            '"' => target.push_str("\\\""),
            '\\' => target.push_str("\\\\"),
            '\n' => target.push_str("\\n"),
            '\r' => target.push_str("\\r"),
            '\t' => target.push_str("\\t"),
            c if c < ' ' => target.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => target.push(c),
        }
    }
}
