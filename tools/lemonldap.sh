#!/bin/sh
# Unpack LemonLDAP::NG and the Perl modules it needs from Debian's packages into the cache; nothing is installed on the system.
set -eu
cache="${XDG_CACHE_HOME:-$HOME/.cache}/actas/lemonldap"
[ -e "$cache/root/.done" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo "actas: no Debian packages here" >&2; exit 1; }
mkdir -p "$cache/debs/partial"
{ apt-get update -qq && apt-get install -y -qq -d --reinstall --no-install-recommends -o "Dir::Cache::archives=$cache/debs" \
  lemonldap-ng liblasso-perl liblasso3 libplack-perl nginx- lemonldap-ng-fastcgi-server- \
  libgd-securityimage-perl libxml-simple-perl libxml-libxml-perl libstring-random-perl libemail-sender-perl \
  libmime-tools-perl libhtml-template-perl libconvert-base32-perl libgd-perl libio-string-perl libxml-sax-perl \
  libxml-sax-expat-perl libxml-namespacesupport-perl; } >"$cache/log" 2>&1
rm -rf "$cache/root"
for one in "$cache"/debs/*.deb; do dpkg -x "$one" "$cache/root"; done
touch "$cache/root/.done"
