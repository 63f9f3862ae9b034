#!/bin/sh
# `make` for a machine that may not have make yet: installs it if it is missing (root, or sudo), then runs it with the same arguments.
set -eu
cd "$(dirname "$0")/.."
if ! command -v make >/dev/null 2>&1; then
    sh deploy/packages.sh build
fi
exec make "$@"
