//! Values in the markup of each form.

use minijinja::Error;
use minijinja::value::Value;
use stagegate_config::TemplateForm;
use stagegate_slack::Text;
use url::Url;

use super::engine::Markup;
use crate::inert::{inert, inert_line};

/// Separates what would be markup, and is not seen.
const SEPARATOR: char = '\u{200b}';
/// The most characters of a value.
const LONGEST: usize = 4000;

/// A value as text that cannot act. Nothing at all is no text.
pub(super) fn escape(form: TemplateForm, value: &Value) -> Result<String, Error> {
    if form == TemplateForm::Json {
        let json = serde_json::to_string(value);
        return json.map_err(|error| Error::new(minijinja::ErrorKind::BadSerialization, error.to_string()));
    }
    if value.is_none() || value.is_undefined() {
        return Ok(String::new());
    }
    Ok(text(form, &value.to_string()))
}

/// Foreign text in a form of text.
fn text(form: TemplateForm, text: &str) -> String {
    let text = inert(text, LONGEST);
    match form {
        TemplateForm::Slack => Text::escaped(&plain_marks(&text)).to_markup(),
        TemplateForm::Teams => without_brackets(&plain_marks(&text)),
        TemplateForm::Mail | TemplateForm::Json => text,
    }
}

/// Shows the marks that format text by signs that look like them, and keeps a line from being a heading, a quotation or an
/// item of a list.
fn plain_marks(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            shown.push('\n');
        }
        let line = line.trim_start();
        if begins_block(line) {
            shown.push(SEPARATOR);
        }
        let mut before = None;
        let mut rest = line.chars().peekable();
        while let Some(character) = rest.next() {
            let is_inside = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
            shown.push(match character {
                '*' => '\u{2217}',
                '~' => '\u{223c}',
                '`' => '\'',
                // Within a word it formats nothing, and belongs to a name.
                '_' if is_inside(before.as_ref()) && is_inside(rest.peek()) => '_',
                '_' => '\u{2cd}',
                other => other,
            });
            before = Some(character);
        }
    }
    shown
}

/// Whether a line would be a heading, a quotation, a rule, a table or an item of a list.
fn begins_block(line: &str) -> bool {
    let after_digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = after_digits.len() < line.len() && after_digits.starts_with(['.', ')']);
    is_numbered || line.starts_with(['#', '>', '-', '+', '=', ':', '|'])
}

/// Keeps brackets from making a link or a tag, braces from making a date of the card, and a backslash from changing what
/// follows.
fn without_brackets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => shown.push_str("&\u{200b}"),
            '[' | ']' | '<' | '>' | '!' | '\\' | '{' => shown.extend([character, SEPARATOR]),
            other => shown.push(other),
        }
    }
    shown
}

/// A link to a web page, or its label alone where it leads to none.
pub(super) fn linked(form: TemplateForm, url: &str, label: &str) -> Markup {
    let page = url.parse().ok().filter(|url: &Url| url.scheme() == "https" && url.as_str().len() <= 2000);
    let label = inert_line(label, 600);
    let markup = match (form, page) {
        (TemplateForm::Slack, Some(url)) => Text::link(&url, &label).to_markup(),
        (TemplateForm::Teams, Some(url)) => {
            let target = url.as_str().replace('(', "%28").replace(')', "%29").replace('\\', "%5C").replace('{', "%7B");
            format!("[{}]({target})", text(form, &label))
        }
        (TemplateForm::Mail, Some(url)) if label == inert_line(url.as_str(), 600) => url.to_string(),
        (TemplateForm::Mail, Some(url)) => format!("{} ({url})", text(form, &label)),
        (form, _) => text(form, &label),
    };
    Markup { markup, text: label }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_foreign_text_are_text() {
        for (form, given, expected) in [
            (TemplateForm::Slack, "<!channel> & *b*", "&lt;!channel&gt; &amp; \u{2217}b\u{2217}"),
            (TemplateForm::Slack, "a_b _c_", "a_b \u{2cd}c\u{2cd}"),
            (TemplateForm::Slack, "x\n> y", "x\n\u{200b}&gt; y"),
            (TemplateForm::Teams, "[a](https://b)", "[\u{200b}a]\u{200b}(https:\u{200b}//b)"),
            (TemplateForm::Teams, "- a\n# b", "\u{200b}- a\n\u{200b}# b"),
            (TemplateForm::Teams, "{{{DATE(x)}}", "{\u{200b}{\u{200b}{\u{200b}DATE(x)}}"),
            (TemplateForm::Mail, "see https://b @all", "see https:\u{200b}//b @\u{200b}all"),
        ] {
            assert_eq!(text(form, given), expected, "{form:?} {given}");
        }
    }

    #[test]
    fn a_link_leads_to_a_page_or_is_text() {
        let link = |form, url, label| linked(form, url, label).markup;
        assert_eq!(link(TemplateForm::Slack, "https://a.b/c", "x>y"), "<https://a.b/c|x&gt;y>");
        assert_eq!(link(TemplateForm::Teams, "https://a.b/(c)", "x]y"), "[x]\u{200b}y](https://a.b/%28c%29)");
        assert_eq!(link(TemplateForm::Teams, "https://a.b/?{{DATE", "x"), "[x](https://a.b/?%7B%7BDATE)");
        assert_eq!(link(TemplateForm::Mail, "https://a.b/c", "x"), "x (https://a.b/c)");
        assert_eq!(link(TemplateForm::Slack, "javascript:alert(1)", "x"), "x");
        assert_eq!(link(TemplateForm::Teams, "http://a.b", "x"), "x");
    }
}
