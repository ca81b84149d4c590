#!/bin/sh
# Runs Hurl's integration suite against its own server and prints what passes.
#
#   conformance/run.sh <checkout of Hurl>/integration/hurl [part of a test's name]
#
# The server is a Flask application on port 8000; it is installed from PyPI into a folder below TMPDIR, and stopped at
# the end. The two hosts on the internet that files of the suite ask are stood in for by a server of the program itself,
# with a certificate that is made here. CARGO names another command to build with.
set -eu
suite=$(cd "${1:?the folder integration/hurl of a checkout of Hurl is missing}" && pwd)
crate=$(cd "$(dirname "$0")/.." && pwd)
tools=${TMPDIR:-/tmp}/hurl-conformance
if ! "$tools/bin/python" -c 'import bs4, flask, waitress' 2>/dev/null; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet beautifulsoup4 flask waitress
fi
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=hosts of the suite' -keyout "$tools/key.pem" \
    -addext 'subjectAltName=DNS:google.com,DNS:hurl.dev' -addext 'basicConstraints=critical,CA:FALSE' \
    -out "$tools/certificate.pem" 2>/dev/null
(cd "$crate" && "${CARGO:-cargo}" build --quiet --package stagegate-hurl-runner --example conformance)
# What the scripts of the suite make before they run.
mkdir -p "$suite/build/tmp"
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
export CONFORMANCE_CERTIFICATE="$tools/certificate.pem" CONFORMANCE_KEY="$tools/key.pem"
# The runner trusts the authorities of the system, which this variable replaces.
export SSL_CERT_FILE="$CONFORMANCE_CERTIFICATE"
"${CARGO:-cargo}" run --quiet --package stagegate-hurl-runner --example conformance -- "$suite" ${2:+"$2"}
