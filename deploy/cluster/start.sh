#!/usr/bin/env bash
# Runs three members of one shop on this machine: HTTP on ports 3001 to 3003. They share MONGODB_URI, or, without it, the
# double that stands in for MongoDB in tests and forgets everything when it ends. Ends all of them when it is ended.
# usage: start.sh BINARY [COMMAND...]   with a command: runs it beside them, ends with it; it finds the members'
# addresses in CLUSTER_URLS and their process ids in CLUSTER_DIR.
# PORT_BASE (3000): HTTP on the ports above it, members talk to each other a hundred ports higher.
# MEMBERS (3); MEMBER_CPU: percent of a core that each member may use at most, by a control group, which needs root.
set -euo pipefail
bin=$(realpath "${1:?usage: start.sh BINARY [COMMAND...]}")
shift
base=${PORT_BASE:-3000}
setup=$(cd "$(dirname "$0")/../setup" && pwd)
dir=$(mktemp -d)
export CLUSTER_DIR=$dir LOG_LEVEL=${LOG_LEVEL:-warn} MONGODB_URI=${MONGODB_URI:-}
ended() {
  trap - EXIT
  # shellcheck disable=SC2046
  kill $(cat "$dir"/*.pid) 2>/dev/null || true
  wait
  rm -rf "$dir"
}
trap ended EXIT
trap 'exit 130' INT TERM

# answers PORT SECONDS waits until somebody listens there.
answers() {
  for _ in $(seq $(($2 * 10))); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.1
  done
  echo "nobody answers on port $1" >&2
  cat "$dir"/*.log >&2
  exit 1
}

if [ -z "$MONGODB_URI" ]; then
  libs=$("$setup/mongo-double.sh")
  mkfifo "$dir/alive"
  exec 9<>"$dir/alive" # the double lives as long as its input is open
  java -Xmx1g -XX:+UseSerialGC -cp "$libs/*" "$setup/mongo-double/Double.java" $((base + 100)) <"$dir/alive" >"$dir/double.log" 2>&1 9<&- &
  echo $! >"$dir/double.pid"
  MONGODB_URI=mongodb://127.0.0.1:$((base + 100))
  answers $((base + 100)) 90
  echo "no MONGODB_URI: the store is a double that forgets everything when this ends"
fi
"$setup/broker.sh"

# confined N COMMAND... runs the command with the Nth member's share of a core.
confined() {
  local group=/sys/fs/cgroup/cpu/queuecommerce-$1
  shift
  if [ -n "${MEMBER_CPU:-}" ]; then
    mkdir -p "$group"
    echo "${MEMBER_CPU}000" >"$group/cpu.cfs_quota_us" # of a period of 100,000
    echo $BASHPID >"$group/cgroup.procs"
  fi
  exec "$@"
}

CLUSTER_URLS=
for n in $(seq "${MEMBERS:-3}"); do
  HTTP_ADDR=127.0.0.1:$((base + n)) CLUSTER_ADDR=127.0.0.1:$((base + 100 + n)) confined "$n" "$bin" serve >>"$dir/member-$n.log" 2>&1 &
  echo $! >"$dir/member-$n.pid"
  CLUSTER_URLS+=${CLUSTER_URLS:+,}http://127.0.0.1:$((base + n))
done
export CLUSTER_URLS
for n in $(seq "${MEMBERS:-3}"); do answers $((base + n)) 60; done
"$bin" seed --url "http://127.0.0.1:$((base + 1))"
echo "members on ${CLUSTER_URLS//,/ }; logs and process ids in $dir"

if [ $# -gt 0 ]; then "$@"; else wait; fi
