#!/bin/sh
# Starts PostgreSQL and Redis on the sandbox's loopback, as the agent; returns when both answer. For setup.run,
# with "services": true in the configuration. Both forget everything when the sandbox ends. `psql` and programs
# connect to 127.0.0.1:5432 as the user postgres without a password, and to 127.0.0.1:6379.
set -eu

data=${1:-$HOME/services}
mkdir -p "$data"
if [ ! -e "$data/postgres/PG_VERSION" ]; then
  initdb --pgdata "$data/postgres" --username postgres --auth trust --no-sync >"$data/initdb.log"
fi
pg_ctl --pgdata "$data/postgres" --log "$data/postgres.log" --wait \
  --options "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off" start
redis-server --bind 127.0.0.1 --daemonize yes --save '' --dir "$data" --logfile "$data/redis.log"
for _ in $(seq 100); do
  redis-cli ping >/dev/null 2>&1 && exit 0
  sleep 0.1
done
echo "Redis does not answer: see $data/redis.log" >&2
exit 1
