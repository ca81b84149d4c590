#!/bin/sh
# Runs Hurl's integration suite against its own server and prints what passes.
#
#   conformance/run.sh <checkout of Hurl>/integration/hurl [part of a test's name]
#
# The server is a Flask application; it is installed from PyPI into a folder below TMPDIR, and stopped at the end.
set -eu
suite=$(cd "${1:?the folder integration/hurl of a checkout of Hurl is missing}" && pwd)
filter=${2:-}
tools=${TMPDIR:-/tmp}/hurl-conformance
if [ ! -x "$tools/bin/python" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet flask beautifulsoup4
fi
cargo build --quiet --release --package stagegate-hurl-runner --example conformance 2>/dev/null ||
    cargo build --package stagegate-hurl-runner --example conformance
binary=$(find "$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')" \
    -path '*/examples/conformance' -type f | head -n 1)
mkdir -p "$suite/build"
(cd "$suite" && exec "$tools/bin/python" server.py >"$tools/server.log" 2>&1) &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if curl --silent --output /dev/null http://127.0.0.1:8000/hello; then break; fi
    sleep 0.5
done
"$binary" "$suite" $filter
