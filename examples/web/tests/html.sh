. lib/html.sh

test_escapes_ampersands_once() {
    assert_equals 'fish &amp; chips, &amp;amp;' "$(html_text 'fish & chips, &amp;')"
}

test_escapes_markup() {
    assert_equals '&lt;script&gt;alert(1)&lt;/script&gt;' "$(html_text '<script>alert(1)</script>')"
}

test_escapes_quotes_for_attributes() {
    assert_equals '&quot;it&#39;s&quot;' "$(html_text "\"it's\"")"
}

test_leaves_other_text_alone() {
    assert_equals 'Tiefgang 3,5 m \ $HOME `x` %s' "$(html_text 'Tiefgang 3,5 m \ $HOME `x` %s')"
}
