#!/bin/sh
# Install the runtime client for Node functions into .cache/node; do nothing where it is there already.
# Compiles for about a minute: needs Node, npm, cmake, make and a C++ compiler. Used by `make test-real`.
# usage: tools/node-ric.sh [FOLDER]
set -eu
cd "$(dirname "$0")/.."
folder=${1:-.cache/node}
version=4.0.2 # 3.3.0, which npm would choose for Node 20, needs autotools; this one runs on Node 20, whatever it declares
client="$folder/node_modules/aws-lambda-ric"
built() { [ -f "$client/rapid-client.node" ] && grep -q "\"version\": \"$version\"" "$client/package.json"; }
built && exit 0
for program in node npm cmake make c++; do
  command -v "$program" >/dev/null || { echo "actas: $program is missing; Node functions cannot run here" >&2; exit 3; }
done
mkdir -p "$folder"
# newer npm runs an install script only where the project says so
cat >"$folder/package.json" <<JSON
{"private": true, "dependencies": {"aws-lambda-ric": "$version"}, "allowScripts": {"aws-lambda-ric": true}}
JSON
echo "actas: building the runtime client for Node in $folder (once; about a minute)" >&2
if ! (cd "$folder" && npm install --no-audit --no-fund --loglevel=error >npm.log 2>&1) || ! built; then
  echo "actas: the runtime client for Node could not be built; $folder/npm.log says why" >&2
  exit 1
fi
