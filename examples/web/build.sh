#!/bin/sh
# Renders the site into a folder: build.sh [FOLDER], by default dist/site.
# COMMIT and BUILT, where set, say what was built and when.
set -eu
cd "$(dirname "$0")"
. lib/html.sh
. lib/dates.sh
. lib/versions.sh
. lib/changelog.sh

out=${1:-dist/site}
version=$(cat VERSION)
is_version "$version" || { echo "VERSION is not a version: $version" >&2; exit 1; }
commit=${COMMIT:-unknown}
built=${BUILT:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}
# Rendered first and apart from the page: a changelog that cannot be read must fail the build.
changes=$(render_changelog CHANGELOG.md)

mkdir -p "$out"
cp templates/style.css "$out/style.css"

# The values go to awk by the environment, where no character has a meaning.
V=$(html_text "$version") C=$(html_text "$(printf '%.12s' "$commit")") B=$(html_text "$built") CHANGES=$changes \
    COUNT=$(changelog_versions CHANGELOG.md | wc -l | tr -d ' ') NEWEST=$(changelog_versions CHANGELOG.md | newest_version) \
    awk '
    function put(line, name, value,    at, done) {
        done = ""
        while ((at = index(line, name)) > 0) {
            done = done substr(line, 1, at - 1) value
            line = substr(line, at + length(name))
        }
        return done line
    }
    {
        line = put($0, "@VERSION@", ENVIRON["V"])
        line = put(line, "@COMMIT@", ENVIRON["C"])
        line = put(line, "@BUILT@", ENVIRON["B"])
        line = put(line, "@COUNT@", ENVIRON["COUNT"])
        line = put(line, "@NEWEST@", ENVIRON["NEWEST"])
        print put(line, "@CHANGES@", ENVIRON["CHANGES"])
    }' templates/page.html >"$out/index.html"

printf '{"version":"%s","commit":"%s","built":"%s"}\n' "$version" "$commit" "$built" >"$out/version.json"
echo "built version $version into $out"
