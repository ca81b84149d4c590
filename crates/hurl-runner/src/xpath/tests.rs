use super::*;

fn eval(document: &Document, expression: &str) -> String {
    match evaluate(document, expression) {
        Ok(value) => value.to_string(),
        Err(error) => format!("{error:?}"),
    }
}

const XML: &str = r#"<?xml version="1.0"?>
<!-- head -->
<r xmlns="urn:d" xmlns:b="urn:b" xml:lang="en-GB"><?go now?>
  <b:a id="1" b:n="x">one<c xmlns="">deep</c>&lt;<![CDATA[<&>]]></b:a>
  <b:a id="2">two</b:a><b:a id="3">three</b:a>
  <n>4</n><n>5</n><n>-1.5</n>
</r>"#;

const HTML: &str = r#"<!DOCTYPE html><title>T &amp; t</title><meta charset=utf-8>
<p class="x">one<p class=y>two<br>three
<table><tr><td>a<td>b<tr><td>c</table>
<ul><li>1<li>2<ul><li>2.1</ul><li>3</ul>
<div id="d">caf&eacute; <b>bold</b><script>if (a < b && c > d) {}</script></div>
<DIV Data-X="1">é</DIV>"#;

/// Expressions over [`XML`] and their values.
const OVER_XML: &[(&str, &str)] = &[
    ("count(//b:a)", "3.0"),
    ("count(//_:n)", "3.0"),
    ("count(//n)", "0.0"),
    ("count(//c)", "1.0"),
    ("//b:a", "Nodeset(size=3)"),
    ("string(//b:a[2])", "two"),
    ("string(//b:a[@id='3'])", "three"),
    ("string(//b:a[last()]/@id)", "3"),
    ("string(//b:a/@b:n)", "x"),
    ("string(/_:r/b:a[1])", "onedeep<<&>"),
    ("string(//b:a[1]/text()[1])", "one"),
    ("count(//b:a[1]/node())", "3.0"),
    ("sum(//_:n)", "7.5"),
    ("number(//_:n[3]) = -1.5", "true"),
    ("//_:n = 5", "true"),
    ("//_:n != 5", "true"),
    ("//_:n > 5", "false"),
    ("not(//b:x)", "true"),
    ("string(//c/..//@id)", "1"),
    ("name(//b:a)", "b:a"),
    ("local-name(//b:a)", "a"),
    ("namespace-uri(//b:a)", "urn:b"),
    ("name(/*)", "r"),
    ("count(/comment())", "1.0"),
    ("string(//processing-instruction('go'))", "now"),
    ("count(//b:a[2]/preceding-sibling::b:a)", "1.0"),
    ("string(//b:a[3]/preceding-sibling::b:a[1]/@id)", "2"),
    ("string((//b:a[3]/preceding-sibling::b:a)[1]/@id)", "1"),
    ("count(//b:a[1]/following::*)", "5.0"),
    ("count(//_:n[1]/preceding::*)", "4.0"),
    ("count(//c/ancestor::*)", "2.0"),
    ("count(//c/ancestor-or-self::node())", "4.0"),
    ("string(//*[lang('en')][2]/@id)", "2"),
    ("count(//b:a | //c | //b:a)", "4.0"),
    ("1 + 2 * 3 - -4 div 2", "9.0"),
    ("5 mod 3", "2.0"),
    ("'a' < 'b'", "false"),
    ("true() = 'x'", "true"),
    ("concat('a', 1, true())", "a1true"),
    ("substring('12345', 1.5, 2.6)", "234"),
    ("substring('12345', 0, 3)", "12"),
    ("substring('12345', 2)", "2345"),
    ("substring-before('1999/04', '/')", "1999"),
    ("substring-after('1999/04', '/')", "04"),
    ("normalize-space('  a  b ')", "a b"),
    ("translate('bar', 'abc', 'AB')", "BAr"),
    ("string-length('é')", "1.0"),
    ("round(-2.5)", "-2.0"),
    ("floor(2.6) + ceiling(2.1)", "5.0"),
    ("string(1 div 0)", "Infinity"),
    ("string(number('x'))", "NaN"),
    ("string(0.5)", "0.5"),
    ("string(-0)", "0"),
    ("count(//@*)", "5.0"),
    ("count(/descendant-or-self::node()/attribute::b:*)", "1.0"),
    ("//b:a[position()=2 and @id='2' or false()]", "Nodeset(size=1)"),
];

