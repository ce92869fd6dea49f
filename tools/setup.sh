#!/bin/sh
# Make the virtual environment that the locks describe; do nothing where it stands already.
# usage: tools/setup.sh [VENV]
# The package index is whatever this machine's pip is told to use; uv does not read pip's settings, so they are mapped.
set -eu
cd "$(dirname "$0")/.."
venv=${1:-.venv}
python=${PYTHON:-python3}
for lock in requirements.lock requirements.uv.lock; do
  [ -f "$lock" ] || { echo "actas: $lock is missing; take it from the repository" >&2; exit 2; }
done
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "actas: $("$python" --version) is too old; Python 3.11 or newer is needed (name it: make PYTHON=python3.12 ...)" >&2
  exit 2
}
wanted=$({ "$python" --version; cat requirements.lock requirements.uv.lock pyproject.toml; } | cksum)
[ -x "$venv/bin/actas" ] && [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$wanted" ] && exit 0

echo "actas: setting up $venv (once; about half a minute)" >&2
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
py="$venv/bin/python"
setting() { "$py" -m pip config get "$1" 2>/dev/null || true; }
map() { # map NAME PIP_VARIABLE pip.setting
  eval "now=\${$1:-}"; [ -z "$now" ] || return 0
  eval "found=\${$2:-}"; [ -n "$found" ] || found=$(setting "$3")
  [ -z "$found" ] || export "$1=$found"
}
map UV_DEFAULT_INDEX PIP_INDEX_URL global.index-url
map UV_INDEX PIP_EXTRA_INDEX_URL global.extra-index-url
map UV_FIND_LINKS PIP_FIND_LINKS global.find-links
map SSL_CERT_FILE PIP_CERT global.cert
pip() { "$py" -m pip --disable-pip-version-check "$@"; }

if pip install -q --require-hashes --no-deps -r requirements.uv.lock &&
  "$venv/bin/uv" pip sync -q --python "$py" --require-hashes requirements.lock requirements.uv.lock 2>"$venv/uv.err"; then
  "$venv/bin/uv" pip install -q --python "$py" --no-deps --no-build-isolation -e .
else
  echo "actas: uv could not install (see $venv/uv.err); using pip, which takes longer" >&2
  pip install -q --require-hashes --no-deps -r requirements.lock
  pip install -q --no-deps --no-build-isolation -e .
fi
printf '%s\n' "$wanted" >"$venv/.stamp"
