#!/bin/sh
# Runs Hurl's integration suite against its own server and prints what passes.
#
#   conformance/run.sh <checkout of Hurl>/integration/hurl [part of a test's name]
#
# The server is a Flask application on port 8000; it is installed from PyPI into a folder below TMPDIR, and stopped at
# the end. CARGO names another command to build with.
set -eu
suite=$(cd "${1:?the folder integration/hurl of a checkout of Hurl is missing}" && pwd)
crate=$(cd "$(dirname "$0")/.." && pwd)
tools=${TMPDIR:-/tmp}/hurl-conformance
if [ ! -x "$tools/bin/python" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet flask beautifulsoup4
fi
(cd "$crate" && "${CARGO:-cargo}" build --quiet --package stagegate-hurl-runner --example conformance)
# What the scripts of the suite make before they run.
mkdir -p "$suite/build"
dd if=/dev/zero of="$suite/build/post_large.bin" bs=15728640 count=1 2>/dev/null
(cd "$suite" && exec "$tools/bin/python" server.py >"$tools/server.log" 2>&1) &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
attempt=0
until curl --silent --output /dev/null http://127.0.0.1:8000/hello; do
    attempt=$((attempt + 1))
    if [ "$attempt" -gt 40 ]; then
        echo "the server did not start; see $tools/server.log" >&2
        exit 1
    fi
    sleep 0.5
done
cd "$crate"
"${CARGO:-cargo}" run --quiet --package stagegate-hurl-runner --example conformance -- "$suite" ${2:+"$2"}