#[test]
fn evaluates_over_xml() {
    let document = Document::parse_xml(XML).unwrap();
    for (expression, expected) in OVER_XML {
        assert_eq!(eval(&document, expression), *expected, "{expression}");
    }
}

#[test]
fn evaluates_over_html_as_libxml_builds_it() {
    let document = Document::parse_html(HTML).unwrap();
    for (expression, expected) in [
        ("string(/html/head/title)", "T & t"),
        ("count(/html/head/meta)", "1.0"),
        ("count(/html/body/p)", "2.0"),
        ("string(//p[@class='x'])", "one"),
        ("count(//table/tr)", "2.0"),
        ("count(//table//td)", "3.0"),
        ("count(//tbody)", "0.0"),
        ("count(/html/body/ul/li)", "3.0"),
        ("string(/html/body/ul/li[2]/ul/li)", "2.1"),
        ("normalize-space(//div[@id='d']/text()[1])", "café"),
        ("string(//div/script)", "if (a < b && c > d) {}"),
        ("string(//div[2]/@data-x)", "1"),
        ("string(id('d')/b)", "bold"),
        ("//nope", "Nodeset(size=0)"),
    ] {
        assert_eq!(eval(&document, expression), expected, "{expression}");
    }
    for (html, expression, expected) in [
        ("bare", "string(/html/body/p)", "bare"),
        ("<b>x</b>", "string(/html/body/b)", "x"),
        ("<html><body><p>a</body></html><p>b", "count(/html/body/p)", "2.0"),
        ("<html><body>a</body>\n</html>\n", "string(//body)", "a"),
        ("<div><p>a</div>b", "string(/html/body)", "ab"),
        ("<p>a</b>b</p>", "string(//p)", "ab"),
        ("<select><option>a<option>b</select>", "count(//option)", "2.0"),
        ("<textarea><b></textarea>", "string(//textarea)", "<b>"),
        ("<body a=1><body a=2 b=3>", "concat(/html/body/@a, /html/body/@b)", "13"),
    ] {
        let document = Document::parse_html(html).unwrap();
        assert_eq!(eval(&document, expression), expected, "{html}");
    }
    assert!(Document::parse_html("").is_none());
}

#[test]
fn refuses_what_it_can_not_evaluate() {
    for expression in [
        "",
        "//",
        "a[",
        "a[]",
        "a b",
        "f()",
        "$x",
        "count()",
        "count(1,2)",
        "a/",
        "'a",
        "1..2",
        "namespace::a",
        "@",
        "a::b",
        "!a",
        "a ! b",
        "text(",
        "self::",
        "a | ",
        "string(1,2)",
        "((1)",
    ] {
        assert!(check(expression).is_err(), "{expression}");
    }
    assert!(check(&format!("{}1{}", "(".repeat(300), ")".repeat(300))).is_err());
    let document = Document::parse_xml("<a/>").unwrap();
    for expression in ["//x:a", "count(1)", "1 | 2", "'a'/b"] {
        assert!(matches!(evaluate(&document, expression), Err(Error::Invalid(_))), "{expression}");
    }
}

#[test]
fn refuses_xml_that_is_not_well_formed() {
    for text in
        ["", "x", "<a>", "<a></b>", "<a/><b/>", "<a/>x", "<a b='1' b='2'/>", "<x:a/>", "<a>&nbsp;</a>", "<a b=1/>"]
    {
        assert!(Document::parse_xml(text).is_none(), "{text}");
    }
    assert!(Document::parse_xml(&"<a>".repeat(100_000)).is_none());
    let deep = "<div>".repeat(100_000);
    assert_eq!(eval(&Document::parse_html(&deep).unwrap(), "count(//div) > 1000"), "true");
}

#[test]
fn gives_up_on_an_expression_that_multiplies_its_work() {
    let document = Document::parse_xml(&format!("<a>{}</a>", "<b/>".repeat(3000))).unwrap();
    assert_eq!(evaluate(&document, "count(//b[count(//b[count(//b) > 0]) > 0])"), Err(Error::TooManySteps));
}

#[test]
fn unescapes_character_references() {
    for (text, expected) in [
        ("a &lt; b &amp;&amp; c", "a < b && c"),
        ("&eacute;&#233;&#xe9;", "ééé"),
        ("&nbsp;&copy", "\u{a0}©"),
        ("&unknown; & \r\n </p>", "&unknown; & \r\n </p>"),
    ] {
        assert_eq!(unescape_html(text), expected);
    }
}
