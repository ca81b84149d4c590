. lib/html.sh
. lib/dates.sh
. lib/versions.sh
. lib/changelog.sh

changelog() {
    printf '# Changes\n\n## 1.1.0 - 2026-02-03\n- added: Fish & chips\n- fixed: Opening hours\n\n## 1.0.0 - 2026-01-02\n- added: A menu\n' \
        >"$scratch/changes.md"
}

test_renders_a_section_for_each_release() {
    changelog
    assert_equals 2 "$(render_changelog "$scratch/changes.md" | grep -c '<section')"
    assert_equals 2 "$(render_changelog "$scratch/changes.md" | grep -c '</section>')"
}

test_renders_changes_with_their_kind() {
    changelog
    assert_contains '<li><span class="kind added">added</span>Fish &amp; chips</li>' "$(render_changelog "$scratch/changes.md")"
}

test_refuses_a_release_without_a_date() {
    printf '## 1.0.0 - soon\n- added: Nothing\n' >"$scratch/changes.md"
    ! render_changelog "$scratch/changes.md" >"$scratch/out" 2>&1 || fail 'a release without a date was rendered'
}

test_fills_in_the_whole_page() {
    COMMIT=0123456789abcdef BUILT=2026-11-20T10:00:00Z ./build.sh "$scratch/site" >"$scratch/out"
    page=$(cat "$scratch/site/index.html")
    assert_contains '<dd id="commit">0123456789ab</dd>' "$page"
    assert_contains "<dd id=\"version\">$(cat VERSION)</dd>" "$page"
    assert_equals '' "$(grep -o '@[A-Z]*@' "$scratch/site/index.html" | sort -u)"
}
