#!/bin/sh
# Runs tests/*.sh and writes one JUnit report for each of them: test.sh [FOLDER], by default reports.
# Each file is a suite, each function test_* in it a test, run in a shell of its own.
# Exit status: 0 all passed, 1 a test failed, 2 the tests could not be run.
set -u
cd "$(dirname "$0")" || exit 2
reports=${1:-reports}
mkdir -p "$reports" || exit 2
rm -f "$reports"/TEST-*.xml
work=$(mktemp -d "${TMPDIR:-/tmp}/web-tests.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT

fail() { printf '%s\n' "$1"; exit 1; }
assert_equals() { [ "$1" = "$2" ] || fail "expected [$1], got [$2]"; }
assert_contains() { case $2 in *"$1"*) ;; *) fail "expected [$1] in [$2]" ;; esac; }

# Text for XML: no markup, no characters that XML does not have.
xml() { LC_ALL=C tr -d '\000-\010\013\014\016-\037' | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'; }

# Milliseconds where `date` has them, else whole seconds.
now() {
    _now=$(date +%s%3N)
    case $_now in *[!0-9]*) echo "$(date +%s)000" ;; *) echo "$_now" ;; esac
}

seconds() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }

all=0
failed=0
for file in tests/*.sh; do
    suite=$(basename "$file" .sh)
    cases=$work/$suite.xml
    : >"$cases"
    count=0
    bad=0
    suite_began=$(now)
    for name in $(sed -n 's/^test_\([a-z0-9_]*\)().*/\1/p' "$file"); do
        began=$(now)
        scratch=$work/scratch
        rm -rf "$scratch"
        mkdir "$scratch" || exit 2
        (
            set -e
            . "./$file"
            "test_$name"
        ) >"$work/output" 2>&1
        status=$?
        count=$((count + 1))
        printf '  <testcase classname="web.%s" name="%s" time="%s"' "$suite" "$name" "$(seconds $(($(now) - began)))" >>"$cases"
        if [ "$status" -eq 0 ]; then
            echo '/>' >>"$cases"
            echo "ok      $suite: $name"
        else
            bad=$((bad + 1))
            message=$(head -n 1 "$work/output")
            echo "FAILED  $suite: $name: $message"
            {
                printf '>\n    <failure type="assertion" message="%s">' "$(printf '%s' "${message:-exit status $status}" | xml)"
                xml <"$work/output"
                printf '</failure>\n  </testcase>\n'
            } >>"$cases"
        fi
    done
    {
        echo '<?xml version="1.0" encoding="UTF-8"?>'
        printf '<testsuite name="web.%s" tests="%d" failures="%d" errors="0" skipped="0" time="%s" timestamp="%s">\n' \
            "$suite" "$count" "$bad" "$(seconds $(($(now) - suite_began)))" "$(date -u +%Y-%m-%dT%H:%M:%S)"
        cat "$cases"
        echo '</testsuite>'
    } >"$reports/TEST-$suite.xml" || exit 2
    all=$((all + count))
    failed=$((failed + bad))
done
echo "$all tests, $failed failed"
[ "$all" -gt 0 ] || exit 2
[ "$failed" -eq 0 ]
