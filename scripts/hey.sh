#!/usr/bin/env bash
# hey.sh [URL]: loads a server with hey, once with SSE streams and once with the page, and says what each figure
# means. Without URL it starts bin/ticklane on a free port with settings of its own and stops it afterwards.
# Returns 1 unless every answer was 200, every tick was handed over and the server stopped cleanly.
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

# stop ends our own server as a service manager does, and fails if it doesn't end well.
stop() {
  [ -n "$server" ] || return 0
  local pid=$server status=0
  server=
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" || status=$?
  if [ "$status" != 0 ]; then
    echo "the server ended with status $status:" >&2
    tail -n 20 "$work/server.log" >&2
    return 1
  fi
}
trap 'stop || true; rm -rf "$work"' EXIT

# reading PATH: a number of /api/stats, such as "log head"; nothing while there is no answer.
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

# await: until the log holds enough for every stream to be a pure replay.
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
      echo "after $tries tries $url/api/stats tells of no log with $((limit * 2)) ticks" >&2
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
    echo "not every answer was 200:" >&2
    sed -n '/^Status code/,$p' "$work/hey" >&2
    return 1
  fi
}

# figure LABEL: the number that hey prints behind the label.
figure() { awk -v label="$1" 'index($0, label) { sub(/^[^:]*:[ \t]*/, ""); print $1; exit }' "$work/hey"; }
percentile() { awk -v p="$1%" '$1 ~ "^" p { print $(NF - 1); exit }' "$work/hey"; }
ms() { awk -v s="$1" 'BEGIN { printf "%.1f ms", s * 1000 }'; }
line() { printf '  %-13s %10s  %s\n' "$1" "$2" "$3"; }

scripts/need.sh hey
if [ -z "$url" ]; then
  start
  echo "A server of our own: market.rate $rate, steady; ended afterwards."
else
  echo "The server at $url, as it is."
fi
await

echo
echo "SSE: $streams streams, $at_once at once, each of the $limit oldest ticks in the log"
before=$(reading lanes sse ticks)
load "$streams" "/sse/subscribe?limit=$limit&from=oldest"
handed=$(($(reading lanes sse ticks) - before))
per_second=$(figure Requests/sec)
line Total "$(figure Total:) s" "from the first request to the end of the last stream"
line Requests/sec "${per_second%.*}" "streams opened, filled and ended in a second: $(awk -v r="$per_second" -v n="$limit" 'BEGIN { printf "%d", r * n }') ticks/s"
line Average "$(ms "$(figure Average:)")" "of one whole stream, its $limit ticks and its end included"
line Fastest "$(ms "$(figure Fastest:)")" "the best case: a stream that waited for nobody"
line "99 % within" "$(ms "$(percentile 99)")" "what one stream in a hundred exceeds; hey's own work is in it"
line Slowest "$(ms "$(figure Slowest:)")" "the worst; often among the first, which open their connections"
line "resp wait" "$(ms "$(figure 'resp wait:')")" "until the first byte: the hello, so how fast a subscriber is let in"
line "resp read" "$(ms "$(figure 'resp read:')")" "from there to the end: the ticks themselves"
line "status 200" "$streams" "every stream was accepted. A refused one would be 503, a wrong query 400"
line "ticks" "$handed" "handed over, by the server's own count; $((streams * limit)) were asked for"
if [ "$handed" -lt $((streams * limit)) ]; then
  echo "ticks are missing, although hey saw nothing but success" >&2
  exit 1
fi

echo
echo "Page: $pages requests for /, $at_once at once"
load "$pages" /
line Requests/sec "$(figure Requests/sec | cut -d. -f1)" "pages in a second, over connections that stay open"
line Average "$(ms "$(figure Average:)")" "of one page; its scripts and styles aren't fetched: hey is no browser"
line "99 % within" "$(ms "$(percentile 99)")" "what one in a hundred exceeds"
line "resp wait" "$(ms "$(figure 'resp wait:')")" "until the first byte: the time in which the server makes the page"
line "status 200" "$pages" "every page came"

stop
cat <<TEXT

How these figures mislead, when they are measured otherwise:
- A stream without limit= never ends. hey cuts it after 20 s (-t) and still counts it as 200, as it
  ignores what goes wrong in a body: endless streams would all be 'success', whatever arrived.
  So the ticks are counted above.
- Without from=oldest a stream waits for ticks that are yet to come. $limit ticks of a market with
  $rate a second take $((limit * 1000 / rate)) ms on the fastest server there is: hey would measure the feed's pace.
- hey can't load WebSocket: it takes 101 for an answer, then waits for a body that never ends.
- hey sends the next request when the last one has ended, so it asks a slow server less. Its times
  are those of a polite crowd, not of a given load.
TEXT
