#!/usr/bin/env bash
# Servers for the tests of the network stores. Takes those that answer, starts what is installed, and installs
# what is not from the distribution where it may. Prints the variables that name them:
#   eval "$(bash .ci/servers.sh)"
# TEST_POSTGRES_URL and TEST_REDIS_URL that are set already are left as they are.
set -euo pipefail

say() { echo "servers: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    fail "$1 is not installed; install it, or name a running server in $2"
  say "installing $1"
  { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1" ||
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1"; }; } >&2
}

# Waits up to 30 s for a command to succeed.
await() {
  for _ in $(seq 150); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  fail "no success in 30 s: $*"
}

redis_answers() { [ "$(redis-cli -h 127.0.0.1 -p "$1" ping 2>/dev/null)" = PONG ]; }

start_redis() {
  command -v redis-server >/dev/null || install redis-server TEST_REDIS_URL
  local port
  for port in 6379 63799; do
    redis_answers $port && echo "redis://127.0.0.1:$port" && return
  done
  redis-server --port $port --bind 127.0.0.1 --save "" --dir "$(mktemp -d)" --daemonize yes >/dev/null
  await redis_answers $port
  echo "redis://127.0.0.1:$port"
}

# URL of a server on a port on which we may do all without a password; fails if there is none.
postgres_url() {
  local user
  for user in "$(id -un)" postgres; do
    local url="postgres://$user@127.0.0.1:$1/postgres"
    if [ "$(psql -w -tA "$url" -c 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user' 2>/dev/null)" = t ]; then
      echo "$url"
      return
    fi
  done
  return 1
}

# A server of our own beside any that we may not use. It does not run as root, so another user is lent to it.
own_postgres() {
  local port=$1 bin data as=()
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
  [ -n "$bin" ] || bin=$(dirname "$(command -v initdb)")
  data=$(mktemp -d)
  if [ "$(id -u)" = 0 ]; then
    chown postgres "$data"
    as=(runuser -u postgres --)
  fi
  (
    cd "$data"
    "${as[@]}" "$bin/initdb" -D "$data/cluster" -A trust -U postgres >/dev/null
    "${as[@]}" "$bin/pg_ctl" -D "$data/cluster" -l "$data/log" -w \
      -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$data" start >/dev/null
  )
  await postgres_url "$port"
}

start_postgres() {
  command -v psql >/dev/null && { ls /usr/lib/postgresql/*/bin/initdb || command -v initdb; } >/dev/null 2>&1 ||
    install postgresql TEST_POSTGRES_URL
  postgres_url 5432 && return
  postgres_url 54329 && return
  own_postgres 54329 >&2
  postgres_url 54329
}

postgres=${TEST_POSTGRES_URL:-$(start_postgres)}
redis=${TEST_REDIS_URL:-$(start_redis)}
say "PostgreSQL at ${postgres##*@}, Redis at ${redis##*/}"
printf 'export TEST_POSTGRES_URL=%q\nexport TEST_REDIS_URL=%q\n' "$postgres" "$redis"
