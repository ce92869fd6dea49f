#!/bin/sh
# Install cloud-copilot's iam-simulate into .cache/iam-simulate; do nothing where it is there already.
# Tests ask it what they ask actas.iam, in a process of its own. It is under AGPL-3.0 and no part of actas.
# usage: tools/iam-simulate.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
folder=${1:-.cache/iam-simulate}
version=0.1.173
package="$folder/node_modules/@cloud-copilot/iam-simulate"
there() { [ -f "$package/package.json" ] && grep -q "\"version\": \"$version\"" "$package/package.json"; }
there && exit 0
for program in node npm; do
  command -v "$program" >/dev/null || { echo "actas: $program is missing; iam-simulate cannot be tried here" >&2; exit 3; }
done
mkdir -p "$folder"
cat >"$folder/package.json" <<JSON
{"private": true, "dependencies": {"@cloud-copilot/iam-simulate": "$version"}}
JSON
if ! (cd "$folder" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >npm.log 2>&1) || ! there; then
  echo "actas: iam-simulate could not be installed; $folder/npm.log says why" >&2
  exit 1
fi
