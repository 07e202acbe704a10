#!/usr/bin/env bash
# Installs Debian's PostgreSQL, if there is none, without starting the cluster that comes with it; needs root. The bench
# makes clusters of its own.
set -euo pipefail

die() { echo "postgres.sh: $*" >&2; exit 1; }
there() { compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null; }

there && exit 0
[ "$(id -u)" = 0 ] || die "no PostgreSQL here, and installing it needs root: sudo $0"
command -v apt-get >/dev/null || die "no PostgreSQL here, and no apt-get: install postgresql by hand"
echo "installing PostgreSQL, once"
# The package would start a service of its own on the default port.
policy=/usr/sbin/policy-rc.d made='' log=$(mktemp)
cleanup() { [ -z "$made" ] || rm -f $policy; rm -f "$log"; }
trap cleanup EXIT
if [ ! -e $policy ]; then
  made=1
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
fi
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } \
  >"$log" 2>&1 </dev/null || cat "$log" >&2
there || die "postgresql could not be installed"
