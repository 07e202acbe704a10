#!/usr/bin/env bash
# Starts a fresh shop on embedded storage, puts load on it and prints what its buyers saw, then what one order cost.
# BENCH_DURATION (8s), BENCH_CLIENTS (32). The client runs on the same machine.
set -euo pipefail
bin=${1:?usage: bench.sh BINARY}
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$dir"' EXIT
export DATA_DIR=$dir/data HTTP_ADDR=${BENCH_ADDR:-127.0.0.1:3999} AMQP_URL=${AMQP_URL:-off} LOG_LEVEL=warn

"$bin" serve >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 300); do
  if (exec 3<>"/dev/tcp/${HTTP_ADDR%:*}/${HTTP_ADDR#*:}") 2>/dev/null; then break; fi
  sleep 0.1
done

ticks() { awk '{print $14 + $15}' "/proc/$server/stat"; }
load() {
  local cpu
  cpu=$(ticks)
  "$bin" bench --url "http://$HTTP_ADDR" --clients "${BENCH_CLIENTS:-32}" --duration "${BENCH_DURATION:-8s}" "$@"
  echo "  server: $(($(ticks) - cpu))0 ms of CPU, $(awk '/VmHWM/ {print int($2 / 1024)}' "/proc/$server/status") MiB at most so far"
}
load --products 200
load --products 200 --wait
load --products 200 --lines 2
load --products 1
load --products 1 --wait
load --products 200 --rate 1000
load --products 200 --rate 2000
load --products 1 --rate 2000
