//! A report is read through a window that slides; what crosses its border is read as if there were none.

use test_report::Place;

use crate::fixtures::read;

/// The size of the window.
const WINDOW: usize = 256 << 10;

/// The same test at every place around the border of the window.
#[test]
fn a_test_on_the_border_is_read_whole() {
    let case = "<testcase classname='c\u{e4}' name=\"a&lt;b\"><failure>x &amp;\u{20ac} <![CDATA[ ]] ]]>&#x41;</failure></testcase>";
    for filler in ["<!--*-->", "<system-out>*</system-out>", "<system-out><![CDATA[*]]></system-out>", "*"] {
        for back in 0..case.len() + 30 {
            let (before, after) = filler.split_once('*').unwrap_or_default();
            let start = format!("<testsuite name='s'>{before}");
            let letter = if filler == "*" { "\n" } else { "x" };
            let padding = letter.repeat(WINDOW - back - start.len() - after.len() + 15);
            let xml = format!("{start}{padding}{after}{case}<testcase name='last'/></testsuite>");
            let summary = read("r.xml", xml.as_bytes(), None).unwrap();
            assert_eq!((summary.tests().total, summary.tests().failed), (2, 1), "{filler} {back}");
            let failing = summary.failing()[0];
            assert_eq!(failing.id, "c\u{e4}::a<b", "{filler} {back}");
            assert_eq!(failing.message, "x &\u{20ac}  ]] A", "{filler} {back}");
        }
    }
}

#[test]
fn places_are_right_behind_many_windows() {
    for (line, count) in [("<a>\u{e4}</a>\n", 100_000), ("<a>\u{e4}\u{20ac}</a>", 100_000), ("<!-- \n\n -->x", 60_000)]
    {
        let text = format!("<testsuite>{}&nbsp;", line.repeat(count));
        let error = read("r.xml", text.as_bytes(), None).unwrap_err();
        let before = &text[..text.len() - "&nbsp;".len()];
        let last = before.rsplit('\n').next().unwrap();
        let expected =
            Place::Text { line: before.matches('\n').count() as u64 + 1, column: last.chars().count() as u64 + 1 };
        assert_eq!(error.place(), Some(expected), "{line:?}");
    }
}

#[test]
fn a_tag_may_be_longer_than_the_window() {
    let name = "n".repeat(3 * WINDOW);
    let xml = format!(
        "<testsuite>\n<testcase classname='c' name='{name}'><failure message='{name}'/></testcase></testsuite>"
    );
    let summary = read("r.xml", xml.as_bytes(), None).unwrap();
    assert_eq!(summary.tests().failed, 1);
    assert_eq!(summary.failing()[0].id.len(), "c::".len() + 1024);
    assert_eq!(summary.failing()[0].message.len(), 500);
}
