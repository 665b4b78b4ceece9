#!/bin/sh
# Write the three hash-pinned locks; no index or download address goes into them.
# The tests' lock is solved first and binds the others, so that one environment can hold all three.
set -eu
cd "$(dirname "$0")"
lock() {
  output=$1
  shift
  ../.venv/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-annotate -o "$output" "$@"
}
lock test.txt ../pyproject.toml build.in test.in
lock run.txt -c test.txt ../pyproject.toml
lock build.txt -c test.txt build.in
