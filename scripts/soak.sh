#!/usr/bin/env bash
# soak.sh [MINUTES [ENGINE]]: runs a server under clients that connect, leave, are cut and read too slowly, in cycles: churn,
# then cuts that must lose nothing. Prints the server's memory, descriptors and goroutines after each cycle. Exits with 1 if
# a tick was lost, duplicated or out of order, if the server ended, or if descriptors or goroutines are left 40 s after a
# cycle.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=${1:-30}
engine=${2:-shard}
work=$(mktemp -d)
port=$((20000 + RANDOM % 10000))
url=http://127.0.0.1:$port
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

for name in "${!TICKLANE_@}"; do unset "$name"; done
bin/ticklane serve --config /dev/null --server.addr "127.0.0.1:$port" --log.level warn --stream.engine "$engine" \
  --market.rate 50 --market.arrivals steady --stream.write_timeout 5s >"$work/server.log" 2>&1 &
server=$!

# usage prints the server's resident KiB, descriptors, goroutines and delivered ticks.
usage() {
  node -e '
    const [url, pid] = process.argv.slice(1), fs = require("fs");
    fetch(url + "/api/stats", { signal: AbortSignal.timeout(5000) }).then((r) => r.json()).then((s) =>
      console.log(s.process.rss_bytes >> 10, fs.readdirSync(`/proc/${pid}/fd`).length, s.process.goroutines, s.lanes.sse.ticks + s.lanes.ws.ticks));' "$url" "$server"
}

await() {
  for _ in $(seq 1 120); do
    if usage 2>/dev/null; then return; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.25
  done
  echo "the server at $url doesn't respond:" >&2
  cat "$work/server.log" >&2
  return 1
}

# load NAME FLAG… runs ticklane load. Its status 3 means that the machine was busy, which is no failure here.
load() {
  local name=$1 status=0
  shift
  bin/ticklane load --url "$url" --lane sse,ws --out "" --seed "$RANDOM" "$@" >"$work/load" 2>&1 || status=$?
  if [ "$status" != 0 ] && [ "$status" != 3 ]; then
    echo "$name failed with status $status:" >&2
    cat "$work/load" >&2
    exit 1
  fi
}

read -r rss fds goroutines ticks < <(await)
printf '%s\n' "Engine $engine, $minutes minutes: alternately 100 clients on each lane, of which 20 per second are replaced and 5 read 4 KiB/s,"
printf '%s\n' "and 400 cuts that must lose nothing. The server between the cycles, without clients:"
printf '%8s %6s %12s %12s %12s %16s\n' minute cycle 'memory, MiB' descriptors goroutines 'ticks delivered'
print_usage() { printf '%8s %6s %12s %12s %12s %16s\n' $((SECONDS / 60)) "$1" "$(awk -v k="$rss" 'BEGIN { printf "%.1f", k / 1024 }')" "$fds" "$goroutines" "$ticks"; }
print_usage 0
# settle waits until no client is connected and the goroutines that served them have ended.
settle() {
  for _ in $(seq 1 40); do
    sleep 1
    read -r rss fds goroutines ticks < <(usage)
    if [ "$fds" -le $((first_fds + 4)) ] && [ "$goroutines" -le $((first_goroutines + 8)) ]; then return; fi
  done
  echo "after cycle $n $fds descriptors and $goroutines goroutines are left; $first_fds and $first_goroutines at the start" >&2
  exit 1
}

n=0 first_fds=$fds first_goroutines=$goroutines
while [ $SECONDS -lt $((minutes * 60)) ]; do
  n=$((n + 1))
  load churn --conns 100 --rounds 1 --duration 20s --churn 20 --slow-readers 5
  load cuts --drill resume --conns 100 --cuts 200
  settle
  print_usage $n
done
pid=$server server=
kill -TERM "$pid"
wait "$pid"
echo "Every tick arrived once and in order; the server ended cleanly. $(grep -c . "$work/server.log" || true) warnings in its log."
