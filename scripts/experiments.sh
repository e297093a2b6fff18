#!/usr/bin/env bash
# experiments.sh OUT: checks the method of `ticklane load` with known results: 20 A/A tests, half of them on each lane, and 10
# tests with 2 ms injected on one variant. Takes about 10 minutes; run nothing else meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-bin/experiments}
mkdir -p "$out"
small=(--conns 10 --set market.rate=50 --set market.warmup=0s --duration 1500ms --rounds 5 --warmup 300ms --ramp 100ms)

# line FILE prints the difference of the median latency, its interval, and whether the interval excludes zero.
line() {
  node -e '
    const r = JSON.parse(require("fs").readFileSync(process.argv[1]));
    const m = r.metrics.find((m) => m.key === "latency_p50"), d = m.difference, ms = (x) => x.toFixed(3).padStart(7);
    const out = d.low > 0 || d.high < 0;
    console.log(`${r.status.padEnd(9)} p50 A ${ms(m.a.median)}  B ${ms(m.b.median)}  A-B ${ms(d.mean)}  [${ms(d.low)}, ${ms(d.high)}] ms  ${out ? "excludes zero" : "contains zero"}  ${m.verdict}`);' "$1"
}

run() { # NAME FLAG…
  local name=$1
  shift
  bin/ticklane load "${small[@]}" "$@" --seed "${name##*-}" --out "$out/$name" >"$out/$name.txt" 2>&1 || [ $? = 3 ]
  printf '%-16s ' "$name"
  line "$out/$name.json"
}

{
  for i in $(seq 1 20); do
    lane=$([ $((i % 2)) = 0 ] && echo ws || echo sse)
    run "aa-$lane-$i" --lane "$lane,$lane"
  done
  for i in $(seq 1 10); do
    lane=$([ $((i % 2)) = 0 ] && echo ws || echo sse)
    run "injected-$lane-$i" --lane "$lane,$lane" --query-b delay=2ms
  done
} | tee "$out/summary.txt"
