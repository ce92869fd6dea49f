#!/bin/sh
# Put pysaml2, and Debian's xmlsec1 that it calls, into the cache for the tests; nothing is installed on the system.
set -eu
cache="${XDG_CACHE_HOME:-$HOME/.cache}/actas/pysaml2"
[ -e "$cache/.done" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo "actas: no Debian packages here" >&2; exit 1; }
mkdir -p "$cache/debs/partial"
{ apt-get update -qq && apt-get install -y -qq -d --reinstall --no-install-recommends -o "Dir::Cache::archives=$cache/debs" \
  xmlsec1 libxmlsec1 libxmlsec1-openssl; } >"$cache/log" 2>&1
rm -rf "$cache/root" "$cache/venv"
for one in "$cache"/debs/*.deb; do dpkg -x "$one" "$cache/root"; done
python3 -m venv "$cache/venv"
"$cache/venv/bin/python" -m pip install -q --disable-pip-version-check 'pysaml2==7.5.5' >>"$cache/log" 2>&1
touch "$cache/.done"
