. lib/versions.sh

test_recognises_versions() {
    for version in 0.0.1 1.4.0 10.20.30; do
        is_version "$version" || fail "$version is a version"
    done
    for version in 1 1.4 1.4.0.1 1..4 v1.4.0 1.4.0-rc1 .1.4 ''; do
        ! is_version "$version" || fail "'$version' is not a version"
    done
}

test_compares_numbers_and_not_text() {
    assert_equals 1 "$(compare_versions 1.10.0 1.9.3)"
    assert_equals -1 "$(compare_versions 1.9.3 1.10.0)"
}

test_finds_equal_versions_equal() {
    assert_equals 0 "$(compare_versions 2.0.1 2.0.1)"
}

test_finds_the_newest_version() {
    assert_equals 1.10.2 "$(printf '1.9.9\n1.10.2\n1.2.30\n' | newest_version)"
}
