#!/usr/bin/env bash
# Sees to something that the tests of the MongoDB store can talk to: the address in MONGODB_TEST_URI, else a mongod on
# PATH, else the double, which is fetched.
set -euo pipefail
[ -z "${MONGODB_TEST_URI:-}" ] || exit 0
if command -v mongod >/dev/null; then exit 0; fi
"$(dirname "$0")/mongo-double.sh" >/dev/null
