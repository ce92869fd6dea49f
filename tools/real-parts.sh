#!/bin/sh
# Install what the tests against real systems need and this machine can have: as root, Debian packages.
set -eu
cd "$(dirname "$0")/.."
wanted=""
[ -x /usr/bin/chromium ] || wanted="$wanted chromium"
command -v java >/dev/null || wanted="$wanted default-jre-headless"
command -v mvn >/dev/null || wanted="$wanted maven"
command -v ip >/dev/null || wanted="$wanted iproute2"
command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
if [ -z "$wanted" ]; then
  :
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "actas: installing$wanted" >&2
  # shellcheck disable=SC2086
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted; } >/dev/null 2>&1 ||
    echo "actas: could not install$wanted; the tests that need them will say so" >&2
else
  echo "actas: not installed here:$wanted; the tests that need them will say so" >&2
fi
tools/crewjam.sh || echo "actas: no crewjam here; the tests that need it will say so" >&2
tools/pysaml2.sh || echo "actas: no pysaml2 here; the tests that need it will say so" >&2
tools/lemonldap.sh || echo "actas: no LemonLDAP here; the tests that need it will say so" >&2
tools/simplesamlphp.sh || echo "actas: no SimpleSAMLphp here; the tests that need it will say so" >&2
[ -n "${ACTAS_NODE_RIC:-}" ] || tools/node-ric.sh || echo "actas: no Node functions here; the tests that need them will say so" >&2
tools/aws-sdk-node.sh || echo "actas: no AWS client for Node here; the tests that need it will say so" >&2
tools/iam-simulate.sh || echo "actas: no iam-simulate here; the tests that need it will say so" >&2
