# Text that goes into a page must not become markup.

# html_escape: standard input as the text of an HTML element or attribute
html_escape() {
    sed -e 's/&/\&amp;/g' \
        -e 's/</\&lt;/g' \
        -e 's/>/\&gt;/g' \
        -e 's/"/\&quot;/g' \
        -e "s/'/\\&#39;/g"
}

# html_text TEXT: the same for an argument
html_text() {
    printf '%s\n' "$1" | html_escape
}
