#!/usr/bin/env bash
# Builds what is measured beside the shop, installs what is missing, and measures.
# usage: run.sh BINARY COMMIT [FLAG...]   the flags are those of the program: see README.md
set -euo pipefail
bin=$(realpath "${1:?usage: run.sh BINARY COMMIT [FLAG...]}") commit=${2:?}
shift 2
cd "$(dirname "$0")"
root=$(realpath ../..)

out=$root/docs/benchmarks
case " $* " in
  *" -quick "* | *" -parts "*) out=$root/.cache/benchmarks ;; # never in the place of a whole report
esac
./postgres.sh
rabbitmq=../setup/rabbitmq.sh
$rabbitmq install || rabbitmq= # that part is left out
"${GO:-go}" build -trimpath -o "$root/bin/" . ./baseline
exec "$root/bin/bench" -shop "$bin" -baseline "$root/bin/baseline" -rabbitmq "$rabbitmq" -commit "$commit" -out "$out" "$@"
