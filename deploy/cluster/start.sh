#!/usr/bin/env bash
# Runs three members of one shop on this machine: HTTP on ports 3001 to 3003. They share MONGODB_URI, or, without it, the
# double that stands in for MongoDB in tests and forgets everything when it ends. Ends all of them when it is ended.
# usage: start.sh BINARY [COMMAND...]   with a command: runs it beside them, ends with it
set -euo pipefail
bin=$(realpath "${1:?usage: start.sh BINARY [COMMAND...]}")
shift
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
  java -Xmx1g -XX:+UseSerialGC -cp "$libs/*" "$setup/mongo-double/Double.java" 27117 <"$dir/alive" >"$dir/double.log" 2>&1 9<&- &
  echo $! >"$dir/double.pid"
  MONGODB_URI=mongodb://127.0.0.1:27117
  answers 27117 90
  echo "no MONGODB_URI: the store is a double that forgets everything when this ends"
fi
"$setup/broker.sh"

# member N starts the Nth member.
member() {
  HTTP_ADDR=127.0.0.1:300$1 CLUSTER_ADDR=127.0.0.1:400$1 "$bin" serve >>"$dir/member-$1.log" 2>&1 &
  echo $! >"$dir/member-$1.pid"
}
for n in 1 2 3; do member $n; done
for n in 1 2 3; do answers 300$n 60; done
"$bin" seed --url http://127.0.0.1:3001
echo "members on http://127.0.0.1:3001 http://127.0.0.1:3002 http://127.0.0.1:3003; logs and process ids in $dir"

if [ $# -gt 0 ]; then "$@"; else wait; fi
