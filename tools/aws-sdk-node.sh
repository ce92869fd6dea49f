#!/bin/sh
# Install AWS's client of Lambda for Node into .cache/aws-sdk; do nothing where it is there already. Used by tests.
# usage: tools/aws-sdk-node.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
folder=${1:-.cache/aws-sdk}
version=3.1164.0
client="$folder/node_modules/@aws-sdk/client-lambda"
there() { [ -f "$client/package.json" ] && grep -q "\"version\": \"$version\"" "$client/package.json"; }
there && exit 0
for program in node npm; do
  command -v "$program" >/dev/null || { echo "actas: $program is missing; AWS's client for Node cannot be tried here" >&2; exit 3; }
done
mkdir -p "$folder"
cat >"$folder/package.json" <<JSON
{"private": true, "dependencies": {"@aws-sdk/client-lambda": "$version"}}
JSON
if ! (cd "$folder" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >npm.log 2>&1) || ! there; then
  echo "actas: AWS's client for Node could not be installed; $folder/npm.log says why" >&2
  exit 1
fi
