# The changelog, from CHANGELOG.md to HTML. Needs html.sh, dates.sh and versions.sh.

# changelog_versions FILE: one to a line, as they stand in the file
changelog_versions() {
    sed -n 's/^## \([0-9.]*\) - .*/\1/p' "$1"
}

# render_changelog FILE: a section for each release, a list item for each change
render_changelog() {
    _open=
    while IFS= read -r _line; do
        case $_line in
            '## '*)
                if [ -n "$_open" ]; then echo '</ul></section>'; fi
                _open=yes
                _heading=${_line#\#\# }
                _released=${_heading##* - }
                _date=$(format_date "$_released") || return 1
                printf '<section class="release"><h2>%s</h2><time datetime="%s">%s</time><ul>\n' \
                    "$(html_text "${_heading%% - *}")" "$_released" "$_date"
                ;;
            '- '*)
                _change=${_line#- }
                _kind=${_change%%: *}
                printf '<li><span class="kind %s">%s</span>%s</li>\n' \
                    "$(html_text "$_kind")" "$(html_text "$_kind")" "$(html_text "${_change#*: }")"
                ;;
        esac
    done <"$1"
    if [ -n "$_open" ]; then echo '</ul></section>'; fi
}
