#!/bin/sh
# Install npm's pbac (MIT), an evaluator of IAM's policy language, into .cache/pbac; used by bench/bench_iam.py.
# usage: tools/pbac.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
folder=${1:-.cache/pbac}
version=0.3.2
there() { [ -f "$folder/node_modules/pbac/package.json" ] && grep -q "\"version\": \"$version\"" "$folder/node_modules/pbac/package.json"; }
there && exit 0
for program in node npm; do
  command -v "$program" >/dev/null || { echo "actas: $program is missing; pbac cannot be measured here" >&2; exit 3; }
done
mkdir -p "$folder"
cat >"$folder/package.json" <<JSON
{"private": true, "dependencies": {"pbac": "$version"}}
JSON
if ! (cd "$folder" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >npm.log 2>&1) || ! there; then
  echo "actas: pbac could not be installed; $folder/npm.log says why" >&2
  exit 1
fi
