#!/usr/bin/env bash
# hey.sh [URL]: loads a server with hey, first with SSE streams, then with requests for the page, and explains each figure.
# Without URL it starts bin/ticklane on a free port and stops it afterwards.
# Returns 1 unless every response was 200, every tick was delivered and the server stopped cleanly.
set -euo pipefail
cd "$(dirname "$0")/.."

streams=2000 # 200,000 ticks in all: seconds on two cores
pages=2000
at_once=50 # well below limits.per_address, so that a remote server answers too
limit=100  # ticks of one stream
rate=1000  # ticks/s of our own server's market

url=${1-}
url=${url%/}
work=$(mktemp -d)
server=

# stop stops the server that start started, as a service manager does. It fails if the exit status isn't 0.
stop() {
  [ -n "$server" ] || return 0
  local pid=$server status=0
  server=
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" || status=$?
  if [ "$status" != 0 ]; then
    echo "server exited with status $status:" >&2
    tail -n 20 "$work/server.log" >&2
    return 1
  fi
}
trap 'stop || true; rm -rf "$work"' EXIT

# reading PATH: prints a number of /api/stats, such as "log head", or nothing if the server doesn't respond.
reading() {
  node -e '
    const [url, ...path] = process.argv.slice(1);
    fetch(url + "/api/stats", { signal: AbortSignal.timeout(2000) }).then((r) => r.json())
      .then((s) => console.log(path.reduce((o, k) => o[k], s)), () => {});' "$url" "$@"
}

free_port() { # below the range that outgoing connections use
  local port
  while port=$((20000 + RANDOM % 10000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

start() {
  local port name
  port=$(free_port)
  url=http://127.0.0.1:$port
  for name in "${!TICKLANE_@}"; do unset "$name"; done
  bin/ticklane serve --config /dev/null --server.addr "127.0.0.1:$port" --log.level warn \
    --market.rate "$rate" --market.arrivals steady --market.warmup 0s >"$work/server.log" 2>&1 &
  server=$!
}

# await: waits until the log holds enough ticks to serve every stream from it.
await() {
  local head oldest tries=0
  while :; do
    head=$(reading log head) oldest=$(reading log oldest)
    if [ -n "$head" ] && [ -n "$oldest" ] && [ $((head - oldest + 1)) -ge $((limit * 2)) ]; then return; fi
    if [ -n "$server" ] && ! kill -0 "$server" 2>/dev/null; then
      echo "the server did not start:" >&2
      cat "$work/server.log" >&2
      server=
      return 1
    fi
    tries=$((tries + 1))
    if [ "$tries" -gt 120 ]; then
      echo "$url/api/stats: no log of $((limit * 2)) ticks after $tries attempts" >&2
      return 1
    fi
    sleep 0.25
  done
}

# load REQUESTS PATH: runs hey; its output stays in $work/hey.
load() {
  echo "\$ hey -n $1 -c $at_once '$url$2'"
  hey -n "$1" -c "$at_once" "$url$2" >"$work/hey"
  if ! grep -q "^  \[200\]	$1 responses" "$work/hey" || grep -q '^Error distribution' "$work/hey"; then
    echo "not every response was 200:" >&2
    sed -n '/^Status code/,$p' "$work/hey" >&2
    return 1
  fi
}

# figure LABEL: the number after the label in hey's output.
figure() { awk -v label="$1" 'index($0, label) { sub(/^[^:]*:[ \t]*/, ""); print $1; exit }' "$work/hey"; }
percentile() { awk -v p="$1%" '$1 ~ "^" p { print $(NF - 1); exit }' "$work/hey"; }
ms() { awk -v s="$1" 'BEGIN { printf "%.1f ms", s * 1000 }'; }
line() { printf '  %-13s %10s  %s\n' "$1" "$2" "$3"; }

scripts/need.sh hey
if [ -z "$url" ]; then
  start
  echo "Started a server with market.rate $rate, steady."
else
  echo "Using the server at $url."
fi
await

echo
echo "SSE: $streams streams, $at_once at once, each of the $limit oldest ticks in the log"
before=$(reading lanes sse ticks)
load "$streams" "/sse/subscribe?limit=$limit&from=oldest"
handed=$(($(reading lanes sse ticks) - before))
per_second=$(figure Requests/sec)
line Total "$(figure Total:) s" "from the first request to the end of the last stream"
line Requests/sec "${per_second%.*}" "complete streams per second: $(awk -v r="$per_second" -v n="$limit" 'BEGIN { printf "%d", r * n }') ticks/s"
line Average "$(ms "$(figure Average:)")" "of one stream, from the request to its end after $limit ticks"
line Fastest "$(ms "$(figure Fastest:)")" "the fastest stream"
line "99 % within" "$(ms "$(percentile 99)")" "1 % of the streams took longer; includes hey's own processing"
line Slowest "$(ms "$(figure Slowest:)")" "the slowest stream; often one of the first, which open their connections"
line "resp wait" "$(ms "$(figure 'resp wait:')")" "until the first byte, of the hello: how fast a subscription starts"
line "resp read" "$(ms "$(figure 'resp read:')")" "from the first byte to the end: the ticks"
line "status 200" "$streams" "all streams accepted; 503 would be a refused one, 400 an invalid query"
line "ticks" "$handed" "delivered, as counted by the server; $((streams * limit)) requested"
if [ "$handed" -lt $((streams * limit)) ]; then
  echo "ticks are missing, although hey reports only successes" >&2
  exit 1
fi

echo
echo "Page: $pages requests for /, $at_once at once"
load "$pages" /
line Requests/sec "$(figure Requests/sec | cut -d. -f1)" "pages per second, over persistent connections"
line Average "$(ms "$(figure Average:)")" "of one page, without its scripts and styles, which hey doesn't fetch"
line "99 % within" "$(ms "$(percentile 99)")" "1 % of the pages took longer"
line "resp wait" "$(ms "$(figure 'resp wait:')")" "until the first byte: the time to render the page"
line "status 200" "$pages" "all pages"

stop
cat <<TEXT

What to avoid when measuring with hey directly:
- Streams without limit=: they never end. hey closes them after 20 s (-t) and counts them as 200, since it
  ignores errors in bodies. That is why this script compares the number of ticks.
- Streams without from=oldest: they wait for new ticks. $limit ticks take $((limit * 1000 / rate)) ms at $rate ticks/s on
  any server, so hey would measure the feed.
- WebSocket: hey takes 101 as the final status and waits for a body that never ends.
- Latency under a given load: hey sends the next request when the last one has ended, so a slow server
  receives fewer. ticklane load measures latency at a fixed rate.
TEXT
