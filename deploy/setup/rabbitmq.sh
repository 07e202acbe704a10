#!/usr/bin/env bash
# Sets up and runs a RabbitMQ broker for development and tests, without systemd and beside other brokers.
#
#   rabbitmq.sh install           install Debian's package, if there is no broker yet; needs root
#   rabbitmq.sh start  [dir]      start a broker on a data folder and wait until it answers; installs if needed
#   rabbitmq.sh stop   [dir]      stop it in order
#   rabbitmq.sh kill   [dir]      kill -9 everything of it, as a crash would
#   rabbitmq.sh status [dir]      exit 0 and its address when it runs, else 3
#   rabbitmq.sh ctl    dir ...    run rabbitmqctl on it
#
# dir is the broker's data folder, default /var/lib/queuecommerce-rabbitmq. It is made if it does not exist.
# RABBITMQ_PORT (default 5672; remembered in the folder) is the AMQP port on 127.0.0.1; the port 20000 above or below it
# is used among the broker's own processes. Every command may be repeated, and prints only what went wrong.
set -euo pipefail

readonly command=${1:-}
dir=$(realpath -m "${2:-/var/lib/queuecommerce-rabbitmq}")
readonly dir
readonly server=/usr/lib/rabbitmq/bin/rabbitmq-server
readonly ctl=/usr/lib/rabbitmq/bin/rabbitmqctl
readonly patience=120 # seconds; a cold start on a busy machine was seen to take 30

die() { echo "rabbitmq.sh: $*" >&2; exit 1; }

install() {
  [ -x "$server" ] && return
  [ "$(id -u)" = 0 ] || die "no RabbitMQ here, and installing it needs root: sudo $0 install"
  command -v apt-get >/dev/null || die "no RabbitMQ here, and no apt-get: install rabbitmq-server by hand"
  # The package would start a service of its own on the default port.
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e $policy ]; then
    made=1
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  fi
  local log status=0
  log=$(mktemp)
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rabbitmq-server; } \
    >"$log" 2>&1 </dev/null || status=$?
  [ -z "$made" ] || rm -f $policy
  [ $status = 0 ] || cat "$log" >&2
  rm -f "$log"
  [ -x "$server" ] || die "rabbitmq-server could not be installed"
}

# settings exports what broker and rabbitmqctl must agree on.
settings() {
  local port=${RABBITMQ_PORT:-}
  [ -n "$port" ] || port=$(cat "$dir/port" 2>/dev/null) || port=5672
  PORT=$port
  local distribution=$((port + 20000))
  [ $distribution -le 65535 ] || distribution=$((port - 20000))
  unset RABBITMQ_PORT # the server has a meaning of its own for names that begin with RABBITMQ_
  export HOME=$dir    # holds the Erlang cookie
  export LANG=C.UTF-8
  # A node name with the machine's host name hangs where that name does not resolve.
  export RABBITMQ_NODENAME="queuecommerce-$port@localhost"
  export RABBITMQ_DIST_PORT=$distribution
  export RABBITMQ_MNESIA_BASE=$dir/data RABBITMQ_LOG_BASE=$dir/log
  export RABBITMQ_CONF_ENV_FILE=$dir/none RABBITMQ_CONFIG_FILE=$dir/rabbitmq.conf RABBITMQ_ENABLED_PLUGINS_FILE=$dir/plugins
  export ERL_EPMD_ADDRESS=127.0.0.1
  # Idle schedulers must not spin: the broker shares its cores with what it serves.
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
}

# as_owner runs a command as the user "rabbitmq" when started by root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups --no-new-privs "$@"
  fi
  exec "$@"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }

# session prints the broker's first process, which leads the process group of all the others, if it lives.
session() {
  local leader
  leader=$(cat "$dir/session" 2>/dev/null) || return 1
  # The number may belong to somebody else by now.
  tr '\0' '\n' 2>/dev/null <"/proc/$leader/environ" | grep -qxF "HOME=$dir" || return 1
  echo "$leader"
}

prepare() {
  mkdir -p "$dir/data" "$dir/log"
  echo "$PORT" >"$dir/port"
  printf 'listeners.tcp.1 = 127.0.0.1:%s\nlog.file.level = warning\n' "$PORT" >"$dir/rabbitmq.conf"
  echo '[].' >"$dir/plugins"
  [ "$(id -u)" != 0 ] || chown -R rabbitmq:rabbitmq "$dir"
}

start() {
  install
  settings
  if ! session >/dev/null; then
    answers && die "port $PORT is taken by another process"
    prepare
    # What this shell inherited (pipes of a test, locks) must not live on in the broker.
    (
      for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        [ "$fd" -le 2 ] || eval "exec $fd>&-" 2>/dev/null || true
      done
      cd "$dir"
      as_owner setsid "$server" </dev/null >>"$dir/log/console" 2>&1
    ) &
    # setsid does not fork here, because a background child leads no group: its id is the new group's.
    echo $! >"$dir/session"
  fi
  local leader deadline=$((SECONDS + patience))
  leader=$(cat "$dir/session")
  until answers; do
    kill -0 "$leader" 2>/dev/null || { tail -n 40 "$dir/log/console" >&2; die "the broker ended while it started"; }
    [ $SECONDS -lt $deadline ] || die "no answer on 127.0.0.1:$PORT after $patience s; see $dir/log"
    sleep 0.1
  done
}

# gone waits until no process of the group is left.
gone() {
  local deadline=$((SECONDS + patience))
  while kill -0 -- "-$1" 2>/dev/null; do
    [ $SECONDS -lt $deadline ] || die "the broker (process group $1) does not end"
    sleep 0.05
  done
}

stop() {
  settings
  local leader
  leader=$(session) || return 0
  kill -TERM "$leader" # it ends the others in the right order
  gone "$leader"
}

crash() {
  settings
  local leader
  leader=$(session) || return 0
  kill -KILL -- "-$leader"
  gone "$leader"
}

status() {
  settings
  session >/dev/null && answers || { echo "not running"; exit 3; }
  echo "amqp://guest:guest@127.0.0.1:$PORT/"
}

ctl() {
  settings
  cd "$dir"
  as_owner "$ctl" --quiet "$@"
}

case $command in
  install | start | stop | status) "$command" ;;
  kill) crash ;;
  ctl) shift 2; ctl "$@" ;;
  *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
esac
