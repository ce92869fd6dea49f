#!/bin/sh
# Install serverless-offline into .cache/serverless-offline; do nothing where it is there already. A peer in bench/.
# usage: tools/serverless-offline.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
folder=${1:-.cache/serverless-offline}
version=13.10.1 framework=3.40.0
part="$folder/node_modules/serverless-offline"
there() { [ -f "$part/package.json" ] && grep -q "\"version\": \"$version\"" "$part/package.json"; }
there && exit 0
for program in node npm; do
  command -v "$program" >/dev/null || { echo "actas: $program is missing; serverless-offline cannot be measured here" >&2; exit 3; }
done
mkdir -p "$folder"
cat >"$folder/package.json" <<JSON
{"private": true, "dependencies": {"serverless": "$framework", "serverless-offline": "$version"}}
JSON
if ! (cd "$folder" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >npm.log 2>&1) || ! there; then
  echo "actas: serverless-offline could not be installed; $folder/npm.log says why" >&2
  exit 1
fi
