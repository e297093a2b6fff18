#!/usr/bin/env bash
# soak.sh [MINUTES [ENGINE]]: one server of its own under clients that come, go, are cut and read too slowly, turn after
# turn: churn, then cuts that must lose nothing. Tells after each turn what the process holds. Returns 1 when a tick was
# lost, doubled or out of order, when the process ended, or when descriptors or goroutines are left 40 s after a turn.
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

# held: resident KiB, descriptors and goroutines of the server, and ticks that it has handed over.
held() {
  node -e '
    const [url, pid] = process.argv.slice(1), fs = require("fs");
    fetch(url + "/api/stats", { signal: AbortSignal.timeout(5000) }).then((r) => r.json()).then((s) =>
      console.log(s.process.rss_bytes >> 10, fs.readdirSync(`/proc/${pid}/fd`).length, s.process.goroutines, s.lanes.sse.ticks + s.lanes.ws.ticks));' "$url" "$server"
}

await() {
  for _ in $(seq 1 120); do
    if held 2>/dev/null; then return; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.25
  done
  echo "the server at $url doesn't answer:" >&2
  cat "$work/server.log" >&2
  return 1
}

# turn NAME FLAG…: status 3 says that the machine was busy, which is no fault here.
turn() {
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
printf '%s\n' "Engine $engine, $minutes minutes: in turns 100 clients on each lane with 20 of them replaced a second and 5 that read 4 KiB/s,"
printf '%s\n' "and 400 cuts that must lose nothing. What the server holds between the turns, without clients:"
printf '%8s %6s %12s %12s %12s %16s\n' minute turn 'memory, MiB' descriptors goroutines 'ticks delivered'
tell() { printf '%8s %6s %12s %12s %12s %16s\n' $((SECONDS / 60)) "$1" "$(awk -v k="$rss" 'BEGIN { printf "%.1f", k / 1024 }')" "$fds" "$goroutines" "$ticks"; }
tell 0
# settle waits until nobody is connected, and the workers that served them have ended.
settle() {
  for _ in $(seq 1 40); do
    sleep 1
    read -r rss fds goroutines ticks < <(held)
    if [ "$fds" -le $((first_fds + 4)) ] && [ "$goroutines" -le $((first_goroutines + 8)) ]; then return; fi
  done
  echo "after turn $n something is left: $fds descriptors, $goroutines goroutines; $first_fds and $first_goroutines at the start" >&2
  exit 1
}

n=0 first_fds=$fds first_goroutines=$goroutines
while [ $SECONDS -lt $((minutes * 60)) ]; do
  n=$((n + 1))
  turn churn --conns 100 --rounds 1 --duration 20s --churn 20 --slow-readers 5
  turn cuts --drill resume --conns 100 --cuts 200
  settle
  tell $n
done
pid=$server server=
kill -TERM "$pid"
wait "$pid"
echo "Every tick came once and in order; the server ended cleanly. $(grep -c . "$work/server.log" || true) warnings in its log."
