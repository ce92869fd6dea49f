#!/bin/sh
# Build the SAML provider of Go's crewjam/saml for the tests into the cache; 40 s of one core, once.
set -eu
cd "$(dirname "$0")/../tests/real/saml/crewjam"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/actas/crewjam"
[ -x "$cache/idp" ] && [ "$cache/idp" -nt main.go ] && exit 0
command -v go >/dev/null || { echo "actas: no go on this machine" >&2; exit 1; }
mkdir -p "$cache"
GOPATH="$cache/go" GOCACHE="$cache/cache" GOFLAGS=-mod=readonly go build -o "$cache/idp" . >"$cache/log" 2>&1
