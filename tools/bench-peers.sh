#!/bin/sh
# Install the peers that are measured beside us and that no lock of ours names; what cannot be had is said, and left out.
set -eu
cd "$(dirname "$0")/.."
if ! command -v wrk >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk; } >/dev/null 2>&1 || true
fi
command -v wrk >/dev/null || echo "actas: no wrk here; bench_gateway will say so" >&2
tools/pbac.sh || echo "actas: no pbac here; its row is left out" >&2
tools/serverless-offline.sh || echo "actas: no serverless-offline here; its row is left out" >&2
