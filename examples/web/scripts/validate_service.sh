#!/bin/sh
# Checks that the instance has the whole site, and that it is served where there is a program to ask it.
set -eu
site="${INSTANCE_ROOT:-}/var/www/html"
url=${INSTANCE_URL:-http://localhost}
version=$(sed -n 's/.*"version":"\([0-9.]*\)".*/\1/p' "$site/version.json")
[ -n "$version" ] || { echo "version.json has no version" >&2; exit 1; }
grep -q "id=\"version\">$version<" "$site/index.html" || { echo "the page does not show version $version" >&2; exit 1; }
if grep -q '@[A-Z]*@' "$site/index.html"; then
    echo "the page still has a placeholder: $(grep -o '@[A-Z]*@' "$site/index.html" | head -n 1)" >&2
    exit 1
fi
if command -v curl >/dev/null 2>&1; then
    curl -fsS --noproxy '*' --max-time 10 "$url/version.json" | grep -q "\"version\":\"$version\"" ||
        { echo "$url does not serve version $version" >&2; exit 1; }
fi
echo "version $version is in place"
