#!/usr/bin/env bash
# Fetches mongo-java-server, the double that stands in for MongoDB in tests, into .cache/mongo-double (ignored by git).
# Installs a JDK and Maven with apt where they are missing. Idempotent; quick when everything is there.
# Prints the folder with the libraries.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
pom=$root/deploy/setup/mongo-double/pom.xml
cache=$root/.cache/mongo-double
libs=$cache/libs

present() { [ -d "$libs" ] && cmp -s "$pom" "$libs/pom.xml"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# need COMMAND PACKAGE ... installs the package of each command that is missing.
need() {
  local missing=()
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null || missing+=("$2")
    shift 2
  done
  if [ ${#missing[@]} = 0 ]; then return; fi
  if ! command -v apt-get >/dev/null; then
    echo "mongo-double: install ${missing[*]} first: there is no apt-get here" >&2
    exit 1
  fi
  as_root apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

fetch() {
  fresh=$(mktemp -d "$cache/fresh.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$fresh/libs" -DincludeScope=runtime >&2
  cp "$pom" "$fresh/libs/pom.xml"
  rm -rf "$libs"
  mv "$fresh/libs" "$libs"
}

mkdir -p "$cache"
exec 9>"$cache/lock"
if command -v flock >/dev/null; then flock 9; fi # test binaries of several packages may come at once
if ! present; then
  need javac default-jdk-headless mvn maven
  fetch
fi
need javac default-jdk-headless
echo "$libs"
