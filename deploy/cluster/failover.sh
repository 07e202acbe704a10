#!/usr/bin/env bash
# Shows a failover: puts a steady load on the three members that start.sh runs, kills one of them after twelve seconds and
# draws what the buyers saw. In its first ten seconds a member asks every other one before it opens an entity, the dead one
# too: then all orders wait, not only those that need the dead one. usage: start.sh BINARY failover.sh BINARY
# FAILOVER_RATE (100) orders per second, FAILOVER_SIGNAL (KILL; TERM for an orderly end).
set -euo pipefail
bin=${1:?usage: failover.sh BINARY}
victim=$(cat "${CLUSTER_DIR:?is set by start.sh}/member-2.pid")

"$bin" bench --url "$CLUSTER_URLS" --clients 24 --products 50 --duration 22s --rate "${FAILOVER_RATE:-100}" --chart 250ms &
load=$!
sleep 12
echo "--- kill -${FAILOVER_SIGNAL:-KILL} of the second member"
kill "-${FAILOVER_SIGNAL:-KILL}" "$victim"
wait "$load"
