#!/bin/sh
# Write the two locks anew from pyproject.toml. Run it after changing a dependency; commit what it writes.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
"$uv" pip compile -q --universal --generate-hashes --no-annotate --no-header --all-extras --group dev "$@" pyproject.toml -o requirements.lock
echo uv | "$uv" pip compile -q --universal --generate-hashes --no-annotate --no-header "$@" - -o requirements.uv.lock
