#!/usr/bin/env bash
# Sees to a broker for `make run`: takes the one that answers, else starts one if RabbitMQ is installed or can be. Without
# one the shop runs all the same and keeps its events; so this never fails.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)

[ -z "${AMQP_URL:-}" ] || exit 0 # somebody knows better
if (exec 3<>/dev/tcp/127.0.0.1/5672) 2>/dev/null; then exit 0; fi
if [ "$(id -u)" != 0 ]; then
  echo "no RabbitMQ on 127.0.0.1:5672: events are kept until one comes (sudo $here/rabbitmq.sh start)"
  exit 0
fi
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || echo "installing RabbitMQ, once"
"$here/rabbitmq.sh" start || echo "RabbitMQ could not be started: events are kept until one comes"
exit 0
