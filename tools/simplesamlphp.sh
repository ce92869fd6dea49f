#!/bin/sh
# Unpack SimpleSAMLphp and PHP from Debian's packages into the cache; nothing is installed on the system.
set -eu
cache="${XDG_CACHE_HOME:-$HOME/.cache}/actas/simplesamlphp"
[ -e "$cache/root/.done" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo "actas: no Debian packages here" >&2; exit 1; }
mkdir -p "$cache/debs/partial"
{ apt-get update -qq && apt-get install -y -qq -d --reinstall --no-install-recommends -o "Dir::Cache::archives=$cache/debs" \
  simplesamlphp php8.2-cli php8.2-common php8.2-xml php8.2-mbstring php8.2-curl php8.2-sqlite3; } >"$cache/log" 2>&1
rm -rf "$cache/root"
for one in "$cache"/debs/php8.2-*.deb "$cache"/debs/simplesamlphp_*.deb; do dpkg -x "$one" "$cache/root"; done
ln -sfn ../../../etc/simplesamlphp "$cache/root/usr/share/simplesamlphp/config"
touch "$cache/root/.done"
